"""Every SQL statement about chefs and what they cook."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from schema.tables import Chef, Menu, MenuItem, Verification


async def chef(session: AsyncSession, chef_id: UUID) -> Chef | None:
    """A chef that customers may see."""
    return await session.scalar(
        select(Chef).where(
            col(Chef.id) == chef_id, col(Chef.verification_status) == Verification.APPROVED
        )
    )


async def any_chef(session: AsyncSession, chef_id: UUID) -> Chef:
    """A chef that there is, seen by customers or not."""
    return await session.get_one(Chef, chef_id)


async def chef_of_dish(session: AsyncSession, item_id: UUID) -> Chef | None:
    """Whose dish it is, if customers may see him."""
    return await session.scalar(
        select(Chef)
        .join(Menu, col(Menu.chef_id) == col(Chef.id))
        .join(MenuItem, col(MenuItem.menu_id) == col(Menu.id))
        .where(col(MenuItem.id) == item_id, col(Chef.verification_status) == Verification.APPROVED)
    )


async def exists(session: AsyncSession, chef_id: UUID) -> bool:
    """Whether there is such a chef, seen by customers or not."""
    return await session.get(Chef, chef_id) is not None


async def menu(session: AsyncSession, chef_id: UUID) -> Sequence[tuple[Menu, MenuItem]]:
    """What a chef offers, menu by menu, the dishes that are off today included."""
    found = await session.execute(
        select(Menu, MenuItem)
        .join(MenuItem, col(MenuItem.menu_id) == col(Menu.id))
        .where(
            col(Menu.chef_id) == chef_id,
            col(Menu.is_active),
            col(MenuItem.deleted_at).is_(None),
        )
        .order_by(
            col(Menu.position),
            col(Menu.id),
            col(MenuItem.category),
            col(MenuItem.position),
            col(MenuItem.id),
        )
    )
    return [(row[0], row[1]) for row in found]


async def dishes(
    session: AsyncSession, chef_id: UUID, item_ids: Collection[UUID]
) -> dict[UUID, MenuItem]:
    """Those of the dishes that are on this chef's active menus."""
    found = await session.scalars(
        select(MenuItem)
        .join(Menu, col(Menu.id) == col(MenuItem.menu_id))
        .where(
            col(Menu.chef_id) == chef_id,
            col(Menu.is_active),
            col(MenuItem.deleted_at).is_(None),
            col(MenuItem.id).in_(item_ids),
        )
    )
    return {item.id: item for item in found}
