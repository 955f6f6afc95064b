"""Every SQL statement by which drivers go on duty and see what they are offered."""

from datetime import date, datetime
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from schema.messages.dispatch import AssignmentStatus
from schema.queries import driver_profiles
from schema.queries.offers import LIVE
from schema.tables import Chef, Driver, DriverAssignment, Order


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


async def may_deliver(session: AsyncSession, driver_id: UUID, today: date) -> bool:
    """Whether there is such a driver, and he may deliver."""
    found = await session.scalar(
        select(col(Driver.id)).where(
            col(Driver.id) == driver_id, driver_profiles.may_deliver(today)
        )
    )
    return found is not None


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


async def latest_taken(session: AsyncSession, order_id: UUID) -> UUID | None:
    """The last time that a driver had an order, whether he still has it or not."""
    return await session.scalar(
        select(col(DriverAssignment.id))
        .where(
            col(DriverAssignment.order_id) == order_id,
            col(DriverAssignment.status).in_(
                [AssignmentStatus.ACCEPTED, AssignmentStatus.CANCELLED]
            ),
        )
        .order_by(col(DriverAssignment.offered_at).desc(), col(DriverAssignment.id).desc())
        .limit(1)
    )


async def go_on_duty(session: AsyncSession, driver_id: UUID, at: datetime) -> bool:
    """Let a driver be asked; False when he may not deliver.

    Who is on duty already stays so since he began. One conditional UPDATE decides.
    """
    on_duty = case((col(Driver.is_available), func.coalesce(Driver.on_duty_since, at)), else_=at)
    gone = await session.execute(
        update(Driver)
        .where(col(Driver.id) == driver_id, driver_profiles.may_deliver(at.date()))
        .values(is_available=True, on_duty_since=on_duty)
        .returning(col(Driver.id))
    )
    return gone.first() is not None


async def go_off_duty(session: AsyncSession, driver_id: UUID) -> None:
    """Let a driver not be asked any more."""
    await driver_profiles.change(session, driver_id, driver_profiles.off_duty())


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
            col(DriverAssignment.status).in_(LIVE),
            col(DriverAssignment.estimated_pickup_time),
            col(DriverAssignment.estimated_delivery_time),
        )
        .join(Driver, col(Driver.id) == col(DriverAssignment.driver_id))
        .where(col(DriverAssignment.offer_id) == offer_id, col(Driver.user_id) == user_id)
        .order_by(col(DriverAssignment.stop))
    )
    return [Offered(*row) for row in found]
