"""Every SQL statement by which chefs change what they cook. What was taken away is not seen."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from schema.tables import Menu, MenuItem


async def of_chef(session: AsyncSession, chef_id: UUID) -> list[tuple[Menu, list[MenuItem]]]:
    """All menus of a chef with their dishes, those that customers do not see included; in one
    statement.
    """
    found = await session.execute(
        select(Menu, MenuItem)
        .outerjoin(
            MenuItem,
            and_(col(MenuItem.menu_id) == col(Menu.id), col(MenuItem.deleted_at).is_(None)),
        )
        .where(col(Menu.chef_id) == chef_id, col(Menu.deleted_at).is_(None))
        .order_by(
            col(Menu.position),
            col(Menu.id),
            col(MenuItem.category),
            col(MenuItem.position),
            col(MenuItem.id),
        )
        .execution_options(populate_existing=True)
    )
    menus: dict[UUID, tuple[Menu, list[MenuItem]]] = {}
    for menu, item in found:
        _, items = menus.setdefault(menu.id, (menu, []))
        if item is not None:
            items.append(item)
    return list(menus.values())


async def count(session: AsyncSession, chef_id: UUID) -> tuple[int, int]:
    """How many menus a chef has, and how many dishes are on them."""
    found = await session.execute(
        select(func.count(col(Menu.id).distinct()), func.count(col(MenuItem.id)))
        .select_from(Menu)
        .outerjoin(
            MenuItem,
            and_(col(MenuItem.menu_id) == col(Menu.id), col(MenuItem.deleted_at).is_(None)),
        )
        .where(col(Menu.chef_id) == chef_id, col(Menu.deleted_at).is_(None))
    )
    menus, items = found.one()
    return menus, items


async def menu(session: AsyncSession, chef_id: UUID, menu_id: UUID) -> Menu | None:
    """One of a chef's menus."""
    return await session.scalar(
        select(Menu).where(
            col(Menu.id) == menu_id,
            col(Menu.chef_id) == chef_id,
            col(Menu.deleted_at).is_(None),
        )
    )


async def first(session: AsyncSession, chef_id: UUID) -> Menu | None:
    """The first of a chef's menus."""
    return await session.scalar(
        select(Menu)
        .where(col(Menu.chef_id) == chef_id, col(Menu.deleted_at).is_(None))
        .order_by(col(Menu.position), col(Menu.id))
        .limit(1)
    )


async def next_menu_position(session: AsyncSession, chef_id: UUID) -> int:
    """Where a menu goes that is to be the last."""
    last = await session.scalar(
        select(func.max(Menu.position)).where(
            col(Menu.chef_id) == chef_id, col(Menu.deleted_at).is_(None)
        )
    )
    return 0 if last is None else last + 1


async def next_item_position(session: AsyncSession, menu_id: UUID) -> int:
    """Where a dish goes that is to be the last of its menu."""
    last = await session.scalar(
        select(func.max(MenuItem.position)).where(
            col(MenuItem.menu_id) == menu_id, col(MenuItem.deleted_at).is_(None)
        )
    )
    return 0 if last is None else last + 1


async def change_menu(session: AsyncSession, menu_id: UUID, values: Mapping[str, object]) -> None:
    """Write down what is otherwise about a menu."""
    if values:
        await session.execute(update(Menu).where(col(Menu.id) == menu_id).values(**values))


async def lock_items(session: AsyncSession, chef_id: UUID, menu_id: UUID) -> None:
    """Have the dishes of a chef's menu to oneself until this transaction ends."""
    await session.execute(
        select(col(MenuItem.id))
        .join(Menu, col(Menu.id) == col(MenuItem.menu_id))
        .where(col(Menu.id) == menu_id, col(Menu.chef_id) == chef_id)
        .order_by(col(MenuItem.id))
        .with_for_update(key_share=True, of=MenuItem)
    )


async def remove_menu(session: AsyncSession, menu_id: UUID, at: datetime) -> None:
    """Take a menu away with all its dishes; what was ordered of it stays as it was."""
    await session.execute(
        update(MenuItem)
        .where(col(MenuItem.menu_id) == menu_id, col(MenuItem.deleted_at).is_(None))
        .values(deleted_at=at, is_available=False)
    )
    await change_menu(session, menu_id, {"is_active": False, "deleted_at": at})


async def item(
    session: AsyncSession, chef_id: UUID, item_id: UUID, *, locked: bool = False
) -> MenuItem | None:
    """One of a chef's dishes; one that is `locked` nobody else changes or takes of until this
    transaction ends.
    """
    wanted = (
        select(MenuItem)
        .join(Menu, col(Menu.id) == col(MenuItem.menu_id))
        .where(
            col(MenuItem.id) == item_id,
            col(MenuItem.deleted_at).is_(None),
            col(Menu.chef_id) == chef_id,
        )
        .execution_options(populate_existing=True)
    )
    if locked:
        wanted = wanted.with_for_update(key_share=True, of=MenuItem)
    return await session.scalar(wanted)


async def change_item(session: AsyncSession, item_id: UUID, values: Mapping[str, object]) -> None:
    """Write down what is otherwise about a dish."""
    if values:
        await session.execute(update(MenuItem).where(col(MenuItem.id) == item_id).values(**values))


async def add_stock(session: AsyncSession, item_id: UUID, portions: int) -> bool:
    """Count so many portions more of a dish, or (below nothing) fewer, whatever is ordered
    meanwhile; False where they are not counted, or there are not so many left.
    """
    changed = await session.execute(
        update(MenuItem)
        .where(col(MenuItem.id) == item_id, col(MenuItem.stock) >= -portions)
        .values(stock=MenuItem.stock + portions)  # type: ignore[operator]
        .returning(col(MenuItem.id))
    )
    return changed.first() is not None
