"""Every SQL statement about offers to drivers, and about who has which order in hand.

All rows of an offer stand or fall together as long as nobody has answered it; once it is accepted,
each order goes its own way.

Whoever locks several rows does it in this sequence, so that no two wait for each other: orders,
drivers, assignments, searches, each by id. (An order's workflow comes with its own order locked,
and its driver's answer through the first order of the offer only.) A zone that makes an offer has
the driver first, and does not wait for orders.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain import drivers
from domain.drivers import Vehicle
from domain.order_status import WANTS_DRIVER, WITH_DRIVER, OrderStatus
from schema.messages.dispatch import (
    Acceptance,
    Assignment,
    AssignmentStatus,
    Decline,
    Offer,
    Release,
    Taken,
)
from schema.messages.order import Transition, Who
from schema.queries import admin, driver_profiles
from schema.tables import DispatchSearch, Driver, DriverAssignment, Order

_LIVE = (AssignmentStatus.OFFERED, AssignmentStatus.ACCEPTED)
# Who said no, dropped out, or was passed over by an operator.
NOT_AGAIN = (AssignmentStatus.DECLINED, AssignmentStatus.CANCELLED)
# What a driver made of an offer by himself.
_ANSWERS = (AssignmentStatus.ACCEPTED, AssignmentStatus.DECLINED, AssignmentStatus.EXPIRED)
# An order with a driver in one of these is one that he has in hand.
IN_HAND = WITH_DRIVER | WANTS_DRIVER


class OfferGone(Exception):
    """The offer was withdrawn, has expired, or never was this driver's."""


class NotOffered(Exception):
    """An offer cannot be made: in the meantime the driver or an order is not to be had any more."""


class NewStop(NamedTuple):
    """An order to be offered: how far from the driver its kitchen is, when he would be where."""

    order_id: UUID
    distance_km: float
    pickup_at: datetime
    delivery_at: datetime


class NewOffer(NamedTuple):
    """Orders to be offered to a driver together, in this sequence, and why him."""

    driver_id: UUID
    stops: Sequence[NewStop]
    why: Mapping[str, float]
    at: datetime
    expires_at: datetime


class Expired(NamedTuple):
    """An offer that its driver has let pass, and its first order."""

    offer_id: UUID
    driver_id: UUID
    order_id: UUID


async def live_offer(session: AsyncSession, order_id: UUID) -> Offer | None:
    """The offer of this order that waits for an answer."""
    row = await session.scalar(
        select(DriverAssignment).where(
            col(DriverAssignment.order_id) == order_id,
            col(DriverAssignment.status) == AssignmentStatus.OFFERED,
        )
    )
    if row is None:
        return None
    return Offer(
        id=row.offer_id,
        driver_id=row.driver_id,
        distance_km=row.distance_km,
        expires_at=row.expires_at,
    )


async def offer(session: AsyncSession, new: NewOffer, capacity: int) -> UUID:
    """Make an offer, whole or not at all; its id.

    Raises NotOffered, after which the transaction must not be committed: the driver went off duty,
    was offered something else or would have more than `capacity` orders in hand, or an order is not
    looked for any more, is kept back, or was offered to another.
    """
    order_ids = [stop.order_id for stop in new.stops]
    vehicle = await _locked(session, new.driver_id, new.at, on_duty=True)
    if vehicle is None or not await _has_ears(session, new.driver_id, order_ids):
        raise NotOffered("the driver is not to be asked")
    most = drivers.capacity(vehicle, capacity)
    if await load(session, new.driver_id) + len(order_ids) > most:
        raise NotOffered("the driver has his hands full")
    bonuses = await _wanted(session, order_ids, new.at)
    if len(bonuses) < len(order_ids):
        raise NotOffered("an order is not looked for any more")
    ids = [uuid7() for _ in order_ids]
    made = await session.execute(
        insert(DriverAssignment)
        .values(
            [
                {
                    "id": row_id,
                    "offer_id": ids[0],
                    "stop": number,
                    "order_id": stop.order_id,
                    "driver_id": new.driver_id,
                    "status": AssignmentStatus.OFFERED,
                    "distance_km": stop.distance_km,
                    "bonus_cents": bonuses[stop.order_id],
                    "why": dict(new.why),
                    "estimated_pickup_time": stop.pickup_at,
                    "estimated_delivery_time": stop.delivery_at,
                    "offered_at": new.at,
                    "expires_at": new.expires_at,
                }
                for number, (row_id, stop) in enumerate(zip(ids, new.stops, strict=True), start=1)
            ]
        )
        .on_conflict_do_nothing()
        .returning(col(DriverAssignment.id))
    )
    if len(made.all()) < len(order_ids):
        raise NotOffered("an order was offered to another driver")
    return ids[0]


