"""Every SQL statement about the choices that dishes leave to customers."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.choices import Group, Option
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


async def groups(session: AsyncSession, item_ids: Collection[UUID]) -> dict[UUID, list[Group]]:
    """The same, as the rules of choosing take them."""
    return {
        item_id: [
            Group(
                choice.group.name,
                choice.group.min_choices,
                choice.group.max_choices,
                tuple(
                    Option(option.id, option.name, option.price_cents, option.is_available)
                    for option in choice.options
                ),
            )
            for choice in found
        ]
        for item_id, found in (await of_dishes(session, item_ids)).items()
    }


async def replace(session: AsyncSession, item_id: UUID, wanted: Sequence[Choice]) -> None:
    """Have a dish leave these choices and no others, each as it is here; rows that stay keep their
    ids. The dish must be locked.
    """
    groups = [choice.group for choice in wanted]
    options = [option for choice in wanted for option in choice.options]
    of_dish = select(col(OptionGroup.id)).where(col(OptionGroup.menu_item_id) == item_id)
    await session.execute(
        delete(MenuItemOption).where(
            col(MenuItemOption.group_id).in_(of_dish),
            col(MenuItemOption.id).not_in([option.id for option in options]),
        )
    )
    await session.execute(
        delete(OptionGroup).where(
            col(OptionGroup.menu_item_id) == item_id,
            col(OptionGroup.id).not_in([group.id for group in groups]),
        )
    )
    for table, rows in ((OptionGroup, groups), (MenuItemOption, options)):
        if rows:
            written = insert(table)
            await session.execute(
                written.on_conflict_do_update(
                    index_elements=["id"],
                    set_={
                        name: written.excluded[name] for name in table.model_fields if name != "id"
                    },
                ),
                [row.model_dump() for row in rows],
            )
