"""Every SQL statement about what is told live of orders, and to whom."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, and_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import col

from domain.order_status import OrderStatus
from schema import live_events
from schema.live_events import Concerned, Portion
from schema.messages.dispatch import AssignmentStatus
from schema.queries import outbox
from schema.tables import Chef, Driver, DriverAssignment, Order, OrderItem, OrderStatusHistory

_Taken = aliased(OrderStatusHistory)
_GivenBack = aliased(OrderStatusHistory)


async def at_step(session: AsyncSession, order_id: UUID, sequence: int) -> Concerned:
    """Whom a step of an order concerns: the driver who had it after the step, or lost it by it."""
    found = await session.execute(_concerned(_driver_at(sequence)).where(col(Order.id) == order_id))
    return Concerned(*found.one())


async def portions(session: AsyncSession, order_id: UUID) -> list[Portion]:
    """The dishes of an order."""
    found = await session.execute(
        select(col(OrderItem.menu_item_id), col(OrderItem.name), col(OrderItem.quantity))
        .where(col(OrderItem.order_id) == order_id)
        .order_by(col(OrderItem.id))
    )
    return [Portion(*row) for row in found]


async def expected_anew(session: AsyncSession, order_id: UUID, *, cause: str, at: datetime) -> None:
    """Have everybody told when an order is expected now, if this transaction is committed.

    `cause` is unique within the order.
    """
    (of,) = await _as_they_stand(session, [order_id])
    await outbox.put(session, live_events.estimates(of, cause, at))


async def given(session: AsyncSession, order_ids: Collection[UUID], at: datetime) -> None:
    """Have a driver told of orders that he has got without a step of theirs, and everybody when
    they are expected now, if this transaction is committed.
    """
    if not order_ids:
        return
    events = []
    for of in await _as_they_stand(session, order_ids):
        events += live_events.assigned(of, at)
        events.append(live_events.estimates(of, f"assigned:{of.assignment_id}", at))
    await outbox.put(session, *events)


async def taken_back(session: AsyncSession, order_id: UUID, driver_id: UUID, at: datetime) -> None:
    """Have a driver told that he has an order no more, whose food is still cooking, if this
    transaction is committed.
    """
    found = await session.execute(
        select(col(Order.status), col(Driver.user_id))
        .join(Driver, col(Driver.id) == driver_id)
        .where(col(Order.id) == order_id)
    )
    status, user_id = found.one()
    await outbox.put(session, live_events.taken_back(order_id, status, user_id, at))


async def _as_they_stand(session: AsyncSession, order_ids: Collection[UUID]) -> Sequence[Concerned]:
    found = await session.execute(
        _concerned(col(Order.driver_id)).where(col(Order.id).in_(order_ids)).order_by(col(Order.id))
    )
    return [Concerned(*row) for row in found.all()]


def _concerned(driver_id: ColumnElement[Any] | Mapped[Any]) -> Select[*tuple[Any, ...]]:
    """In the order of `Concerned`."""
    return (
        select(
            col(Order.id),
            col(Order.order_number),
            col(Chef.business_name),
            col(Order.total_cents),
            col(Order.currency),
            col(Order.estimated_ready_at),
            col(Order.estimated_pickup_at),
            col(Order.estimated_delivery_at),
            col(Order.near_door_at).is_not(None),
            col(Order.paid_at).is_not(None),
            col(Order.customer_id),
            col(Chef.user_id),
            col(Driver.user_id),
            col(DriverAssignment.id),
        )
        .join(Chef, col(Chef.id) == col(Order.chef_id))
        .outerjoin(Driver, col(Driver.id) == driver_id)
        .outerjoin(
            DriverAssignment,
            and_(
                col(DriverAssignment.order_id) == col(Order.id),
                col(DriverAssignment.driver_id) == col(Driver.id),
                col(DriverAssignment.status) == AssignmentStatus.ACCEPTED,
            ),
        )
    )


def _driver_at(sequence: int) -> ColumnElement[Any]:
    """Who took an order by a step, unless he had given it back before this one; else who has it
    now: by no step of its own, since its food was still cooking.
    """
    given_back = (
        select(func.max(_GivenBack.sequence))
        .where(
            col(_GivenBack.order_id) == col(Order.id),
            col(_GivenBack.sequence) < sequence,
            col(_GivenBack.was) == OrderStatus.ASSIGNED_TO_DRIVER,
            col(_GivenBack.status) == OrderStatus.READY_FOR_PICKUP,
        )
        .correlate(Order)
        .scalar_subquery()
    )
    taken = (
        select(cast(col(_Taken.changes)["driver_id"].astext, Uuid))
        .where(
            col(_Taken.order_id) == col(Order.id),
            col(_Taken.sequence) <= sequence,
            col(_Taken.sequence) > func.coalesce(given_back, 0),
            col(_Taken.status) == OrderStatus.ASSIGNED_TO_DRIVER,
        )
        .order_by(col(_Taken.sequence).desc())
        .limit(1)
        .correlate(Order)
        .scalar_subquery()
    )
    return func.coalesce(taken, Order.driver_id)