async def accept(session: AsyncSession, yes: Acceptance) -> None:
    """Let a driver have the orders of an offer, all of them, or find that he has them by it.

    One conditional UPDATE decides. Raises OfferGone when the offer is not open any more, or the
    driver has been given too much meanwhile.
    """
    open_rows = (
        col(DriverAssignment.offer_id) == yes.offer_id,
        col(DriverAssignment.status) == AssignmentStatus.OFFERED,
    )
    await _lock_orders(session, *open_rows)
    vehicle = await _locked(session, yes.driver_id, yes.at)
    if vehicle is None:
        # He may have been suspended while the offer was on its way to him.
        if await _has_it(session, yes):
            return
        raise OfferGone(f"driver {yes.driver_id} may not deliver")
    await _lock(session, *open_rows)
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
    await _give(session, yes.driver_id, order_ids)


async def decline(session: AsyncSession, no: Decline) -> list[UUID]:
    """Note that a driver leaves the orders of an offer to others, or find it noted; which they are.

    Raises OfferGone when it did not wait for his answer any more.
    """
    of_this_offer = (
        col(DriverAssignment.offer_id) == no.offer_id,
        col(DriverAssignment.driver_id) == no.driver_id,
    )
    await _lock(session, *of_this_offer)
    await session.execute(
        update(DriverAssignment)
        .where(*of_this_offer, col(DriverAssignment.status) == AssignmentStatus.OFFERED)
        .values(status=AssignmentStatus.DECLINED, reason=no.reason, responded_at=no.at)
    )
    declined = await session.scalars(
        select(col(DriverAssignment.order_id))
        .where(*of_this_offer, col(DriverAssignment.status) == AssignmentStatus.DECLINED)
        .order_by(col(DriverAssignment.stop))
    )
    order_ids = list(declined)
    if not order_ids:
        raise OfferGone(f"offer {no.offer_id} is not open")
    return order_ids


async def expire(session: AsyncSession, order_ids: Collection[UUID], at: datetime) -> list[Expired]:
    """End the offers of these orders that nobody has answered in time.

    Their drivers stay as they are until this transaction ends.
    """
    open_rows = col(DriverAssignment.status) == AssignmentStatus.OFFERED
    due = select(col(DriverAssignment.offer_id)).where(
        col(DriverAssignment.order_id).in_(order_ids),
        open_rows,
        col(DriverAssignment.expires_at) <= at,
    )
    asked = select(col(DriverAssignment.driver_id)).where(col(DriverAssignment.offer_id).in_(due))
    await session.execute(
        select(col(Driver.id))
        .where(col(Driver.id).in_(asked))
        .order_by(col(Driver.id))
        .with_for_update(key_share=True)
    )
    those = await _lock(session, col(DriverAssignment.offer_id).in_(due), open_rows)
    ended = await session.execute(
        update(DriverAssignment)
        .where(col(DriverAssignment.id).in_(those))
        .values(status=AssignmentStatus.EXPIRED, responded_at=at)
        .returning(
            col(DriverAssignment.offer_id),
            col(DriverAssignment.driver_id),
            col(DriverAssignment.order_id),
            col(DriverAssignment.stop),
        )
        .execution_options(synchronize_session=False)
    )
    return [Expired(*row[:3]) for row in ended if row.stop == 1]


