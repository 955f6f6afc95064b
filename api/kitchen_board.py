"""A kitchen's day at a glance: what is on the stove, and how it does."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from api import examples, kitchen_hours, views
from api import examples_kitchens as kitchen_examples
from api.dependencies import Services
from api.errors import invalid
from api.examples import shown
from api.kitchen_lookup import kitchen_of
from api.views import OrderOut
from domain.kitchen_figures import Figures, total
from domain.order_status import OrderStatus
from domain.reviews import Ratings
from schema.messages.base import Message
from schema.queries import kitchen_figures, order_views
from schema.queries.earnings import Between
from schema.queries.kitchen_figures import Column
from schema.tables import Chef

# A screen has no room for more of each.
FIRST = 20
TOP = 10
_USUAL_DAYS = 30
_MOST_DAYS = 366

S = OrderStatus

# What a kitchen has to think of, in the sequence in which it passes.
_ON_THE_BOARD = (
    S.PAYMENT_CONFIRMED,
    S.ACCEPTED,
    S.PREPARING,
    S.READY_FOR_PICKUP,
    S.ASSIGNED_TO_DRIVER,
    S.PICKED_UP,
    S.IN_TRANSIT,
)


class BoardColumnOut(Message):
    """A state, how many orders are in it, and the first of them, the longest waiting first."""

    status: OrderStatus
    count: int
    orders: list[OrderOut]


class BoardOut(Message):
    """A kitchen's orders that are not over, by state."""

    model_config = shown(
        {"columns": [{"status": "preparing", "count": 1, "orders": [examples.ORDER]}]}
    )

    columns: list[BoardColumnOut]


class FiguresOut(Message):
    """What became of orders that were paid for. Revenue is the dishes of delivered orders, earnings
    the kitchen's part of them by their bills. `acceptance` is the share of those answered, or not
    answered in time, that were taken on; average minutes are over orders that were not scheduled.
    `ratings` were given in that time and are seen, whenever the order was, of `averageRating`
    stars. Null where there is nothing to tell it by.
    """

    orders: int
    delivered: int
    cancelled: int
    revenue_cents: int
    earning_cents: int
    acceptance: float | None
    average_promised_minutes: float | None
    average_real_minutes: float | None
    ratings: int
    average_rating: float | None


class DayOut(FiguresOut):
    """The figures of one day by the kitchen's clock."""

    day: date


class TopItemOut(Message):
    """A dish, how many portions of it were delivered, and what they cost."""

    menu_item_id: UUID
    name: str
    portions: int
    revenue_cents: int


class AnalyticsOut(Message):
    """How a kitchen did from `begin` to `end`, both included, day by day and in all. `rating` is
    today's, of `ratingCount` ratings.
    """

    model_config = shown(kitchen_examples.KITCHEN_ANALYTICS)

    begin: date
    end: date
    timezone: str
    currency: str
    total: FiguresOut
    days: list[DayOut]
    top_items: list[TopItemOut]
    rating: float
    rating_count: int


async def board_of(held: Services, user_id: UUID) -> BoardOut:
    """What a chef has in hand, in three statements."""
    async with held.database.read() as session:
        columns = await kitchen_figures.board(session, user_id, _ON_THE_BOARD, limit=FIRST)
        ids = [order_id for column in columns.values() for order_id in column.first]
        found, _ = await order_views.page(
            session,
            order_views.of_chef(user_id) & order_views.among(ids),
            statuses=[],
            limit=len(_ON_THE_BOARD) * FIRST,
            offset=0,
        )
    seen = {view.order.id: views.order(view) for view in found}
    return BoardOut(columns=[_column(status, columns, seen) for status in _ON_THE_BOARD])


async def analytics(
    held: Services, chef_id: UUID, begin: date | None, end: date | None
) -> AnalyticsOut:
    """How a kitchen did, in four statements. Raises Problem for a period that is none, or is
    longer than a year.
    """
    async with held.database.read() as session:
        chef = await kitchen_of(session, chef_id)
        zone = kitchen_hours.zone(held.settings, chef)
        first, last = _period(begin, end, datetime.now(ZoneInfo(zone)).date())
        between = Between(_midnight(first, zone), _midnight(last + timedelta(days=1), zone))
        known = await kitchen_figures.by_day(
            session, chef_id, zone, between, pace=held.settings.pace
        )
        rated = await kitchen_figures.ratings_by_day(session, chef_id, zone, between)
        sold = await kitchen_figures.top_dishes(session, chef_id, between, limit=TOP)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return AnalyticsOut(
        begin=first,
        end=last,
        timezone=zone,
        currency=_currency(held, chef),
        total=FiguresOut(**_told(total(known.values()), sum(rated.values(), Ratings()))),
        days=[
            DayOut(day=day, **_told(known.get(day, Figures()), rated.get(day, Ratings())))
            for day in days
        ],
        top_items=[TopItemOut(**dish._asdict()) for dish in sold],
        rating=chef.rating,
        rating_count=chef.rating_count,
    )


def _period(begin: date | None, end: date | None, today: date) -> tuple[date, date]:
    last = end or max(today, begin or today)
    first = begin or last - timedelta(days=_USUAL_DAYS - 1)
    if last < first:
        raise invalid("end", "ends_before_it_begins", f"{last} is before {first}")
    if (last - first).days >= _MOST_DAYS:
        raise invalid("begin", "period_too_long", f"{_MOST_DAYS} days at most, please")
    return first, last


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _currency(held: Services, chef: Chef) -> str:
    return held.settings.markets[chef.market].rates.currency


def _told(figures: Figures, rated: Ratings) -> dict[str, Any]:
    told = {"ratings": rated.count, "average_rating": rated.average}
    of_orders = FiguresOut.model_fields.keys() - told.keys()
    return told | {name: getattr(figures, name) for name in of_orders}


def _column(
    status: OrderStatus, columns: Mapping[OrderStatus, Column], seen: Mapping[UUID, OrderOut]
) -> BoardColumnOut:
    column = columns.get(status, Column(status, 0, []))
    # One that has moved on since it was counted is in its new state the next time.
    orders: Sequence[OrderOut] = [
        seen[order_id]
        for order_id in column.first
        if order_id in seen and seen[order_id].status is status
    ]
    return BoardColumnOut(status=status, count=column.orders, orders=list(orders))
