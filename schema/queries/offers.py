"""Every SQL statement about offers to drivers."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, exists, func, not_, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain import eta
from domain.geo import ROAD_FACTOR, Point
from domain.order_status import WITH_DRIVER, OrderStatus
from schema.messages.dispatch import AssignmentStatus, Offer, OfferSearch, Withdrawal
from schema.messages.order import Transition
from schema.queries import driver_profiles
from schema.tables import Driver, DriverAssignment, Order

_LIVE = (AssignmentStatus.OFFERED, AssignmentStatus.ACCEPTED)
# Who said no, dropped out, or was passed over by an operator.
_NOT_AGAIN = (AssignmentStatus.DECLINED, AssignmentStatus.CANCELLED)


class OfferGone(Exception):
    """The offer was withdrawn, has expired, or never was this driver's."""


class Free(NamedTuple):
    """A driver who may be asked: rating 0-5, orders in hand, and where he was last seen."""

    driver_id: UUID
    rating: float
    load: int
    latitude: float
    longitude: float

    @property
    def seen_at(self) -> Point:
        """Where the driver was last seen."""
        return Point(self.latitude, self.longitude)


async def is_wanted(session: AsyncSession, order_id: UUID) -> bool:
    """Whether an order waits for a driver; it goes on waiting until this transaction ends."""
    status = await session.scalar(
        select(col(Order.status)).where(col(Order.id) == order_id).with_for_update(read=True)
    )
    return status is OrderStatus.READY_FOR_PICKUP


async def clear_stale(session: AsyncSession, expired_before: datetime) -> None:
    """Expire what was forgotten open, so that its drivers can be asked again."""
    await session.execute(
        update(DriverAssignment)
        .where(
            col(DriverAssignment.status) == AssignmentStatus.OFFERED,
            col(DriverAssignment.expires_at) < expired_before,
        )
        .values(status=AssignmentStatus.EXPIRED, reason="forgotten")
    )


async def live_offer(session: AsyncSession, order_id: UUID) -> Offer | None:
    """The offer of this order that waits for an answer."""
    row = await session.scalar(
        select(DriverAssignment).where(
            col(DriverAssignment.order_id) == order_id,
            col(DriverAssignment.status) == AssignmentStatus.OFFERED,
        )
    )
    return None if row is None else _offer(row)


async def free_among(
    session: AsyncSession, drivers: Collection[UUID], search: OfferSearch, capacity: int
) -> list[Free]:
    """Which of `drivers` may be asked to take this order."""
    found = await session.execute(_free(search, capacity).where(col(Driver.id).in_(drivers)))
    return [Free(*row) for row in found]


async def free_within(
    session: AsyncSession, search: OfferSearch, capacity: int, seen_since: datetime
) -> list[Free]:
    """Who may be asked among the drivers that this database last saw within the radius."""
    metres = search.radius_km * 1000
    kitchen = func.ll_to_earth(search.kitchen.latitude, search.kitchen.longitude)
    place = func.ll_to_earth(Driver.current_latitude, Driver.current_longitude)
    found = await session.execute(
        _free(search, capacity).where(
            col(Driver.located_at) >= seen_since,
            # The box is what the index knows; its corners are further away than the radius.
            func.earth_box(kitchen, metres).op("@>")(place),
            func.earth_distance(kitchen, place) <= metres,
        )
    )
    return [Free(*row) for row in found]


async def offer(
    session: AsyncSession, search: OfferSearch, driver_id: UUID, distance_km: float
) -> Offer | None:
    """Make an offer, or None when the driver was offered another order in the meantime."""
    made = await session.execute(
        insert(DriverAssignment)
        .values(
            id=uuid7(),
            order_id=search.order_id,
            driver_id=driver_id,
            status=AssignmentStatus.OFFERED,
            distance_km=distance_km,
            estimated_pickup_time=eta.pickup_time(
                search.at, search.ready_at, search.city.drive(distance_km * ROAD_FACTOR)
            ),
            offered_at=search.at,
            expires_at=search.at + search.lasts,
        )
        .on_conflict_do_nothing()
        .returning(DriverAssignment)
    )
    row = made.scalar_one_or_none()
    return None if row is None else _offer(row)


