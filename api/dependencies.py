"""What routes need, and who may call them.

All of it is `async`, even where nothing is waited for: FastAPI runs what is not in a thread of its
own, which costs more than the work itself.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID

import jwt
from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from redis.asyncio import Redis
from sqlalchemy import ColumnElement

from api.auth import Principal, principal
from api.engine import Engine
from api.errors import invalid, not_found, unauthorised
from api.live.hub import Hub
from api.locations import Locations
from api.rate_limits import RateLimits
from providers.attempts import Attempts
from providers.live import Live
from providers.maps import Maps, TravelTimes
from providers.positions import Positions
from providers.shut_outs import ShutOuts
from providers.social import Pending, SocialLogins
from providers.storage import Storage
from providers.stripe import Stripe
from schema.database import Database
from schema.queries import order_views
from schema.queries.earnings import Between
from schema.queries.order_views import Access
from schema.tables import Role
from settings import Settings


@dataclass(frozen=True)
class Services:
    """What a process of the facade holds while it runs."""

    settings: Settings
    database: Database
    redis: Redis
    rate_limits: RateLimits
    positions: Positions
    shut_outs: ShutOuts
    attempts: Attempts
    locations: Locations
    live: Live
    hub: Hub
    maps: Maps
    travel: TravelTimes
    social: SocialLogins
    social_states: Pending
    social_links: Pending
    storage: Storage
    stripe: Stripe
    engine: Engine


async def services(request: Request) -> Services:
    """What this process holds."""
    held: Services = request.app.state.services
    return held


ServicesDep = Annotated[Services, Depends(services)]

_bearer = HTTPBearer(auto_error=False, description="The access token of POST /auth/login.")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def caller(held: ServicesDep, bearer: Bearer) -> Principal:
    """Who is asking; 401 unless a valid token says so."""
    if bearer is None:
        raise unauthorised("an access token is needed")
    return await known(held, bearer.credentials)


async def known(held: Services, token: str) -> Principal:
    """Whose an access token is. Raises Problem: 401 unless it is valid."""
    try:
        who = principal(token, held.settings)
    except jwt.ExpiredSignatureError as error:
        raise unauthorised("the access token has expired") from error
    except jwt.InvalidTokenError as error:
        raise unauthorised("the access token is not valid") from error
    if await held.shut_outs.is_out(who.user_id, who.issued_at):
        raise unauthorised("the session has ended")
    return who


CallerDep = Annotated[Principal, Depends(caller)]


@dataclass(frozen=True)
class Paging:
    """Which part of a list is wanted."""

    page: int
    limit: int

    @property
    def offset(self) -> int:
        """How many come before it."""
        return (self.page - 1) * self.limit


async def _paging(
    page: Annotated[int, Query(ge=1, le=100_000, description="Counted from 1.")] = 1,
    limit: Annotated[int, Query(ge=1, le=100, description="How many to a page.")] = 20,
) -> Paging:
    return Paging(page, limit)


PagingDep = Annotated[Paging, Depends(_paging)]


async def _period(
    begin: Annotated[date | None, Query(description="The first day, UTC.")] = None,
    end: Annotated[date | None, Query(description="The last day, UTC.")] = None,
) -> Between:
    if begin is not None and end is not None and end < begin:
        raise invalid("end", "ends_before_it_begins", f"{end} is before {begin}")
    try:
        after = None if end is None else end + timedelta(days=1)
    except OverflowError as error:
        raise invalid("end", "too_late", f"{end} is too late") from error
    return Between(_midnight(begin), _midnight(after))


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)


PeriodDep = Annotated[Between, Depends(_period)]


async def order_of(held: Services, order_id: UUID, who: Principal) -> Access:
    """An order that concerns the caller; 404 for any other, so that its existence is not told."""
    async with held.database.read() as session:
        order = await order_views.access(session, order_id)
    if order is None or not concerns(order, who):
        raise not_found("order")
    return order


def concerns(order: Access, who: Principal) -> bool:
    """Whether an order is any business of the caller's."""
    match who.role:
        case Role.ADMIN:
            return True
        case Role.CUSTOMER:
            return order.customer_id == who.user_id
        case Role.CHEF:
            return order.is_paid and order.chef_user_id == who.user_id
        case Role.DRIVER:
            return order.driver_user_id == who.user_id


def visible_to(who: Principal) -> ColumnElement[bool]:
    """Which orders the caller may see."""
    match who.role:
        case Role.ADMIN:
            return order_views.of_anybody()
        case Role.CUSTOMER:
            return order_views.of_customer(who.user_id)
        case Role.CHEF:
            return order_views.of_chef(who.user_id)
        case Role.DRIVER:
            return order_views.of_driver(who.user_id)
