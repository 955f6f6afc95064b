"""Every SQL statement about where drivers are and were."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.geo import Point
from domain.order_status import IN_HAND, ON_THE_WAY
from domain.tracking import Fix
from schema.live_events import Carried
from schema.messages.dispatch import AssignmentStatus
from schema.tables import Chef, Driver, DriverAssignment, DriverLocation, Order


class InHand(NamedTuple):
    """An order that a driver has in hand, and the door that it goes to; `is_ahead` while he has not
    come near it with the food.
    """

    carried: Carried
    door: Point
    is_ahead: bool


class Underway(NamedTuple):
    """A driver, the latest position of his history, and what he has in hand."""

    driver_id: UUID
    last: Fix | None
    orders: tuple[InHand, ...]


class Shown(NamedTuple):
    """Whose position an order shows: its driver's, and since when the order is on the way."""

    driver_id: UUID
    picked_up_at: datetime | None
    last: Fix | None


async def underway(session: AsyncSession, user_id: UUID) -> Underway | None:
    """The driver that a user is; None if he is none."""
    found = await session.execute(
        select(
            col(Driver.id),
            col(Driver.current_latitude),
            col(Driver.current_longitude),
            col(Driver.located_at),
            col(Order.id),
            col(Order.status),
            col(Order.sequence),
            col(Order.customer_id),
            col(Chef.user_id),
            col(DriverAssignment.id),
            col(Order.picked_up_at),
            col(Order.estimated_delivery_at),
            col(Order.delivery_latitude),
            col(Order.delivery_longitude),
            col(Order.near_door_at),
        )
        .outerjoin(
            Order,
            and_(col(Order.driver_id) == col(Driver.id), col(Order.status).in_(IN_HAND)),
        )
        .outerjoin(Chef, col(Chef.id) == col(Order.chef_id))
        .outerjoin(
            DriverAssignment,
            and_(
                col(DriverAssignment.order_id) == col(Order.id),
                col(DriverAssignment.driver_id) == col(Driver.id),
                col(DriverAssignment.status) == AssignmentStatus.ACCEPTED,
            ),
        )
        .where(col(Driver.user_id) == user_id)
    )
    rows = found.all()
    if not rows:
        return None
    driver_id, latitude, longitude, at, *_ = rows[0]
    return Underway(
        driver_id,
        _fix(latitude, longitude, at),
        tuple(_in_hand(*row[4:]) for row in rows if row[4] is not None),
    )


async def shown(session: AsyncSession, order_id: UUID) -> Shown | None:
    """Where the driver of an order was last, by his history; None where it has no driver."""
    found = await session.execute(
        select(
            col(Driver.id),
            col(Order.picked_up_at),
            col(Driver.current_latitude),
            col(Driver.current_longitude),
            col(Driver.located_at),
        )
        .join(Order, col(Order.driver_id) == col(Driver.id))
        .where(col(Order.id) == order_id)
    )
    row = found.first()
    return None if row is None else Shown(row[0], row[1], _fix(*row[2:]))


async def add(session: AsyncSession, driver_id: UUID, fixes: Sequence[Fix]) -> None:
    """Add to a driver's history, the oldest first; its end is where he is, unless he was seen
    later.
    """
    await session.execute(
        insert(DriverLocation)
        .values(
            [
                {
                    "id": uuid7(),
                    "driver_id": driver_id,
                    "latitude": fix.point.latitude,
                    "longitude": fix.point.longitude,
                    "accuracy": fix.accuracy,
                    "speed": fix.speed,
                    "heading": fix.heading,
                    "recorded_at": fix.at,
                }
                for fix in fixes
            ]
        )
        .on_conflict_do_nothing()
    )
    last = fixes[-1]
    await session.execute(
        update(Driver)
        .where(
            col(Driver.id) == driver_id,
            or_(col(Driver.located_at).is_(None), col(Driver.located_at) < last.at),
        )
        .values(
            current_latitude=last.point.latitude,
            current_longitude=last.point.longitude,
            located_at=last.at,
        )
    )


async def forget(session: AsyncSession, before: datetime, limit: int) -> int:
    """Delete `limit` of the rows from before some moment; answers with how many there were."""
    old = (
        select(col(DriverLocation.id))
        .where(col(DriverLocation.recorded_at) < before)
        .order_by(col(DriverLocation.recorded_at))
        .limit(limit)
    )
    gone = await session.execute(
        delete(DriverLocation)
        .where(col(DriverLocation.id).in_(old))
        .returning(col(DriverLocation.id))
    )
    return len(gone.all())


def _in_hand(*order: Any) -> InHand:
    *carried, latitude, longitude, near_door_at = order
    of = Carried(*carried)
    is_ahead = of.status in ON_THE_WAY and near_door_at is None
    return InHand(of, Point(latitude, longitude), is_ahead)


def _fix(latitude: float | None, longitude: float | None, at: datetime | None) -> Fix | None:
    if latitude is None or longitude is None or at is None:
        return None
    return Fix(Point(latitude, longitude), at)
