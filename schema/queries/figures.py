"""Every SQL statement about how the platform does: figures for operators, over a bounded period."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Label, Subquery, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.order_status import IN_HAND, Actor, OrderStatus
from domain.reviews import Ratings, Reviewee, ReviewStatus
from schema.messages.money import RefundStatus
from schema.queries.admin_orders import promised
from schema.queries.driver_profiles import may_deliver
from schema.queries.earnings import Between
from schema.tables import Chef, Driver, Order, Refund, Review, Role, User

DELIVERED = (OrderStatus.DELIVERED, OrderStatus.DISPUTED, OrderStatus.REFUNDED)
UNANSWERED = "chef_did_not_answer"
TOP = 10


@dataclass(frozen=True)
class Scope:
    """Which orders count: placed when, in which market, by which kitchens (all of them: None)."""

    placed: Between
    market: str | None = None
    chef_ids: Collection[UUID] | None = None

    @property
    def limits(self) -> list[ColumnElement[bool]]:
        """What is to be true of an order."""
        return [*self.placed.holds(col(Order.created_at)), *self.where]

    @property
    def where(self) -> list[ColumnElement[bool]]:
        """The same, whenever it was placed."""
        limits: list[ColumnElement[bool]] = []
        if self.market is not None:
            limits.append(col(Order.market) == self.market)
        if self.chef_ids is not None:
            limits.append(col(Order.chef_id).in_(self.chef_ids))
        return limits


class Money(NamedTuple):
    """What delivered orders came to in a currency, in cents."""

    currency: str
    orders: int
    revenue_cents: int
    platform_revenue_cents: int


class Acceptance(NamedTuple):
    """How many paid orders chefs answered or let pass, and how many they took on."""

    asked: int
    accepted: int


class OnDuty(NamedTuple):
    """How many drivers are on duty now, and how many of them have an order in hand."""

    on_duty: int
    busy: int


class Returned(NamedTuple):
    """How often money went back to customers in a currency, and how much of it, in cents."""

    currency: str
    refunds: int
    cents: int


class Breaches(NamedTuple):
    """How many promises were not kept, of orders placed in an hour or cooked in one place."""

    chef_too_late: int
    food_late: int
    delivery_late: int


class Day(NamedTuple):
    """What was ordered on a day; amounts in cents."""

    orders: int
    delivered: int
    cancelled: int
    revenue_cents: int


class TopChef(NamedTuple):
    """What a kitchen's delivered orders came to, in cents."""

    chef_id: UUID
    business_name: str
    currency: str
    orders: int
    revenue_cents: int


class Cancelled(NamedTuple):
    """How many orders were cancelled by whom and why."""

    by: Actor | None
    reason: str | None
    orders: int


async def by_status(session: AsyncSession, scope: Scope) -> dict[OrderStatus, int]:
    """How many orders stand how."""
    found = await session.execute(
        select(col(Order.status), func.count())
        .where(*scope.limits)
        .group_by(col(Order.status))
        .order_by(col(Order.status))
    )
    return {row[0]: row[1] for row in found}


async def money(session: AsyncSession, scope: Scope) -> list[Money]:
    """What delivered orders came to; the platform's part is its fees less discounts."""
    platform = Order.platform_fee_cents + Order.service_fee_cents - Order.discount_cents
    found = await session.execute(
        select(
            col(Order.currency),
            func.count(),
            func.sum(Order.total_cents),
            func.sum(platform),
        )
        .where(*scope.limits, col(Order.status).in_(DELIVERED))
        .group_by(col(Order.currency))
        .order_by(col(Order.currency))
    )
    return [Money(*row) for row in found]


async def acceptance(session: AsyncSession, scope: Scope) -> Acceptance:
    """How chefs answered; what a customer took back before that does not count."""
    accepted = col(Order.accepted_at).is_not(None)
    refused = or_(col(Order.cancelled_by) == Actor.CHEF, col(Order.cancel_reason) == UNANSWERED)
    found = await session.execute(
        select(func.count().filter(or_(accepted, refused)), func.count().filter(accepted)).where(
            *scope.limits, col(Order.paid_at).is_not(None)
        )
    )
    return Acceptance(*found.one())


async def on_duty(session: AsyncSession, today: date) -> OnDuty:
    """The drivers who may be asked now, wherever they are."""
    has_order = (
        select(col(Order.id))
        .where(col(Order.driver_id) == col(Driver.id), col(Order.status).in_(IN_HAND))
        .exists()
    )
    found = await session.execute(
        select(func.count(), func.count().filter(has_order)).where(
            col(Driver.is_available), may_deliver(today)
        )
    )
    return OnDuty(*found.one())


async def refunds(session: AsyncSession, scope: Scope) -> list[Returned]:
    """What went back, or is on its way, in the period, whenever its order was placed."""
    found = await session.execute(
        select(col(Order.currency), func.count(), func.sum(Refund.amount_cents))
        .join(Order, col(Order.id) == col(Refund.order_id))
        .where(
            *scope.placed.holds(col(Refund.created_at)),
            *scope.where,
            col(Refund.status).not_in([RefundStatus.FAILED, RefundStatus.CANCELED]),
        )
        .group_by(col(Order.currency))
        .order_by(col(Order.currency))
    )
    return [Returned(*row) for row in found]


async def breaches_by_hour(session: AsyncSession, scope: Scope) -> list[tuple[datetime, Breaches]]:
    """Promises that were not kept, by the hour (UTC) in which their orders were placed."""
    kept = _promises(scope)
    hour = func.date_trunc("hour", kept.c.created_at, "UTC").label("hour")
    found = await session.execute(
        select(hour, *_broken(kept)).where(_any_broken(kept)).group_by(hour).order_by(hour)
    )
    return [(row[0], Breaches(*row[1:])) for row in found]


