"""Every SQL statement about the choices that dishes leave to customers."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from schema.tables import MenuItemOption, OptionGroup


class Choice(NamedTuple):
    """A group, and what there is to choose from it."""

    group: OptionGroup
    options: Sequence[MenuItemOption]


async def of_dishes(session: AsyncSession, item_ids: Collection[UUID]) -> dict[UUID, list[Choice]]:
    """The choices of dishes, each in its order; in one statement. A dish without is left out."""
    found = await session.execute(
        select(OptionGroup, MenuItemOption)
        .outerjoin(MenuItemOption, col(MenuItemOption.group_id) == col(OptionGroup.id))
        .where(col(OptionGroup.menu_item_id).in_(item_ids))
        .order_by(
            col(OptionGroup.position),
            col(OptionGroup.id),
            col(MenuItemOption.position),
            col(MenuItemOption.id),
        )
        # A session that has changed one must not see it as it was.
        .execution_options(populate_existing=True)
    )
    options: dict[UUID, list[MenuItemOption]] = {}
    choices: dict[UUID, list[Choice]] = {}
    for group, option in found:
        if group.id not in options:
            options[group.id] = []
            choices.setdefault(group.menu_item_id, []).append(Choice(group, options[group.id]))
        if option is not None:
            options[group.id].append(option)
    return choices