async def withdraw(session: AsyncSession, ending: Withdrawal) -> bool:
    """End an offer that waits for an answer; False when it no longer did."""
    ended = await session.execute(
        update(DriverAssignment)
        .where(
            col(DriverAssignment.id) == ending.offer_id,
            col(DriverAssignment.status) == AssignmentStatus.OFFERED,
        )
        .values(status=ending.status, reason=ending.reason, responded_at=ending.at)
        .returning(col(DriverAssignment.id))
    )
    return ended.first() is not None


async def withdraw_all(
    session: AsyncSession, driver_id: UUID, *, reason: str, at: datetime
) -> None:
    """End every offer that waits for a driver's answer.

    Whoever waits for one learns of it when it would have expired, and asks the next.
    """
    await session.execute(
        update(DriverAssignment)
        .where(
            col(DriverAssignment.driver_id) == driver_id,
            col(DriverAssignment.status) == AssignmentStatus.OFFERED,
        )
        .values(status=AssignmentStatus.CANCELLED, reason=reason, responded_at=at)
    )


async def take(session: AsyncSession, step: Transition) -> None:
    """Let a driver have the order of `step`: by the offer it names, or by an operator's hand.

    One conditional UPDATE decides; raises OfferGone when the offer is not open any more.
    """
    if step.offer_id is None:
        await release(session, step)
        await _assign(session, step)
        return
    taken = await session.execute(
        update(DriverAssignment)
        .where(
            col(DriverAssignment.id) == step.offer_id,
            col(DriverAssignment.driver_id) == step.changes.driver_id,
            col(DriverAssignment.status) == AssignmentStatus.OFFERED,
            # He may have been suspended while the offer was on its way to him.
            exists().where(
                col(Driver.id) == col(DriverAssignment.driver_id),
                driver_profiles.may_deliver(step.at.date()),
            ),
        )
        .values(status=AssignmentStatus.ACCEPTED, responded_at=step.at)
        .returning(col(DriverAssignment.id))
    )
    if taken.first() is None:
        raise OfferGone(f"offer {step.offer_id} is not open")


async def release(session: AsyncSession, step: Transition) -> None:
    """End whatever offer or assignment the order of `step` still has."""
    await session.execute(
        update(DriverAssignment)
        .where(
            col(DriverAssignment.order_id) == step.order_id,
            col(DriverAssignment.status).in_(_LIVE),
        )
        .values(status=AssignmentStatus.CANCELLED, reason=step.reason, responded_at=step.at)
    )


async def _assign(session: AsyncSession, step: Transition) -> None:
    await session.execute(
        insert(DriverAssignment).values(
            id=uuid7(),
            order_id=step.order_id,
            driver_id=step.changes.driver_id,
            status=AssignmentStatus.ACCEPTED,
            distance_km=0,
            reason=step.reason,
            offered_at=step.at,
            expires_at=step.at,
            responded_at=step.at,
        )
    )


def _free(search: OfferSearch, capacity: int) -> Select[Any]:
    load = (
        select(func.count())
        .select_from(Order)
        .where(col(Order.driver_id) == col(Driver.id), col(Order.status).in_(WITH_DRIVER))
        .scalar_subquery()
    )
    asked = exists().where(
        col(DriverAssignment.driver_id) == col(Driver.id),
        or_(
            col(DriverAssignment.status) == AssignmentStatus.OFFERED,
            and_(
                col(DriverAssignment.order_id) == search.order_id,
                or_(
                    col(DriverAssignment.status).in_(_NOT_AGAIN),
                    col(DriverAssignment.offered_at) >= search.asked_since,
                ),
            ),
        ),
    )
    return select(
        col(Driver.id),
        col(Driver.rating),
        load.label("load"),
        col(Driver.current_latitude),
        col(Driver.current_longitude),
    ).where(
        col(Driver.is_available),
        driver_profiles.may_deliver(search.at.date()),
        not_(asked),
        load < capacity,
    )


def _offer(row: DriverAssignment) -> Offer:
    return Offer(
        id=row.id,
        driver_id=row.driver_id,
        distance_km=row.distance_km,
        estimated_pickup_at=row.estimated_pickup_time,
        expires_at=row.expires_at,
    )
