"""Every SQL statement by which people look at orders."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.order_status import ENDED, OrderStatus
from schema.queries.earnings import Between
from schema.tables import (
    Chef,
    Driver,
    Order,
    OrderItem,
    OrderStatusHistory,
    Payment,
    UserProfile,
)


class Access(NamedTuple):
    """Where an order stands and whose it is: enough to decide who may do what with it."""

    order_id: UUID
    order_number: str
    status: OrderStatus
    sequence: int
    customer_id: UUID
    chef_user_id: UUID
    driver_id: UUID | None
    driver_user_id: UUID | None
    is_paid: bool


class View(NamedTuple):
    """An order as people see it."""

    order: Order
    kitchen_name: str
    driver_name: str | None
    refunded_cents: int
    items: Sequence[OrderItem]


async def access(session: AsyncSession, order_id: UUID) -> Access | None:
    """Whose an order is."""
    found = await session.execute(
        select(
            col(Order.id),
            col(Order.order_number),
            col(Order.status),
            col(Order.sequence),
            col(Order.customer_id),
            col(Chef.user_id),
            col(Order.driver_id),
            col(Driver.user_id),
            col(Order.paid_at).is_not(None),
        )
        .join(Chef, col(Chef.id) == col(Order.chef_id))
        .outerjoin(Driver, col(Driver.id) == col(Order.driver_id))
        .where(col(Order.id) == order_id)
    )
    row = found.first()
    return None if row is None else Access(*row)


async def one(session: AsyncSession, order_id: UUID, seen_by: ColumnElement[bool]) -> View | None:
    """An order with its dishes, if it is among those `seen_by` selects."""
    views, _ = await _views(session, seen_by & (col(Order.id) == order_id), limit=1, offset=0)
    return views[0] if views else None


async def page(
    session: AsyncSession,
    seen_by: ColumnElement[bool],
    *,
    statuses: Sequence[OrderStatus],
    limit: int,
    offset: int,
) -> tuple[list[View], int]:
    """A page of the orders that `seen_by` selects, the newest first, and how many there are."""
    wanted = seen_by & col(Order.status).in_(statuses) if statuses else seen_by
    views, total = await _views(session, wanted, limit=limit, offset=offset)
    if not views and offset:
        # Beyond the end there is no row to tell how many there are; the first has it.
        _, total = await _views(session, wanted, limit=1, offset=0)
    return views, total


async def history(session: AsyncSession, order_id: UUID) -> Sequence[OrderStatusHistory]:
    """The steps of an order, the first first."""
    found = await session.scalars(
        select(OrderStatusHistory)
        .where(col(OrderStatusHistory.order_id) == order_id)
        .order_by(col(OrderStatusHistory.sequence))
    )
    return found.all()


async def has_open(session: AsyncSession, customer_id: UUID) -> bool:
    """Whether a customer has an order that is not over."""
    found = await session.scalar(
        select(col(Order.id))
        .where(col(Order.customer_id) == customer_id, col(Order.status).not_in(ENDED))
        .limit(1)
    )
    return found is not None


def of_customer(user_id: UUID) -> ColumnElement[bool]:
    """The orders that a user has placed."""
    return col(Order.customer_id) == user_id


def of_chef(user_id: UUID) -> ColumnElement[bool]:
    """The orders of a chef's kitchen that are paid for, or were: the others are no business yet."""
    return (col(Chef.user_id) == user_id) & col(Order.paid_at).is_not(None)


def of_driver(user_id: UUID) -> ColumnElement[bool]:
    """The orders that a driver has, or has delivered."""
    return col(Driver.user_id) == user_id


def among(order_ids: Sequence[UUID]) -> ColumnElement[bool]:
    """These orders."""
    return col(Order.id).in_(order_ids)


def of_anybody() -> ColumnElement[bool]:
    """All orders."""
    return col(Order.id).is_not(None)


def matching(
    placed: Between, *, chef_id: UUID | None = None, number: str | None = None
) -> ColumnElement[bool]:
    """The orders that were placed within a period, of a chef, with such a part in their number."""
    wanted = [of_anybody(), *placed.holds(col(Order.created_at))]
    if chef_id is not None:
        wanted.append(col(Order.chef_id) == chef_id)
    if number:
        wanted.append(col(Order.order_number).icontains(number, autoescape=True))
    return and_(*wanted)


async def _views(
    session: AsyncSession, wanted: ColumnElement[bool], *, limit: int, offset: int
) -> tuple[list[View], int]:
    found = (
        await session.execute(
            select(
                Order,
                col(Chef.business_name),
                col(UserProfile.first_name),
                func.coalesce(Payment.refunded_cents, 0),
                func.count().over(),
            )
            .join(Chef, col(Chef.id) == col(Order.chef_id))
            .outerjoin(Driver, col(Driver.id) == col(Order.driver_id))
            .outerjoin(UserProfile, col(UserProfile.user_id) == col(Driver.user_id))
            .outerjoin(Payment, col(Payment.order_id) == col(Order.id))
            .where(wanted)
            .order_by(col(Order.created_at).desc(), col(Order.id).desc())
            .limit(limit)
            .offset(offset)
        )
    ).all()
    items = await session.scalars(
        select(OrderItem)
        .where(col(OrderItem.order_id).in_([row[0].id for row in found]))
        .order_by(col(OrderItem.id))
    )
    dishes: dict[UUID, list[OrderItem]] = {}
    for item in items:
        dishes.setdefault(item.order_id, []).append(item)
    views = [View(*row[:4], dishes.get(row[0].id, [])) for row in found]
    return views, found[0][4] if found else 0