async def withdraw(
    session: AsyncSession,
    order_id: UUID,
    at: datetime,
    reason: str,
    *,
    unless_to: UUID | None = None,
) -> None:
    """Take back the offer of an order that nobody has answered yet, with all its orders, unless it
    is this driver's. He who had it may be asked again.
    """
    offered = select(col(DriverAssignment.offer_id)).where(
        col(DriverAssignment.order_id) == order_id,
        col(DriverAssignment.status) == AssignmentStatus.OFFERED,
        col(DriverAssignment.driver_id).is_distinct_from(unless_to),
    )
    those = await _lock(
        session,
        col(DriverAssignment.offer_id).in_(offered),
        col(DriverAssignment.status) == AssignmentStatus.OFFERED,
    )
    await session.execute(
        update(DriverAssignment)
        .where(col(DriverAssignment.id).in_(those))
        .values(status=AssignmentStatus.WITHDRAWN, reason=reason, responded_at=at)
        .execution_options(synchronize_session=False)
    )


async def forget(session: AsyncSession, expired_before: datetime) -> None:
    """End what was left open by a zone that is gone, so that its drivers can be asked again.

    In a transaction of its own, since it comes to offers without having their drivers.
    """
    those = await _lock(
        session,
        col(DriverAssignment.status) == AssignmentStatus.OFFERED,
        col(DriverAssignment.expires_at) < expired_before,
    )
    await session.execute(
        update(DriverAssignment)
        .where(col(DriverAssignment.id).in_(those))
        # It says nothing about the driver.
        .values(status=AssignmentStatus.WITHDRAWN, reason="forgotten")
    )


async def has_fallen_silent(session: AsyncSession, driver_id: UUID, offers: int) -> bool:
    """Whether a driver has let his last `offers` pass since he came on duty."""
    latest = await session.scalars(
        select(col(DriverAssignment.status))
        .join(Driver, col(Driver.id) == col(DriverAssignment.driver_id))
        .where(
            col(DriverAssignment.driver_id) == driver_id,
            col(DriverAssignment.stop) == 1,
            col(DriverAssignment.status).in_(_ANSWERS),
            or_(
                col(Driver.on_duty_since).is_(None),
                col(DriverAssignment.offered_at) >= col(Driver.on_duty_since),
            ),
        )
        .order_by(col(DriverAssignment.offered_at).desc(), col(DriverAssignment.id).desc())
        .limit(offers)
    )
    return list(latest) == [AssignmentStatus.EXPIRED] * offers


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


async def withdraw_all(
    session: AsyncSession, driver_id: UUID, *, reason: str, at: datetime
) -> None:
    """End every offer that waits for a driver's answer; its orders' zone asks others instead."""
    those = await _lock(
        session,
        col(DriverAssignment.driver_id) == driver_id,
        col(DriverAssignment.status) == AssignmentStatus.OFFERED,
    )
    await session.execute(
        update(DriverAssignment)
        .where(col(DriverAssignment.id).in_(those))
        .values(status=AssignmentStatus.CANCELLED, reason=reason, responded_at=at)
    )


async def take(session: AsyncSession, step: Transition) -> None:
    """Let a driver have the order of `step`: by the offer it names, or by an operator's hand.

    Raises OfferGone when the offer is not open any more.
    """
    driver_id = step.changes.driver_id
    if driver_id is None:
        raise ValueError(f"step {step.sequence} of order {step.order_id} names no driver")
    if step.offer_id is None:
        await _end(session, step.order_id, step.by, step.at, step.reason)
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
    await _end(session, step.order_id, step.by, step.at, step.reason)
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
    if order.driver_id != given.driver_id:
        await _end(session, given.order_id, given.by, given.at, given.reason)
        await _assign(session, given.order_id, given.driver_id, given.at, given.reason)
        await _give(session, given.driver_id, [given.order_id])
        await admin.note_early(session, given, "order_assigned_early", given.driver_id)
    return await taken(session, given.order_id)


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
    await _end(session, back.order_id, back.by, back.at, back.reason)
    await _search_anew(session, back.order_id, back.at)
    await admin.note_early(session, back, "order_unassigned_early", back.driver_id)


