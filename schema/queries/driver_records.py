"""Every SQL statement about what drivers have in hand, and how they have done."""

from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.driver_performance import LAST_OFFERS, Asked
from domain.order_status import IN_HAND, Actor, OrderStatus
from schema.messages.dispatch import AssignmentStatus
from schema.tables import Driver, DriverAssignment, Order

# Room for offers of several orders, and for what operators gave by hand.
MOST_ROWS = 2 * LAST_OFFERS

_ANSWERED = (AssignmentStatus.ACCEPTED, AssignmentStatus.DECLINED, AssignmentStatus.EXPIRED)
_DELIVERED = (OrderStatus.DELIVERED, OrderStatus.DISPUTED, OrderStatus.REFUNDED)


class Work(NamedTuple):
    """How many orders a driver has in hand, and how many he has ever delivered."""

    load: int = 0
    deliveries: int = 0


async def work(session: AsyncSession, driver_ids: Collection[UUID]) -> dict[UUID, Work]:
    """The work of each driver who ever had an order; one statement."""
    found = await session.execute(
        select(
            col(Order.driver_id),
            func.count().filter(col(Order.status).in_(IN_HAND)),
            func.count().filter(col(Order.status).in_(_DELIVERED)),
        )
        .where(
            col(Order.driver_id).in_(driver_ids),
            col(Order.status).in_([*IN_HAND, *_DELIVERED]),
        )
        .group_by(col(Order.driver_id))
    )
    return {row[0]: Work(row[1], row[2]) for row in found if row[0] is not None}


async def load(session: AsyncSession, driver_id: UUID, beside: Collection[UUID] = ()) -> int:
    """How many orders a driver has in hand, or is on the way to, `beside` those."""
    found = await session.execute(
        select(func.count())
        .select_from(Order)
        .where(
            col(Order.driver_id) == driver_id,
            col(Order.status).in_(IN_HAND),
            col(Order.id).not_in(beside),
        )
    )
    return found.scalar_one()


async def asked(session: AsyncSession, driver_ids: Collection[UUID]) -> dict[UUID, list[Asked]]:
    """What each driver was last asked or told to bring, the latest first; one statement.

    What was withdrawn before he answered, or cancelled by others afterwards, is left out.
    """
    given_back = and_(
        col(DriverAssignment.status) == AssignmentStatus.CANCELLED,
        col(DriverAssignment.ended_by) == Actor.DRIVER,
    )
    recent = (
        select(
            col(DriverAssignment.offer_id).label("offer"),
            col(DriverAssignment.order_id),
            col(DriverAssignment.status),
            col(DriverAssignment.offered_at),
            col(DriverAssignment.expires_at),
            col(DriverAssignment.estimated_pickup_time),
        )
        .where(
            col(DriverAssignment.driver_id) == col(Driver.id),
            or_(
                col(DriverAssignment.status).in_(_ANSWERED),
                given_back,
            ),
        )
        .order_by(col(DriverAssignment.offered_at).desc())
        .limit(MOST_ROWS)
        .lateral()
    )
    found = await session.execute(
        select(
            col(Driver.id),
            recent.c.offer,
            recent.c.status,
            # An operator's word is not open for an answer.
            (recent.c.expires_at == recent.c.offered_at).label("by_hand"),
            recent.c.estimated_pickup_time,
            col(Order.prepared_at),
            col(Order.picked_up_at),
            col(Order.estimated_delivery_at),
            col(Order.delivered_at),
        )
        .select_from(Driver)
        .join(recent, true())
        .join(Order, col(Order.id) == recent.c.order_id)
        .where(col(Driver.id).in_(driver_ids))
        .order_by(col(Driver.id), recent.c.offered_at.desc(), recent.c.offer)
    )
    records: defaultdict[UUID, list[Asked]] = defaultdict(list)
    for driver_id, offer, status, by_hand, pickup, prepared, picked_up, due, delivered in found:
        kept = status is AssignmentStatus.ACCEPTED
        records[driver_id].append(
            Asked(
                offer=offer,
                accepted=kept or status is AssignmentStatus.CANCELLED,
                by_hand=by_hand,
                given_back=status is AssignmentStatus.CANCELLED,
                # Who did not take the order, or gave it back, has no share in how it went on.
                pickup_due=pickup,
                prepared_at=prepared,
                picked_up_at=picked_up if kept else None,
                delivery_due=due,
                delivered_at=delivered if kept else None,
            )
        )
    return records
