"""What chefs look at while they cook, and after the week."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, select, text
from sqlmodel import col

from domain.hours import known_zones
from domain.order_status import OrderStatus
from domain.reviews import Reviewee
from local.cast import Cast
from schema.queries import kitchen_figures, order_views
from schema.queries.earnings import Between
from schema.tables import Chef, Order, OrderItem, OrderStatusHistory
from schema.tables.columns import now
from tests.api.delivered import rated
from tests.api.kitchens import refusal

S = OrderStatus

DAY = date(2026, 3, 8)  # in Austin it has 23 hours


async def sold(
    play: Cast, at: datetime, status: OrderStatus = S.DELIVERED, **changes: object
) -> UUID:
    """An order of the golden basket that is over, past its workflow."""
    placing = play.world.placing()
    price = placing.order.price
    cents = {name: getattr(price, name) for name in Order.model_fields if hasattr(price, name)}
    row = Order(
        **{
            "order_number": f"RND-{uuid4()}",
            "customer_id": play.world.customer.user_id,
            "chef_id": play.world.chef.id,
            "market": "austin",
            "status": status,
            "sequence": 1,
            "currency": "usd",
            **cents,
            "platform_fee_cents": 300,
            "chef_earning_cents": 1700,
            "driver_earning_cents": 500,
            "pickup_latitude": 0,
            "pickup_longitude": 0,
            "delivery_line1": "1 Test Street",
            "delivery_city": "Testville",
            "delivery_state": "TX",
            "delivery_postal_code": "78701",
            "delivery_country": "US",
            "delivery_latitude": 0,
            "delivery_longitude": 0,
            "road_km": 1,
            "prep_minutes": 20,
            "proof_kind": "none",
            "estimated_ready_at": at,
            "estimated_delivery_at": at,
            "created_at": at,
            "paid_at": at,
            "accepted_at": at,
            "prepared_at": at + timedelta(minutes=30),
            "delivered_at": at + timedelta(minutes=50),
            **changes,
        }
    )
    async with play.database.write() as session:
        session.add(row)
        await session.flush()
        session.add(
            OrderItem(
                order_id=row.id,
                menu_item_id=play.world.dish_id,
                name="Masala Dosa",
                price_cents=1000,
                quantity=2,
            )
        )
    return row.id


async def refused(play: Cast, paid_at: datetime, by: str) -> None:
    """An order that was cancelled before the kitchen had taken it on."""
    nothing = dict.fromkeys(("accepted_at", "prepared_at", "delivered_at"))
    await sold(play, paid_at, S.CANCELLED, cancelled_at=paid_at, cancelled_by=by, **nothing)


def local(hour: int, day: date = DAY) -> datetime:
    """An hour of a winter's day in Austin, before the clocks are put forward."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC) + timedelta(hours=6)


async def analytics(play: Cast, **period: str) -> dict[str, Any]:
    answer: dict[str, Any] = await play.chef.get("/chef/analytics", **period)
    return answer


def figures(told: Mapping[str, Any], **of: object) -> None:
    assert {name: told[name] for name in of} == of


async def test_days_are_by_the_kitchens_clock_and_add_up(play: Cast) -> None:
    await sold(play, local(0))
    await sold(play, local(0) - timedelta(seconds=1))
    await sold(play, local(12))
    await sold(play, local(23) - timedelta(hours=1))
    await sold(play, local(0, DAY + timedelta(days=1)) - timedelta(hours=1))

    found = await analytics(play, begin="2026-03-07", end="2026-03-09")

    assert [(day["day"], day["orders"]) for day in found["days"]] == [
        ("2026-03-07", 1),
        ("2026-03-08", 3),
        ("2026-03-09", 1),
    ]
    figures(found["total"], orders=5, delivered=5, revenueCents=10_000, earningCents=8500)
    assert (found["timezone"], found["currency"]) == ("America/Chicago", "usd")
    assert found["topItems"] == [
        {
            "menuItemId": str(play.world.dish_id),
            "name": "Masala Dosa",
            "portions": 10,
            "revenueCents": 10_000,
        }
    ]
    only = await analytics(play, begin="2026-03-08", end="2026-03-08")
    assert only["total"] == {k: v for k, v in only["days"][0].items() if k != "day"}
    assert only["total"]["orders"] == 3
    await play.chef.put("/chef/profile", timezone="Asia/Tokyo")
    elsewhere = await analytics(play, begin="2026-03-07", end="2026-03-09")
    assert [day["orders"] for day in elsewhere["days"]] == [0, 2, 3]


