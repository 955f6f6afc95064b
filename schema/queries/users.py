"""Every SQL statement by which operators look at people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.order_status import ENDED, OrderStatus
from schema.queries.earnings import Between
from schema.tables import Chef, Driver, Order, Payment, Role, User, UserProfile

_DELIVERED = (OrderStatus.DELIVERED, OrderStatus.DISPUTED, OrderStatus.REFUNDED)


@dataclass(frozen=True)
class Wanted:
    """Which people: by role, whether they may come in, by a part of name, address or phone, and by
    when they came.
    """

    roles: Sequence[Role] = ()
    active: bool | None = None
    search: str | None = None
    registered: Between = field(default_factory=Between)


class Seen(NamedTuple):
    """Somebody's login and profile."""

    user: User
    profile: UserProfile


class Counts(NamedTuple):
    """What somebody has to do with orders, as customer, chef and driver; amounts in cents."""

    chef_id: UUID | None
    driver_id: UUID | None
    orders: int
    open_orders: int
    cancelled_orders: int
    spent_cents: int
    refunded_cents: int
    orders_cooked: int
    deliveries: int


async def page(
    session: AsyncSession, wanted: Wanted, *, limit: int, offset: int
) -> tuple[list[Seen], int]:
    """A page of people, those who came last first, and how many there are."""
    asked = chosen(wanted)
    found = await session.execute(asked.limit(limit).offset(offset))
    total = await session.scalar(select(func.count()).select_from(asked.order_by(None).subquery()))
    return [Seen(*row) for row in found], total or 0


def chosen(wanted: Wanted) -> Select[User, UserProfile]:
    """Who is wanted, those who came last first."""
    return (
        select(User, UserProfile)
        .join(UserProfile, col(UserProfile.user_id) == col(User.id))
        .where(*_limits(wanted))
        .order_by(col(User.created_at).desc(), col(User.id).desc())
    )


async def one(session: AsyncSession, user_id: UUID) -> Seen | None:
    """Somebody."""
    found = await session.execute(
        select(User, UserProfile)
        .join(UserProfile, col(UserProfile.user_id) == col(User.id))
        .where(col(User.id) == user_id)
    )
    row = found.first()
    return None if row is None else Seen(*row)


async def counts(session: AsyncSession, user_id: UUID) -> Counts:
    """What somebody has to do with orders; one statement."""
    chef_id = select(col(Chef.id)).where(col(Chef.user_id) == user_id).scalar_subquery()
    driver_id = select(col(Driver.id)).where(col(Driver.user_id) == user_id).scalar_subquery()
    own = col(Order.customer_id) == user_id
    placed = (
        select(
            func.count().label("orders"),
            func.count().filter(col(Order.status).not_in(ENDED)).label("open"),
            func.count().filter(col(Order.status) == OrderStatus.CANCELLED).label("cancelled"),
            func.coalesce(
                func.sum(col(Order.total_cents)).filter(col(Order.status).in_(_DELIVERED)), 0
            ).label("spent"),
            func.coalesce(func.sum(col(Payment.refunded_cents)), 0).label("refunded"),
        )
        .select_from(Order)
        .outerjoin(Payment, col(Payment.order_id) == col(Order.id))
        .where(own)
        .subquery()
    )

    def brought(by: ColumnElement[bool]) -> ColumnElement[int]:
        return (
            select(func.count())
            .select_from(Order)
            .where(by, col(Order.status).in_(_DELIVERED))
            .scalar_subquery()
        )

    found = await session.execute(
        select(
            chef_id,
            driver_id,
            *placed.c,
            brought(col(Order.chef_id) == chef_id),
            brought(col(Order.driver_id) == driver_id),
        ).select_from(placed)
    )
    return Counts(*found.one())


async def rename(session: AsyncSession, user_id: UUID, values: dict[str, str]) -> None:
    """Call somebody otherwise."""
    await session.execute(
        update(UserProfile).where(col(UserProfile.user_id) == user_id).values(**values)
    )


def _limits(wanted: Wanted) -> list[ColumnElement[bool]]:
    limits = list(wanted.registered.holds(col(User.created_at)))
    if wanted.roles:
        limits.append(col(User.role).in_(wanted.roles))
    if wanted.active is not None:
        limits.append(col(User.is_active).is_(wanted.active))
    if wanted.search:
        name = UserProfile.first_name + " " + UserProfile.last_name
        limits.append(
            or_(
                func.lower(name).contains(wanted.search.lower(), autoescape=True),
                func.lower(User.email).contains(wanted.search.lower(), autoescape=True),
                col(UserProfile.phone).contains(wanted.search, autoescape=True),
            )
        )
    return limits
