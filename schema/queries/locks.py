"""Rows about drivers and their orders that one transaction has to itself until it ends.

Whoever locks several does it in this sequence, so that no two wait for each other: orders, drivers,
assignments, searches, each by id. (An order's workflow comes with its own order locked, and its
driver's answer through the first order of the offer only.) A zone that makes an offer has the
driver first, and does not wait for orders.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.drivers import Vehicle
from schema.queries import driver_profiles
from schema.tables import Driver, DriverAssignment, Order


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
