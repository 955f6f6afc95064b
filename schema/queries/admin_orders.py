"""Every SQL statement by which operators find orders among all."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Select, and_, cast, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.geo import Point
from domain.order_status import ENDED, OrderStatus
from schema.queries.earnings import Between
from schema.tables import Chef, Driver, Order, OrderStatusHistory, Payment, UserProfile


@dataclass(frozen=True)
class Wanted:
    """Which orders. `chef_ids` are the kitchens of a zone; `late` are those that came later than
    was promised when they were placed, or have not come by then.
    """

    placed: Between = field(default_factory=Between)
    statuses: Sequence[OrderStatus] = ()
    market: str | None = None
    chef_ids: Collection[UUID] | None = None
    chef_id: UUID | None = None
    driver_id: UUID | None = None
    customer_id: UUID | None = None
    search: str | None = None
    least_cents: int | None = None
    most_cents: int | None = None
    late: bool = False


class Kitchen(NamedTuple):
    """Where a chef cooks."""

    chef_id: UUID
    at: Point


class Line(NamedTuple):
    """An order, as a line of a list of orders."""

    order: Order
    kitchen_name: str
    driver_name: str | None
    refunded_cents: int


def limits(wanted: Wanted, at: datetime) -> list[ColumnElement[bool]]:
    """What is to be true of an order that is wanted."""
    found = list(wanted.placed.holds(col(Order.created_at)))
    equal: dict[Any, object] = {
        col(Order.market): wanted.market,
        col(Order.chef_id): wanted.chef_id,
        col(Order.driver_id): wanted.driver_id,
        col(Order.customer_id): wanted.customer_id,
    }
    found += [column == value for column, value in equal.items() if value is not None]
    if wanted.statuses:
        found.append(col(Order.status).in_(wanted.statuses))
    if wanted.chef_ids is not None:
        found.append(col(Order.chef_id).in_(wanted.chef_ids))
    if wanted.search:
        found.append(
            func.lower(Order.order_number).contains(wanted.search.lower(), autoescape=True)
        )
    if wanted.least_cents is not None:
        found.append(col(Order.total_cents) >= wanted.least_cents)
    if wanted.most_cents is not None:
        found.append(col(Order.total_cents) <= wanted.most_cents)
    if wanted.late:
        found.append(_is_late(at))
    return found


def chosen(wanted: Wanted, at: datetime) -> Select[Order, str, str, int]:
    """The orders that are wanted, the newest first."""
    return (
        select(
            Order,
            col(Chef.business_name),
            col(UserProfile.first_name),
            func.coalesce(Payment.refunded_cents, 0),
        )
        .join(Chef, col(Chef.id) == col(Order.chef_id))
        .outerjoin(Driver, col(Driver.id) == col(Order.driver_id))
        .outerjoin(UserProfile, col(UserProfile.user_id) == col(Driver.user_id))
        .outerjoin(Payment, col(Payment.order_id) == col(Order.id))
        .where(*limits(wanted, at))
        .order_by(col(Order.created_at).desc(), col(Order.id).desc())
    )


async def kitchens(session: AsyncSession) -> list[Kitchen]:
    """Where each chef cooks."""
    found = await session.execute(select(col(Chef.id), col(Chef.latitude), col(Chef.longitude)))
    return [Kitchen(chef_id, Point(latitude, longitude)) for chef_id, latitude, longitude in found]


def promised(step: OrderStatus, what: str) -> ColumnElement[datetime]:
    """What was told of an order when it first came to a state: the moment of the estimate `what`,
    NULL where it never came there.
    """
    return (
        select(cast(col(OrderStatusHistory.changes)[what].astext, DateTime(timezone=True)))
        .where(
            col(OrderStatusHistory.order_id) == col(Order.id),
            col(OrderStatusHistory.status) == step,
        )
        .order_by(col(OrderStatusHistory.sequence))
        .limit(1)
        .correlate(Order)
        .scalar_subquery()
    )


def _is_late(at: datetime) -> ColumnElement[bool]:
    promise = promised(OrderStatus.PENDING, "estimated_delivery_at")
    return or_(
        col(Order.delivered_at) > promise,
        and_(
            col(Order.delivered_at).is_(None),
            col(Order.status).not_in(ENDED),
            literal(at, DateTime(timezone=True)) > promise,
        ),
    )
