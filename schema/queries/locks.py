"""Rows that one transaction has to itself until it ends.

Whoever locks several does it in this sequence, so that no two wait for each other: carts, orders,
drivers, assignments, searches, dishes, reviews, chefs, the day's order number, promo codes, the
ratings of drivers, each by id. (An order's workflow comes with its own order locked, and its
driver's answer through the first order of the offer only.) A zone that makes an offer has the
driver first, and does not wait for orders. Nobody who rates a driver locks anything after him.

Dishes and chefs are locked so that rows which refer to them can still be written.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.drivers import Vehicle
from schema.queries import driver_profiles
from schema.tables import Chef, Driver, DriverAssignment, MenuItem, Order


async def driver(
    session: AsyncSession, driver_id: UUID, at: datetime, *, on_duty: bool = False
) -> Vehicle | None:
    """What a driver drives who may deliver (and is on duty, if that counts), None if he may not;
    it stays so until this transaction ends.
    """
    return await session.scalar(
        select(col(Driver.vehicle_type))
        .where(
            col(Driver.id) == driver_id,
            driver_profiles.may_deliver(at.date()),
            col(Driver.is_available) | (not on_duty),
        )
        .with_for_update(key_share=True)
    )


async def assignments(session: AsyncSession, *which: ColumnElement[bool]) -> list[UUID]:
    """Have assignments to oneself until this transaction ends; which they are."""
    found = await session.scalars(
        select(col(DriverAssignment.id))
        .where(*which)
        .order_by(col(DriverAssignment.id))
        .with_for_update(key_share=True)
    )
    return list(found)


async def orders_of(session: AsyncSession, *which: ColumnElement[bool]) -> None:
    """Have the orders of assignments to oneself until this transaction ends."""
    await session.execute(
        select(col(Order.id))
        .join(DriverAssignment, col(DriverAssignment.order_id) == col(Order.id))
        .where(*which)
        .order_by(col(Order.id))
        .with_for_update(key_share=True, of=Order)
    )


async def counted_dishes(session: AsyncSession, item_ids: Collection[UUID]) -> Sequence[MenuItem]:
    """Those of the dishes whose portions are counted, as they are now; they stay so until this
    transaction ends.
    """
    found = await session.scalars(
        select(MenuItem)
        .where(col(MenuItem.id).in_(item_ids), col(MenuItem.stock).is_not(None))
        .order_by(col(MenuItem.id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def limited_kitchen(session: AsyncSession, chef_id: UUID) -> Chef | None:
    """A chef whose kitchen takes so many orders at once: nobody else takes a place in it until this
    transaction ends. None when it has no limit.
    """
    return await session.scalar(
        select(Chef)
        .where(col(Chef.id) == chef_id, col(Chef.capacity).is_not(None))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
