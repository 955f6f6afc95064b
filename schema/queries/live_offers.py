"""Every SQL statement about what drivers are told live of offers, with the transaction that makes
or ends them.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.live import OfferEnd
from schema import live_events
from schema.live_events import EndedOffer, MadeOffer
from schema.queries import outbox
from schema.tables import Chef, Driver, DriverAssignment, Order


async def made(session: AsyncSession, offer_id: UUID) -> None:
    """Have a driver told of the offer that he gets."""
    found = await session.execute(
        select(
            col(DriverAssignment.order_id),
            col(Driver.user_id),
            col(Chef.business_name),
            col(DriverAssignment.distance_km),
            col(DriverAssignment.bonus_cents),
            col(DriverAssignment.offered_at),
            col(DriverAssignment.expires_at),
        )
        .join(Driver, col(Driver.id) == col(DriverAssignment.driver_id))
        .join(Order, col(Order.id) == col(DriverAssignment.order_id))
        .join(Chef, col(Chef.id) == col(Order.chef_id))
        .where(col(DriverAssignment.offer_id) == offer_id)
        .order_by(col(DriverAssignment.stop))
    )
    rows = found.all()
    _, user_id, kitchen_name, distance_km, _, offered_at, expires_at = rows[0]
    told = MadeOffer(
        offer_id=offer_id,
        order_ids=[row.order_id for row in rows],
        driver_user_id=user_id,
        kitchen_name=kitchen_name,
        distance_km=distance_km,
        bonus_cents=sum(row.bonus_cents for row in rows),
        offered_at=offered_at,
        expires_at=expires_at,
    )
    await outbox.put(session, live_events.offer(told))


async def ended(
    session: AsyncSession, offer_ids: Collection[UUID], why: OfferEnd, at: datetime
) -> None:
    """Have drivers told of offers that wait for them no more."""
    if not offer_ids:
        return
    found = await session.execute(
        select(col(DriverAssignment.offer_id), col(DriverAssignment.order_id), col(Driver.user_id))
        .join(Driver, col(Driver.id) == col(DriverAssignment.driver_id))
        .where(col(DriverAssignment.offer_id).in_(offer_ids), col(DriverAssignment.stop) == 1)
        .order_by(col(DriverAssignment.offer_id))
    )
    events = [live_events.offer_withdrawn(EndedOffer(*row), why, at) for row in found]
    await outbox.put(session, *events)