async def breaches_by_place(
    session: AsyncSession, scope: Scope
) -> list[tuple[float, float, Breaches]]:
    """Promises that were not kept, by where the kitchen was: latitude and longitude."""
    kept = _promises(scope)
    place = (kept.c.pickup_latitude, kept.c.pickup_longitude)
    found = await session.execute(
        select(*place, *_broken(kept)).where(_any_broken(kept)).group_by(*place).order_by(*place)
    )
    return [(row[0], row[1], Breaches(*row[2:])) for row in found]


async def days(session: AsyncSession, scope: Scope) -> dict[date, Day]:
    """What was ordered on each day (UTC) of the period that had an order."""
    day = _day(col(Order.created_at))
    delivered = col(Order.status).in_(DELIVERED)
    found = await session.execute(
        select(
            day,
            func.count(),
            func.count().filter(delivered),
            func.count().filter(col(Order.status) == OrderStatus.CANCELLED),
            func.coalesce(func.sum(col(Order.total_cents)).filter(delivered), 0),
        )
        .where(*scope.limits)
        .group_by(day)
    )
    return {row[0]: Day(*row[1:]) for row in found}


async def new_customers(session: AsyncSession, period: Between) -> Mapping[date, int]:
    """How many customers registered on each day (UTC), wherever they order."""
    day = _day(col(User.created_at))
    found = await session.execute(
        select(day, func.count())
        .where(*period.holds(col(User.created_at)), col(User.role) == Role.CUSTOMER)
        .group_by(day)
    )
    return {row[0]: row[1] for row in found}


async def ratings(session: AsyncSession, scope: Scope) -> dict[date, Ratings]:
    """How kitchens were rated on each day (UTC) of the period, whenever the order was placed, as
    far as it is seen; a day without is left out.
    """
    day = _day(col(Review.created_at))
    found = await session.execute(
        select(day, func.count(), func.sum(Review.rating))
        .join(Order, col(Order.id) == col(Review.order_id))
        .where(
            *scope.placed.holds(col(Review.created_at)),
            *scope.where,
            col(Review.reviewee_type) == Reviewee.CHEF,
            col(Review.status) == ReviewStatus.VISIBLE,
        )
        .group_by(day)
    )
    return {row[0]: Ratings(row[1], row[2]) for row in found}


async def customers(session: AsyncSession, scope: Scope) -> tuple[int, int]:
    """How many customers had something delivered, and how many of them not for the first time."""
    delivered = col(Order.status).in_(DELIVERED)
    until = scope.placed.ends
    ever = (
        select(func.count().label("orders"))
        .where(*scope.where, delivered, *([] if until is None else [col(Order.created_at) < until]))
        .group_by(col(Order.customer_id))
        .having(func.bool_or(_all_of(scope.placed.holds(col(Order.created_at)))))
        .subquery()
    )
    found = await session.execute(
        select(func.count(), func.count().filter(ever.c.orders > 1)).select_from(ever)
    )
    row = found.one()
    return row[0], row[1]


async def top_chefs(session: AsyncSession, scope: Scope) -> list[TopChef]:
    """The kitchens whose delivered orders came to most."""
    revenue = func.sum(Order.total_cents)
    found = await session.execute(
        select(col(Chef.id), col(Chef.business_name), col(Order.currency), func.count(), revenue)
        .join(Chef, col(Chef.id) == col(Order.chef_id))
        .where(*scope.limits, col(Order.status).in_(DELIVERED))
        .group_by(col(Chef.id), col(Chef.business_name), col(Order.currency))
        .order_by(revenue.desc(), col(Chef.id))
        .limit(TOP)
    )
    return [TopChef(*row) for row in found]


async def cancellations(session: AsyncSession, scope: Scope) -> list[Cancelled]:
    """Why orders were cancelled, the commonest first; people's own words are one reason each."""
    number = func.count()
    found = await session.execute(
        select(col(Order.cancelled_by), col(Order.cancel_reason), number)
        .where(*scope.limits, col(Order.status) == OrderStatus.CANCELLED)
        .group_by(col(Order.cancelled_by), col(Order.cancel_reason))
        .order_by(number.desc(), col(Order.cancel_reason))
        .limit(100)
    )
    return [Cancelled(*row) for row in found]


def _day(moment: Any) -> Label[date]:
    return cast(func.timezone("UTC", moment), Date).label("day")


def _all_of(limits: Collection[ColumnElement[bool]]) -> ColumnElement[bool]:
    whole: ColumnElement[bool] = col(Order.id).is_not(None)
    for limit in limits:
        whole &= limit
    return whole


def _promises(scope: Scope) -> Subquery:
    """Of each order what was promised and what came: the chef's answer in time, the food by when
    he accepted it, the delivery by when it was placed.
    """
    return (
        select(
            col(Order.created_at),
            col(Order.pickup_latitude),
            col(Order.pickup_longitude),
            (col(Order.cancel_reason) == UNANSWERED).label("chef_too_late"),
            (col(Order.prepared_at) > promised(OrderStatus.ACCEPTED, "estimated_ready_at")).label(
                "food_late"
            ),
            (
                col(Order.delivered_at) > promised(OrderStatus.PENDING, "estimated_delivery_at")
            ).label("delivery_late"),
        )
        .where(*scope.limits)
        .subquery()
    )


def _broken(kept: Subquery) -> list[ColumnElement[int]]:
    return [func.count().filter(kept.c[name]) for name in Breaches._fields]


def _any_broken(kept: Subquery) -> ColumnElement[bool]:
    return or_(*(kept.c[name] for name in Breaches._fields))
