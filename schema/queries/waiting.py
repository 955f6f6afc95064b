"""Every SQL statement by which operators see which orders look for a driver, and why."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Text, any_, func, literal, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from domain.order_status import WANTS_DRIVER
from schema.messages.dispatch import AssignmentStatus
from schema.tables import Chef, DispatchSearch, Driver, DriverAssignment, Order, UserProfile


class Waiting(NamedTuple):
    """An order that looks for a driver; `offer` waits for the answer of `driver_name`."""

    search: DispatchSearch
    order: Order
    kitchen_name: str
    preferred_driver_name: str | None
    offer: DriverAssignment | None
    driver_name: str | None


class Zone(NamedTuple):
    """How many orders look for a driver in a zone, and since when the first of them."""

    zone: str
    waiting: int
    held: int
    offered: int
    since: datetime


_asked, _preferred = aliased(Driver), aliased(Driver)
_his_name, _preferred_name = aliased(UserProfile), aliased(UserProfile)

_IS_LIVE = (col(DriverAssignment.order_id) == col(DispatchSearch.order_id)) & (
    col(DriverAssignment.status) == AssignmentStatus.OFFERED
)


async def page(
    session: AsyncSession, zone: str | None, *, limit: int, offset: int
) -> tuple[list[Waiting], int]:
    """The orders that look for a driver, the longest first, and how many there are."""
    wanted = _wanted(zone)
    found = await session.execute(
        select(
            DispatchSearch,
            Order,
            col(Chef.business_name),
            col(_preferred_name.first_name),
            DriverAssignment,
            col(_his_name.first_name),
        )
        .join(Order, col(Order.id) == col(DispatchSearch.order_id))
        .join(Chef, col(Chef.id) == col(Order.chef_id))
        .outerjoin(_preferred, col(_preferred.id) == col(DispatchSearch.preferred_driver_id))
        .outerjoin(_preferred_name, col(_preferred_name.user_id) == col(_preferred.user_id))
        .outerjoin(DriverAssignment, _IS_LIVE)
        .outerjoin(_asked, col(_asked.id) == col(DriverAssignment.driver_id))
        .outerjoin(_his_name, col(_his_name.user_id) == col(_asked.user_id))
        .where(wanted)
        .order_by(col(DispatchSearch.joined_at), col(DispatchSearch.order_id))
        .limit(limit)
        .offset(offset)
    )
    total = await session.scalar(
        select(func.count())
        .select_from(DispatchSearch)
        .join(Order, col(Order.id) == col(DispatchSearch.order_id))
        .where(wanted)
    )
    return [Waiting(*row) for row in found], int(total or 0)


async def by_zone(session: AsyncSession, zone: str | None, now: datetime) -> list[Zone]:
    """How much waits in each zone; what lies near a border counts on both sides of it."""
    each = (
        select(
            func.unnest(DispatchSearch.zones, type_=Text).label("zone"),
            col(DispatchSearch.joined_at),
            (col(DispatchSearch.held_until) > now).label("is_held"),
            col(DriverAssignment.id).label("offered"),
        )
        .join(Order, col(Order.id) == col(DispatchSearch.order_id))
        .outerjoin(DriverAssignment, _IS_LIVE)
        .where(_wanted(zone))
        .subquery()
    )
    found = await session.execute(
        select(
            each.c.zone,
            func.count(),
            func.count().filter(each.c.is_held),
            func.count(each.c.offered),
            func.min(each.c.joined_at),
        )
        .where(true() if zone is None else each.c.zone == zone)
        .group_by(each.c.zone)
        .order_by(each.c.zone)
    )
    return [Zone(*row) for row in found]


def _wanted(zone: str | None) -> ColumnElement[bool]:
    wanted = col(Order.status).in_(WANTS_DRIVER) & col(Order.driver_id).is_(None)
    return wanted if zone is None else wanted & (literal(zone) == any_(col(DispatchSearch.zones)))
