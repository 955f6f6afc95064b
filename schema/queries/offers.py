"""Every SQL statement by which orders are offered to drivers, and offers end without a yes.

All rows of an offer stand or fall together as long as nobody has answered it; once it is accepted,
each order goes its own way (assignments.py).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain import drivers
from domain.live import OfferEnd
from domain.order_status import WANTS_DRIVER
from schema.messages.dispatch import AssignmentStatus, Decline, Offer
from schema.queries import live_offers, locks
from schema.queries.driver_records import load
from schema.tables import DispatchSearch, Driver, DriverAssignment, Order
from schema.tables.columns import now

# An order has one such assignment at most.
LIVE = (AssignmentStatus.OFFERED, AssignmentStatus.ACCEPTED)
# Who said no, dropped out, or was passed over by an operator.
NOT_AGAIN = (AssignmentStatus.DECLINED, AssignmentStatus.CANCELLED)
# What a driver made of an offer by himself.
_ANSWERS = (AssignmentStatus.ACCEPTED, AssignmentStatus.DECLINED, AssignmentStatus.EXPIRED)


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
    vehicle = await locks.driver(session, new.driver_id, new.at, on_duty=True)
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
    await live_offers.made(session, ids[0])
    return ids[0]


async def decline(session: AsyncSession, no: Decline) -> list[UUID]:
    """Note that a driver leaves the orders of an offer to others, or find it noted; which they are.

    Raises OfferGone when it did not wait for his answer any more.
    """
    of_this_offer = (
        col(DriverAssignment.offer_id) == no.offer_id,
        col(DriverAssignment.driver_id) == no.driver_id,
    )
    await locks.assignments(session, *of_this_offer)
    ended = await session.scalars(
        update(DriverAssignment)
        .where(*of_this_offer, col(DriverAssignment.status) == AssignmentStatus.OFFERED)
        .values(status=AssignmentStatus.DECLINED, reason=no.reason, responded_at=no.at)
        .returning(col(DriverAssignment.offer_id))
    )
    await live_offers.ended(session, set(ended), OfferEnd.DECLINED, no.at)
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
    those = await locks.assignments(session, col(DriverAssignment.offer_id).in_(due), open_rows)
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
    expired = [Expired(*row[:3]) for row in ended if row.stop == 1]
    await live_offers.ended(session, {one.offer_id for one in expired}, OfferEnd.EXPIRED, at)
    return expired


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
    those = await locks.assignments(
        session,
        col(DriverAssignment.offer_id).in_(offered),
        col(DriverAssignment.status) == AssignmentStatus.OFFERED,
    )
    ended = await session.scalars(
        update(DriverAssignment)
        .where(col(DriverAssignment.id).in_(those))
        .values(status=AssignmentStatus.WITHDRAWN, reason=reason, responded_at=at)
        .returning(col(DriverAssignment.offer_id))
        .execution_options(synchronize_session=False)
    )
    await live_offers.ended(session, set(ended), OfferEnd.WITHDRAWN, at)


async def withdraw_all(
    session: AsyncSession, driver_id: UUID, *, reason: str, at: datetime
) -> list[UUID]:
    """End every offer that waits for the answer of a driver who is off duty now; for which orders
    to ask others.
    """
    those = await locks.assignments(
        session,
        col(DriverAssignment.driver_id) == driver_id,
        col(DriverAssignment.status) == AssignmentStatus.OFFERED,
    )
    ended = await session.execute(
        update(DriverAssignment)
        .where(col(DriverAssignment.id).in_(those))
        .values(status=AssignmentStatus.CANCELLED, reason=reason, responded_at=at)
        .returning(col(DriverAssignment.offer_id), col(DriverAssignment.order_id))
    )
    withdrawn = ended.all()
    await live_offers.ended(session, {row.offer_id for row in withdrawn}, OfferEnd.OFF_DUTY, at)
    return [row.order_id for row in withdrawn]


async def forget(session: AsyncSession, expired_before: datetime) -> None:
    """End what was left open by a zone that is gone, so that its drivers can be asked again.

    In a transaction of its own, since it comes to offers without having their drivers.
    """
    those = await locks.assignments(
        session,
        col(DriverAssignment.status) == AssignmentStatus.OFFERED,
        col(DriverAssignment.expires_at) < expired_before,
    )
    ended = await session.scalars(
        update(DriverAssignment)
        .where(col(DriverAssignment.id).in_(those))
        # It says nothing about the driver.
        .values(status=AssignmentStatus.WITHDRAWN, reason="forgotten")
        .returning(col(DriverAssignment.offer_id))
    )
    await live_offers.ended(session, set(ended), OfferEnd.EXPIRED, now())


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
