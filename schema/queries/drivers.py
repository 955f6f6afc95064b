"""Every SQL statement by which drivers say where they are and see what they are offered."""

from datetime import datetime
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.geo import Point
from domain.order_status import OrderStatus
from schema.messages.dispatch import AssignmentStatus
from schema.tables import Chef, Driver, DriverAssignment, Order, Verification


class Door(NamedTuple):
    """Where a driver is to bring an order that he has in hand."""

    order_id: UUID
    door: Point


class OfferView(NamedTuple):
    """An order of an offer, as the driver sees it."""

    assignment: DriverAssignment
    order: Order
    kitchen_name: str
    kitchen_address: str


class Offered(NamedTuple):
    """An order that was offered to a driver, however that ended, and when he was expected where."""

    order_id: UUID
    driver_id: UUID
    is_live: bool
    pickup_at: datetime | None
    delivery_at: datetime | None


async def driver_of(session: AsyncSession, user_id: UUID) -> UUID | None:
    """The driver that a user is."""
    return await session.scalar(select(col(Driver.id)).where(col(Driver.user_id) == user_id))


async def is_approved(session: AsyncSession, driver_id: UUID) -> bool:
    """Whether there is such a driver, and he may deliver."""
    driver = await session.get(Driver, driver_id)
    return driver is not None and driver.verification_status is Verification.APPROVED


async def latest_assignment(session: AsyncSession, order_id: UUID, driver_id: UUID) -> UUID | None:
    """The last time that a driver was given an order, or offered it."""
    return await session.scalar(
        select(col(DriverAssignment.id))
        .where(
            col(DriverAssignment.order_id) == order_id,
            col(DriverAssignment.driver_id) == driver_id,
        )
        .order_by(col(DriverAssignment.offered_at).desc(), col(DriverAssignment.id).desc())
        .limit(1)
    )


async def set_available(session: AsyncSession, driver_id: UUID, available: bool) -> None:
    """Let a driver be asked, or not."""
    await session.execute(
        update(Driver)
        .where(col(Driver.id) == driver_id, col(Driver.is_available) != available)
        .values(is_available=available, available_since=func.now() if available else None)
    )


async def set_place(session: AsyncSession, driver_id: UUID, point: Point, at: datetime) -> bool:
    """Remember where a driver is; False when a later place is known."""
    moved = await session.execute(
        update(Driver)
        .where(
            col(Driver.id) == driver_id,
            or_(col(Driver.located_at).is_(None), col(Driver.located_at) <= at),
        )
        .values(current_latitude=point.latitude, current_longitude=point.longitude, located_at=at)
        .returning(col(Driver.id))
    )
    return moved.first() is not None


async def doors_ahead(session: AsyncSession, driver_id: UUID) -> list[Door]:
    """Where the orders that a driver has in hand are going, those near already left out."""
    found = await session.execute(
        select(col(Order.id), col(Order.delivery_latitude), col(Order.delivery_longitude)).where(
            col(Order.driver_id) == driver_id,
            col(Order.status).in_([OrderStatus.PICKED_UP, OrderStatus.IN_TRANSIT]),
            col(Order.near_door_at).is_(None),
        )
    )
    return [Door(row[0], Point(row[1], row[2])) for row in found]


async def live_offers(session: AsyncSession, user_id: UUID) -> list[list[OfferView]]:
    """What a driver is offered now: of each offer its orders, in their sequence."""
    found = await session.execute(
        select(DriverAssignment, Order, col(Chef.business_name), col(Chef.address))
        .join(Driver, col(Driver.id) == col(DriverAssignment.driver_id))
        .join(Order, col(Order.id) == col(DriverAssignment.order_id))
        .join(Chef, col(Chef.id) == col(Order.chef_id))
        .where(
            col(Driver.user_id) == user_id,
            col(DriverAssignment.status) == AssignmentStatus.OFFERED,
        )
        .order_by(
            col(DriverAssignment.offered_at),
            col(DriverAssignment.offer_id),
            col(DriverAssignment.stop),
        )
    )
    views = (OfferView(*row) for row in found)
    return [list(offer) for _, offer in groupby(views, lambda view: view.assignment.offer_id)]


async def offered_orders(session: AsyncSession, offer_id: UUID, user_id: UUID) -> list[Offered]:
    """The orders of an offer that was made to this user, in their sequence."""
    found = await session.execute(
        select(
            col(DriverAssignment.order_id),
            col(DriverAssignment.driver_id),
            col(DriverAssignment.status).in_([AssignmentStatus.OFFERED, AssignmentStatus.ACCEPTED]),
            col(DriverAssignment.estimated_pickup_time),
            col(DriverAssignment.estimated_delivery_time),
        )
        .join(Driver, col(Driver.id) == col(DriverAssignment.driver_id))
        .where(col(DriverAssignment.offer_id) == offer_id, col(Driver.user_id) == user_id)
        .order_by(col(DriverAssignment.stop))
    )
    return [Offered(*row) for row in found]
