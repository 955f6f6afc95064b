"""Every SQL statement by which drivers get orders, by an offer or by hand, and give them back."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain import drivers
from domain.live import OfferEnd
from domain.order_status import WANTS_DRIVER, OrderStatus
from schema.messages.dispatch import Acceptance, Assignment, AssignmentStatus, Release, Taken
from schema.messages.order import Transition, Who
from schema.queries import admin, live_offers, live_orders, locks
from schema.queries.driver_records import load
from schema.queries.offers import LIVE, OfferGone
from schema.tables import DispatchSearch, Driver, DriverAssignment, Order

# A row as it was when a statement began.
_Before = aliased(DriverAssignment)


async def accept(session: AsyncSession, yes: Acceptance) -> None:
    """Let a driver have the orders of an offer, all of them, or find that he has them by it.

    One conditional UPDATE decides. Raises OfferGone when the offer is not open any more, or the
    driver has been given too much meanwhile.
    """
    open_rows = (
        col(DriverAssignment.offer_id) == yes.offer_id,
        col(DriverAssignment.status) == AssignmentStatus.OFFERED,
    )
    await locks.orders_of(session, *open_rows)
    vehicle = await locks.driver(session, yes.driver_id, yes.at)
    if vehicle is None:
        # He may have been suspended while the offer was on its way to him.
        if await _has_it(session, yes):
            return
        raise OfferGone(f"driver {yes.driver_id} may not deliver")
    await locks.assignments(session, *open_rows)
    accepted = await session.scalars(
        update(DriverAssignment)
        .where(
            *open_rows,
            col(DriverAssignment.driver_id) == yes.driver_id,
            col(DriverAssignment.expires_at) >= yes.at,
        )
        .values(status=AssignmentStatus.ACCEPTED, responded_at=yes.at)
        .returning(col(DriverAssignment.order_id))
    )
    order_ids = accepted.all()
    if not order_ids and await _has_it(session, yes):
        return
    if yes.order_id not in order_ids:
        raise OfferGone(f"offer {yes.offer_id} is not open")
    if yes.capacity is not None:
        others = await load(session, yes.driver_id, beside=order_ids)
        if others + len(order_ids) > drivers.capacity(vehicle, yes.capacity):
            raise OfferGone(f"driver {yes.driver_id} has his hands full")
    await _give(session, yes.driver_id, order_ids, yes.at)


async def take(session: AsyncSession, step: Transition) -> None:
    """Let a driver have the order of `step`: by the offer it names, or by an operator's hand.

    Raises OfferGone when the offer is not open any more.
    """
    driver_id = step.changes.driver_id
    if driver_id is None:
        raise ValueError(f"step {step.sequence} of order {step.order_id} names no driver")
    if step.offer_id is None:
        await _end(session, step.order_id, step.by, step.at, step.reason, why=OfferEnd.WITHDRAWN)
        await _assign(session, step.order_id, driver_id, step.at, step.reason)
        return
    await accept(
        session,
        Acceptance(
            order_id=step.order_id,
            offer_id=step.offer_id,
            driver_id=driver_id,
            capacity=step.capacity,
            at=step.at,
        ),
    )


async def with_bonus(session: AsyncSession, step: Transition) -> Transition:
    """The step that gives an order to a driver, with the bonus of the offer that it takes."""
    if step.offer_id is None:
        return step
    cents = await session.scalar(
        select(col(DriverAssignment.bonus_cents)).where(
            col(DriverAssignment.offer_id) == step.offer_id,
            col(DriverAssignment.order_id) == step.order_id,
        )
    )
    changes = step.changes.model_copy(update={"driver_bonus_cents": cents})
    return step.model_copy(update={"changes": changes})


async def release(session: AsyncSession, step: Transition) -> None:
    """End whatever offer or assignment the order of `step` still has."""
    is_cancelled = step.to is OrderStatus.CANCELLED
    why = OfferEnd.ORDER_CANCELLED if is_cancelled else OfferEnd.WITHDRAWN
    await _end(session, step.order_id, step.by, step.at, step.reason, why=why)
    if step.to is OrderStatus.READY_FOR_PICKUP:
        await _search_anew(session, step.order_id, step.at)


async def assign_early(session: AsyncSession, given: Assignment) -> Taken | None:
    """Give an order whose food is not ready yet to a driver by hand; None when it got ready.

    Repeated, it finds itself done.
    """
    order = await session.scalar(
        select(Order).where(col(Order.id) == given.order_id).with_for_update(key_share=True)
    )
    if order is None or order.status is not OrderStatus.PREPARING:
        return None
    had = order.driver_id
    if had != given.driver_id:
        await _end(
            session, given.order_id, given.by, given.at, given.reason, why=OfferEnd.WITHDRAWN
        )
        await _assign(session, given.order_id, given.driver_id, given.at, given.reason)
        await _give(session, given.driver_id, [given.order_id], given.at)
        if had is not None:
            await live_orders.taken_back(session, given.order_id, had, given.at)
        await admin.note_early(session, given, "order_assigned_early", had)
    return await taken(session, given.order_id)


async def release_early(session: AsyncSession, back: Release) -> None:
    """Take an order whose food is not ready yet back from the driver who has it, if he has."""
    released = await session.execute(
        update(Order)
        .where(
            col(Order.id) == back.order_id,
            col(Order.driver_id) == back.driver_id,
            col(Order.status).in_(WANTS_DRIVER),
        )
        .values(
            driver_id=None,
            estimated_pickup_at=back.changes.estimated_pickup_at,
            estimated_delivery_at=back.changes.estimated_delivery_at,
        )
        .returning(col(Order.id))
    )
    if released.first() is None:
        return
    await _end(session, back.order_id, back.by, back.at, back.reason, why=OfferEnd.WITHDRAWN)
    await _search_anew(session, back.order_id, back.at)
    cause = f"released:{back.at.isoformat()}"
    await live_orders.taken_back(session, back.order_id, back.driver_id, back.at)
    await live_orders.expected_anew(session, back.order_id, cause=cause, at=back.at)
    await admin.note_early(session, back, "order_unassigned_early", back.driver_id)


async def taken(session: AsyncSession, order_id: UUID) -> Taken | None:
    """Who has an order, and by which offer."""
    found = await session.execute(
        select(DriverAssignment, col(Driver.user_id))
        .join(Driver, col(Driver.id) == col(DriverAssignment.driver_id))
        .where(
            col(DriverAssignment.order_id) == order_id,
            col(DriverAssignment.status) == AssignmentStatus.ACCEPTED,
        )
    )
    row = found.first()
    return None if row is None else taken_by(*row)


def taken_by(row: DriverAssignment, user_id: UUID) -> Taken:
    """Who has an order by an offer that he has accepted."""
    return Taken(
        driver_id=row.driver_id,
        user_id=user_id,
        offer_id=row.offer_id,
        pickup_at=row.estimated_pickup_time,
        delivery_at=row.estimated_delivery_time,
    )


async def _has_it(session: AsyncSession, yes: Acceptance) -> bool:
    found = await session.scalar(
        select(col(DriverAssignment.id)).where(
            col(DriverAssignment.order_id) == yes.order_id,
            col(DriverAssignment.driver_id) == yes.driver_id,
            col(DriverAssignment.offer_id) == yes.offer_id,
            col(DriverAssignment.status) == AssignmentStatus.ACCEPTED,
        )
    )
    return found is not None


async def _give(
    session: AsyncSession, driver_id: UUID, order_ids: Collection[UUID], at: datetime
) -> None:
    """Let the driver see the orders as his, and everybody when he is expected. One that is given to
    him by a step of its own is his already.
    """
    given = await session.scalars(
        update(Order)
        .where(
            col(Order.id).in_(order_ids),
            col(Order.status).in_(WANTS_DRIVER),
            col(DriverAssignment.order_id) == col(Order.id),
            col(DriverAssignment.status) == AssignmentStatus.ACCEPTED,
        )
        .values(
            driver_id=driver_id,
            estimated_pickup_at=func.greatest(
                Order.estimated_ready_at, DriverAssignment.estimated_pickup_time
            ),
            estimated_delivery_at=func.coalesce(
                DriverAssignment.estimated_delivery_time, Order.estimated_delivery_at
            ),
        )
        .returning(col(Order.id))
        .execution_options(synchronize_session=False)
    )
    await live_orders.given(session, given.all(), at)


async def _end(
    session: AsyncSession,
    order_id: UUID,
    by: Who,
    at: datetime,
    reason: str | None,
    *,
    why: OfferEnd,
) -> None:
    """End what an order has of offer or assignment; an offer is withdrawn with all its orders, and
    its driver told `why`.
    """
    own = col(DriverAssignment.order_id) == order_id
    is_open = col(DriverAssignment.status) == AssignmentStatus.OFFERED
    with_it = col(DriverAssignment.offer_id).in_(
        select(col(DriverAssignment.offer_id)).where(own, is_open)
    )
    await locks.assignments(session, (own | with_it) & col(DriverAssignment.status).in_(LIVE))
    await session.execute(
        update(DriverAssignment)
        .where(~own, with_it, is_open)
        .values(status=AssignmentStatus.WITHDRAWN, reason=reason, responded_at=at)
        .execution_options(synchronize_session=False)
    )
    ended = await session.execute(
        update(DriverAssignment)
        .where(
            own,
            col(DriverAssignment.status).in_(LIVE),
            col(_Before.id) == col(DriverAssignment.id),
        )
        .values(status=AssignmentStatus.CANCELLED, ended_by=by.role, reason=reason, responded_at=at)
        .returning(col(DriverAssignment.offer_id), col(_Before.status))
        .execution_options(synchronize_session=False)
    )
    was_open = {offer_id for offer_id, was in ended if was is AssignmentStatus.OFFERED}
    await live_offers.ended(session, was_open, why, at)


async def _search_anew(session: AsyncSession, order_id: UUID, at: datetime) -> None:
    await session.execute(
        update(DispatchSearch).where(col(DispatchSearch.order_id) == order_id).values(joined_at=at)
    )


async def _assign(
    session: AsyncSession, order_id: UUID, driver_id: UUID, at: datetime, reason: str | None
) -> None:
    row_id = uuid7()
    await session.execute(
        insert(DriverAssignment).values(
            id=row_id,
            offer_id=row_id,
            stop=1,
            order_id=order_id,
            driver_id=driver_id,
            status=AssignmentStatus.ACCEPTED,
            distance_km=0,
            bonus_cents=0,
            why={},
            reason=reason,
            offered_at=at,
            expires_at=at,
            responded_at=at,
        )
    )
