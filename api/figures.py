"""How the platform does, for operators. Amounts in cents, days and hours in UTC."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from sqlalchemy.ext.asyncio import AsyncSession

from api import examples_admin as examples
from api.admin_orders import kitchens_of
from api.dependencies import PeriodDep, ServicesDep
from api.errors import invalid
from api.examples import shown
from api.views import Moment
from domain.geo import Point
from domain.order_status import Actor, OrderStatus
from domain.reviews import Ratings
from schema.messages.base import Message
from schema.queries import figures
from schema.queries.earnings import Between
from schema.queries.figures import Breaches, Scope
from settings import Settings

LONGEST = timedelta(days=92)
_USUAL = timedelta(days=30)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Asked:
    """The days that figures are asked for, and which orders count."""

    begin: date
    end: date
    scope: Scope


async def _asked(
    held: ServicesDep,
    period: PeriodDep,
    market: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
    zone: Annotated[
        str | None,
        Query(
            max_length=100,
            pattern=r"^[^\x00]*$",
            description="Where the kitchen is, as dispatch has it.",
        ),
    ] = None,
) -> Asked:
    tomorrow = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
    try:
        if period.ends is None and period.begins is not None:
            ends = max(min(tomorrow, period.begins + LONGEST), period.begins + _DAY)
        else:
            ends = period.ends or tomorrow
        begins = ends - _USUAL if period.begins is None else period.begins
    except OverflowError as error:
        raise invalid("begin", "out_of_range", "no calendar has such days") from error
    if ends - begins > LONGEST:
        raise invalid("end", "period_too_long", f"at most {LONGEST.days} days, please")
    chef_ids = await kitchens_of(held, zone)
    return Asked(
        begins.date(), (ends - _DAY).date(), Scope(Between(begins, ends), market, chef_ids)
    )


AskedDep = Annotated[Asked, Depends(_asked)]


class MoneyOut(Message):
    """What delivered orders came to in a currency. `platformRevenueCents` are its fees less the
    discounts that it bears.
    """

    currency: str
    orders: int
    revenue_cents: int
    platform_revenue_cents: int
    average_order_cents: int


class AcceptanceOut(Message):
    """How many orders chefs answered or let pass, and how many they took on; null without any."""

    asked: int
    accepted: int
    rate: float | None


class DriversOut(Message):
    """The drivers now: on duty, and of them busy (with an order in hand) and idle."""

    on_duty: int
    busy: int
    idle: int


class RefundsOut(Message):
    """How often money went back to customers, and how much of it."""

    currency: str
    refunds: int
    cents: int


class BreachesOut(Message):
    """Promises that were not kept: chefs who did not answer in time, food later than its chef
    promised by accepting, deliveries later than was promised by placing.
    """

    chef_too_late: int
    food_late: int
    delivery_late: int


class HourOut(BreachesOut):
    """Promises that were not kept about orders placed within an hour."""

    hour: Moment


class ZoneBreachesOut(BreachesOut):
    """Promises that were not kept about orders of a zone's kitchens."""

    zone: str


class DashboardOut(Message):
    """How the platform did in a period: of the orders placed in it. Drivers are those of now,
    wherever they are; refunds those made in it.
    """

    model_config = shown(examples.DASHBOARD)

    begin: date
    end: date
    orders_by_status: dict[OrderStatus, int]
    money: list[MoneyOut]
    chef_acceptance: AcceptanceOut
    drivers: DriversOut
    refunds: list[RefundsOut]
    breaches_by_hour: list[HourOut]
    breaches_by_zone: list[ZoneBreachesOut]


class DayOut(Message):
    """What was ordered on a day, and how many customers registered, wherever they order. `ratings`
    of kitchens were given on it and are seen, of `averageRating` stars (null without any).
    """

    day: date
    orders: int
    delivered: int
    cancelled: int
    revenue_cents: int
    new_customers: int
    ratings: int
    average_rating: float | None


class TopChefOut(Message):
    """What a kitchen's delivered orders came to."""

    chef_id: UUID
    business_name: str
    currency: str
    orders: int
    revenue_cents: int


class CancelledOut(Message):
    """How many orders were cancelled by whom and why."""

    by: Actor | None
    reason: str | None
    orders: int


class AnalyticsOut(Message):
    """A period day by day. `customers` had something delivered in it, `repeatRate` of them not for
    the first time (null without any).
    """

    model_config = shown(examples.ANALYTICS)

    begin: date
    end: date
    days: list[DayOut]
    customers: int
    repeat_rate: float | None
    top_chefs: list[TopChefOut]
    cancellations: list[CancelledOut]


async def dashboard(session: AsyncSession, settings: Settings, asked: Asked) -> DashboardOut:
    """How the platform did; as many statements for a long period as for a short one."""
    scope = asked.scope
    accepted = await figures.acceptance(session, scope)
    drivers = await figures.on_duty(session, datetime.now(UTC).date())
    return DashboardOut(
        begin=asked.begin,
        end=asked.end,
        orders_by_status=await figures.by_status(session, scope),
        money=[
            MoneyOut(**sum_._asdict(), average_order_cents=sum_.revenue_cents // sum_.orders)
            for sum_ in await figures.money(session, scope)
        ],
        chef_acceptance=AcceptanceOut(
            **accepted._asdict(), rate=_share(accepted.accepted, accepted.asked)
        ),
        drivers=DriversOut(**drivers._asdict(), idle=drivers.on_duty - drivers.busy),
        refunds=[RefundsOut(**sum_._asdict()) for sum_ in await figures.refunds(session, scope)],
        breaches_by_hour=[
            HourOut(hour=hour, **broken._asdict())
            for hour, broken in await figures.breaches_by_hour(session, scope)
        ],
        breaches_by_zone=[
            ZoneBreachesOut(zone=zone, **broken._asdict())
            for zone, broken in _by_zone(
                await figures.breaches_by_place(session, scope), settings
            ).items()
        ],
    )


async def analytics(session: AsyncSession, asked: Asked) -> AnalyticsOut:
    """A period day by day; as many statements for a long one as for a short one."""
    scope = asked.scope
    ordered = await figures.days(session, scope)
    came = await figures.new_customers(session, scope.placed)
    customers, again = await figures.customers(session, scope)
    rated = await figures.ratings(session, scope)
    nothing = figures.Day(0, 0, 0, 0)
    return AnalyticsOut(
        begin=asked.begin,
        end=asked.end,
        days=[
            DayOut(
                day=day,
                new_customers=came.get(day, 0),
                ratings=rated.get(day, Ratings()).count,
                average_rating=rated.get(day, Ratings()).average,
                **ordered.get(day, nothing)._asdict(),
            )
            for day in (
                asked.begin + number * _DAY for number in range((asked.end - asked.begin).days + 1)
            )
        ],
        customers=customers,
        repeat_rate=_share(again, customers),
        top_chefs=[TopChefOut(**c._asdict()) for c in await figures.top_chefs(session, scope)],
        cancellations=[
            CancelledOut(**c._asdict()) for c in await figures.cancellations(session, scope)
        ],
    )


def _by_zone(
    places: list[tuple[float, float, Breaches]], settings: Settings
) -> dict[str, Breaches]:
    zoning, found = settings.zoning, defaultdict[str, list[Breaches]](list)
    for latitude, longitude, broken in places:
        found[zoning.zone_of(Point(latitude, longitude))].append(broken)
    return {
        zone: Breaches(*(sum(counts) for counts in zip(*found[zone], strict=True)))
        for zone in sorted(found)
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
