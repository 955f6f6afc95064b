"""Every SQL statement by which chefs look at how their kitchens do."""

from collections.abc import Collection
from dataclasses import fields
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Double, Float, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.expression import SQLColumnExpression
from sqlmodel import col

from domain.kitchen_figures import Figures
from domain.order_status import Actor, OrderStatus
from domain.reviews import Ratings, Reviewee, ReviewStatus
from schema.queries.earnings import Between
from schema.tables import Chef, Order, OrderItem, OrderStatusHistory, Review

# Who lets an order go that the kitchen has not taken on: it says so, or says nothing.
_REFUSED_BY = (Actor.CHEF, Actor.DEADLINE)

_COUNTS = tuple(field.name for field in fields(Figures) if not field.name.endswith("_minutes"))
_PAID_AT: SQLColumnExpression[Any] = col(Order.paid_at)


class Sold(NamedTuple):
    """A dish, how many portions of it were delivered, and what they cost without the rest."""

    menu_item_id: UUID
    name: str
    portions: int
    revenue_cents: int


class Column(NamedTuple):
    """A state, how many of a kitchen's orders are in it, and those that have waited longest."""

    status: OrderStatus
    orders: int
    first: list[UUID]


async def by_day(
    session: AsyncSession, chef_id: UUID, zone: str, between: Between, *, pace: float
) -> dict[date, Figures]:
    """A kitchen's figures by the days on which orders were paid for, by the clock of `zone`; a day
    without orders is left out. Real minutes are the city's, `pace` times ours.
    """
    history = OrderStatusHistory
    said = (
        select(func.min(cast(col(history.changes)["said_minutes"].astext, Float)))
        .where(col(history.order_id) == col(Order.id), col(history.status) == OrderStatus.ACCEPTED)
        .scalar_subquery()
    )
    is_timed = (
        col(Order.accepted_at).is_not(None)
        & col(Order.prepared_at).is_not(None)
        & col(Order.scheduled_for).is_(None)
    )
    took = func.extract("epoch", col(Order.prepared_at) - col(Order.accepted_at)) / 60.0
    is_delivered = col(Order.delivered_at).is_not(None)
    is_refused = col(Order.accepted_at).is_(None) & col(Order.cancelled_by).in_(_REFUSED_BY)
    # Beneath the sums: a zone that is given twice would be two parameters, and two expressions.
    each = (
        select(
            func.date(func.timezone(zone, col(Order.paid_at))).label("day"),
            _one_if(is_delivered).label("delivered"),
            _one_if(col(Order.cancelled_at).is_not(None)).label("cancelled"),
            case((is_delivered, col(Order.subtotal_cents)), else_=0).label("revenue_cents"),
            case((is_delivered, col(Order.chef_earning_cents)), else_=0).label("earning_cents"),
            _one_if(col(Order.accepted_at).is_not(None)).label("accepted"),
            _one_if(is_refused).label("refused"),
            _one_if(is_timed).label("timed"),
            case((is_timed, func.coalesce(said, col(Order.prep_minutes))), else_=0).label(
                "promised_minutes"
            ),
            case((is_timed, cast(took, Double)), else_=0.0).label("real_minutes"),
        )
        .where(
            col(Order.chef_id) == chef_id,
            col(Order.paid_at).is_not(None),
            *between.holds(_PAID_AT),
        )
        .subquery()
    )
    counts = [name for name in _COUNTS if name != "orders"]
    found = await session.execute(
        select(
            each.c.day,
            func.count().label("orders"),
            *(func.sum(each.c[name]).label(name) for name in counts),
            func.sum(each.c.promised_minutes).label("promised_minutes"),
            func.sum(each.c.real_minutes).label("real_minutes"),
        ).group_by(each.c.day)
    )
    return {
        row["day"]: Figures(
            **{name: int(row[name]) for name in _COUNTS},
            promised_minutes=float(row["promised_minutes"]),
            real_minutes=float(row["real_minutes"]) * pace,
        )
        for row in found.mappings()
    }


async def ratings_by_day(
    session: AsyncSession, chef_id: UUID, zone: str, between: Between
) -> dict[date, Ratings]:
    """How customers rated a kitchen, as far as it is seen, by the days by the clock of `zone` on
    which they did; a day without is left out.
    """
    given = (
        select(
            func.date(func.timezone(zone, col(Review.created_at))).label("day"), col(Review.rating)
        )
        .where(
            col(Review.reviewee_type) == Reviewee.CHEF,
            col(Review.reviewee_id) == chef_id,
            col(Review.status) == ReviewStatus.VISIBLE,
            *between.holds(col(Review.created_at)),
        )
        .subquery()
    )
    found = await session.execute(
        select(given.c.day, func.count(), func.sum(given.c.rating)).group_by(given.c.day)
    )
    return {day: Ratings(count, stars) for day, count, stars in found}


async def top_dishes(
    session: AsyncSession, chef_id: UUID, between: Between, *, limit: int
) -> list[Sold]:
    """Which dishes of the orders that were paid for in a period and delivered sold best."""
    portions = func.sum(OrderItem.quantity)
    found = await session.execute(
        select(
            col(OrderItem.menu_item_id),
            func.max(OrderItem.name),
            portions,
            func.sum(col(OrderItem.quantity) * col(OrderItem.price_cents)),
        )
        .join(Order, col(Order.id) == col(OrderItem.order_id))
        .where(
            col(Order.chef_id) == chef_id,
            col(Order.delivered_at).is_not(None),
            *between.holds(_PAID_AT),
        )
        .group_by(col(OrderItem.menu_item_id))
        .order_by(portions.desc(), col(OrderItem.menu_item_id))
        .limit(limit)
    )
    return [Sold(*row) for row in found]


async def board(
    session: AsyncSession, user_id: UUID, statuses: Collection[OrderStatus], *, limit: int
) -> dict[OrderStatus, Column]:
    """How many orders of a chef's kitchen are in each of the states, and the first `limit` of each;
    a state without orders is left out.
    """
    within: dict[str, Any] = {"partition_by": col(Order.status)}
    place = func.row_number().over(order_by=[col(Order.created_at), col(Order.id)], **within)
    ranked = (
        select(
            col(Order.id),
            col(Order.status),
            place.label("place"),
            func.count().over(**within).label("orders"),
        )
        .join(Chef, col(Chef.id) == col(Order.chef_id))
        .where(
            col(Chef.user_id) == user_id,
            col(Order.paid_at).is_not(None),
            col(Order.status).in_(statuses),
        )
        .subquery()
    )
    found = await session.execute(
        select(ranked.c.id, ranked.c.status, ranked.c.orders)
        .where(ranked.c.place <= limit)
        .order_by(ranked.c.place)
    )
    columns: dict[OrderStatus, Column] = {}
    for order_id, status, orders in found:
        columns.setdefault(status, Column(status, orders, [])).first.append(order_id)
    return columns


def _one_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)