async def test_acceptance_is_of_the_orders_that_the_kitchen_could_answer(play: Cast) -> None:
    await sold(play, local(1))
    for by in ("chef", "deadline", "customer", "admin"):
        await refused(play, local(2), by)
    # Taken on, and given up.
    await sold(
        play,
        local(3),
        S.CANCELLED,
        prepared_at=None,
        delivered_at=None,
        cancelled_at=local(4),
        cancelled_by="chef",
    )

    found = await analytics(play, begin="2026-03-08", end="2026-03-08")

    figures(found["total"], orders=6, delivered=1, cancelled=5, revenueCents=2000)
    assert found["total"]["acceptance"] == 2 / 4


async def test_ratings_are_of_the_days_on_which_they_were_given_as_far_as_they_are_seen(
    play: Cast,
) -> None:
    for stars, at in (
        (1, local(0) - timedelta(seconds=1)),
        (5, local(0)),
        (4, local(22)),
        (3, local(23)),
    ):
        await rated(play, await sold(play, local(0)), Reviewee.CHEF, stars, "visible", at)
    for status in ("hidden", "pending"):
        await rated(play, await sold(play, local(0)), Reviewee.CHEF, 1, status, local(12))
    await rated(play, await sold(play, local(0)), Reviewee.DRIVER, 1, "visible", local(12))

    found = await analytics(play, begin="2026-03-08", end="2026-03-10")

    assert [(day["ratings"], day["averageRating"]) for day in found["days"]] == [
        (2, 4.5),
        (1, 3.0),
        (0, None),
    ]
    figures(found["total"], ratings=3, averageRating=4.0)


async def test_what_was_promised_is_the_chefs_word_or_the_menus(play: Cast) -> None:
    await sold(play, local(1))
    said = await sold(play, local(2), prepared_at=local(2) + timedelta(minutes=40))
    await sold(play, local(3), scheduled_for=local(9), prepared_at=local(9))
    async with play.database.write() as session:
        session.add(
            OrderStatusHistory(
                order_id=said,
                sequence=3,
                status=S.ACCEPTED,
                actor="chef",
                changes={"said_minutes": 50},
                created_at=now(),
            )
        )

    found = await analytics(play, begin="2026-03-08", end="2026-03-08")

    figures(found["total"], averagePromisedMinutes=35.0, averageRealMinutes=35.0)


async def test_every_zone_that_a_kitchen_may_have_is_one_that_the_database_knows(
    play: Cast,
) -> None:
    async with play.database.read() as session:
        found = await session.scalars(text("SELECT name FROM pg_timezone_names"))

    assert known_zones() <= set(found)


async def test_nothing_sold_is_told_as_nothing(play: Cast) -> None:
    found = await analytics(play)

    assert len(found["days"]) == 30
    assert {day["orders"] for day in found["days"]} == {0}
    figures(
        found["total"],
        orders=0,
        revenueCents=0,
        acceptance=None,
        averagePromisedMinutes=None,
        averageRealMinutes=None,
    )
    assert found["topItems"] == []


async def test_a_real_order_is_in_the_figures_of_today(play: Cast) -> None:
    await play.bring(S.DELIVERED)

    found = await analytics(play)

    figures(found["total"], orders=1, delivered=1, acceptance=1.0, revenueCents=2000)
    figures(found["days"][-1], orders=1)