async def _has_ears(session: AsyncSession, driver_id: UUID, order_ids: Collection[UUID]) -> bool:
    """Whether a driver has nothing to answer, and has not said no to these orders."""
    asked = await session.scalar(
        select(
            exists().where(
                col(DriverAssignment.driver_id) == driver_id,
                or_(
                    col(DriverAssignment.status) == AssignmentStatus.OFFERED,
                    col(DriverAssignment.order_id).in_(order_ids)
                    & col(DriverAssignment.status).in_(NOT_AGAIN),
                ),
            )
        )
    )
    return not asked


async def _wanted(
    session: AsyncSession, order_ids: Collection[UUID], at: datetime
) -> dict[UUID, int]:
    """Which of the orders look for a driver, with their bonus; they go on looking until this
    transaction ends, and nobody else offers them. One that is being moved on or offered right now
    is not among them.
    """
    found = await session.execute(
        select(col(Order.id), col(DispatchSearch.bonus_cents))
        .join(DispatchSearch, col(DispatchSearch.order_id) == col(Order.id))
        .where(
            col(Order.id).in_(order_ids),
            col(Order.status).in_(WANTS_DRIVER),
            col(Order.driver_id).is_(None),
            or_(col(DispatchSearch.held_until).is_(None), col(DispatchSearch.held_until) <= at),
        )
        # Not in the way of whoever refers to these rows; only of whoever changes them.
        .with_for_update(key_share=True, of=(Order, DispatchSearch), skip_locked=True)
    )
    return {row[0]: row[1] for row in found}


async def _locked(
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


async def _lock(session: AsyncSession, *which: ColumnElement[bool]) -> list[UUID]:
    """Have assignments to oneself until this transaction ends; which they are."""
    found = await session.scalars(
        select(col(DriverAssignment.id))
        .where(*which)
        .order_by(col(DriverAssignment.id))
        .with_for_update(key_share=True)
    )
    return list(found)


async def _lock_orders(session: AsyncSession, *which: ColumnElement[bool]) -> None:
    """Have the orders of assignments to oneself until this transaction ends."""
    await session.execute(
        select(col(Order.id))
        .join(DriverAssignment, col(DriverAssignment.order_id) == col(Order.id))
        .where(*which)
        .order_by(col(Order.id))
        .with_for_update(key_share=True, of=Order)
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


async def _give(session: AsyncSession, driver_id: UUID, order_ids: Collection[UUID]) -> None:
    """Let the driver see the orders as his, and everybody when he is expected."""
    await session.execute(
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
        .execution_options(synchronize_session=False)
    )


async def _end(
    session: AsyncSession, order_id: UUID, by: Who, at: datetime, reason: str | None
) -> None:
    """End what an order has of offer or assignment; an offer is withdrawn with all its orders."""
    own = col(DriverAssignment.order_id) == order_id
    is_open = col(DriverAssignment.status) == AssignmentStatus.OFFERED
    with_it = col(DriverAssignment.offer_id).in_(
        select(col(DriverAssignment.offer_id)).where(own, is_open)
    )
    await _lock(session, (own | with_it) & col(DriverAssignment.status).in_(_LIVE))
    await session.execute(
        update(DriverAssignment)
        .where(~own, with_it, is_open)
        .values(status=AssignmentStatus.WITHDRAWN, reason=reason, responded_at=at)
        .execution_options(synchronize_session=False)
    )
    await session.execute(
        update(DriverAssignment)
        .where(own, col(DriverAssignment.status).in_(_LIVE))
        .values(status=AssignmentStatus.CANCELLED, ended_by=by.role, reason=reason, responded_at=at)
    )


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