async def test_orders_of_others_and_unpaid_ones_are_not_in_it(play: Cast) -> None:
    await sold(play, local(1), S.PENDING, paid_at=None, accepted_at=None, delivered_at=None)
    async with play.database.read() as session:
        other = await session.scalar(
            select(col(Chef.id)).where(col(Chef.business_name) == "Linh's Pho")
        )
    await sold(play, local(1), chef_id=other)

    found = await analytics(play, begin="2026-03-08", end="2026-03-08")

    assert (found["total"]["orders"], found["topItems"]) == (0, [])


@pytest.mark.parametrize(
    ("period", "code"),
    [
        ({"begin": "2026-03-09", "end": "2026-03-08"}, "ends_before_it_begins"),
        ({"begin": "2025-01-01", "end": "2026-03-08"}, "period_too_long"),
        ({"begin": "0001-01-01", "end": "0001-01-02"}, "invalid_request"),
        ({"begin": "9999-12-31"}, "invalid_request"),
        ({"begin": "yesterday"}, "invalid_request"),
    ],
)
async def test_a_period_that_is_none_is_refused(
    play: Cast, period: dict[str, str], code: str
) -> None:
    assert await refusal(analytics(play, **period)) == (422, code)


async def test_the_last_days_of_the_calendar_can_be_asked_for(play: Cast) -> None:
    last = await analytics(play, begin="2199-12-31", end="2199-12-31")
    ahead = await analytics(play, begin="2199-12-01")

    assert last["total"]["orders"] == 0
    assert len(ahead["days"]) == 1


async def test_the_board_has_what_the_kitchen_thinks_of_the_longest_waiting_first(
    play: Cast,
) -> None:
    await play.place()
    new = [await play.bring(S.PAYMENT_CONFIRMED) for _ in range(2)]
    cooking = await play.bring(S.PREPARING)
    await sold(play, local(1))

    board = await play.chef.get("/chef/orders/board")

    columns = {column["status"]: column for column in board["columns"]}
    assert list(columns) == [
        "payment_confirmed",
        "accepted",
        "preparing",
        "ready_for_pickup",
        "assigned_to_driver",
        "picked_up",
        "in_transit",
    ]
    assert {status: column["count"] for status, column in columns.items() if column["count"]} == {
        "payment_confirmed": 2,
        "preparing": 1,
    }
    shown = [order["id"] for order in columns["payment_confirmed"]["orders"]]
    assert shown == [order["id"] for order in new]
    assert columns["preparing"]["orders"][0]["id"] == cooking["id"]
    assert columns["preparing"]["orders"][0]["deliveryCode"] is None


async def test_a_long_column_is_counted_whole_and_shown_in_part(play: Cast) -> None:
    first = [await sold(play, local(1) + timedelta(minutes=n), S.PREPARING) for n in range(25)]

    (column,) = [
        column
        for column in (await play.chef.get("/chef/orders/board"))["columns"]
        if column["count"]
    ]

    assert column["count"] == 25
    assert [order["id"] for order in column["orders"]] == [str(order_id) for order_id in first[:20]]


@pytest.mark.parametrize("orders", [1, 50])
async def test_figures_and_board_ask_as_often_however_much_was_sold(
    play: Cast, orders: int
) -> None:
    for number in range(orders):
        await sold(play, local(1) + timedelta(minutes=number))
        await sold(play, local(1) + timedelta(minutes=number), S.PREPARING)
    statements: list[str] = []
    engine = play.database.engine.sync_engine

    @event.listens_for(engine, "before_cursor_execute")
    def count(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement)

    user_id, chef_id = play.world.chef.user_id, play.world.chef.id
    async with play.database.read() as session:
        await kitchen_figures.by_day(session, chef_id, "UTC", Between(), pace=1)
        await kitchen_figures.ratings_by_day(session, chef_id, "UTC", Between())
        await kitchen_figures.top_dishes(session, chef_id, Between(), limit=10)
        columns = await kitchen_figures.board(session, user_id, [S.PREPARING], limit=20)
        await order_views.page(
            session,
            order_views.of_chef(user_id) & order_views.among(columns[S.PREPARING].first),
            statuses=[],
            limit=20,
            offset=0,
        )
    event.remove(engine, "before_cursor_execute", count)

    assert columns[S.PREPARING].orders == orders
    assert len(statements) == 6
