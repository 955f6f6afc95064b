"""What is expected of an order changes with what happens to it, and with nothing else."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain import geo
from domain.eta import City
from domain.geo import Point
from domain.pricing import Rates, price
from schema.messages.order import Changes, Order
from workflows import estimates

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CITY = City()
DRIVER = uuid4()
KITCHEN, DOOR = Point(30.2672, -97.7431), Point(30.2755, -97.7415)


def order(**changes: object) -> Order:
    """Ready at noon, ten minutes of drive from its door: 16 minutes with the handovers."""
    known = {
        "id": uuid4(),
        "customer_id": uuid4(),
        "chef_id": uuid4(),
        "market": "austin",
        "kitchen_name": "Test Kitchen",
        "kitchen": KITCHEN,
        "door": DOOR,
        "road_km": geo.road_km(KITCHEN, DOOR),
        "drive_seconds": 600,
        "price": price([(1000, 2)], Rates(), 2.0),
        "prep_minutes": 20,
        "placed_at": NOON - 20 * MINUTE,
        "estimated_ready_at": NOON,
        "estimated_pickup_at": NOON,
        "estimated_delivery_at": NOON + 16 * MINUTE,
    }
    return Order(**{**known, **changes})


def minutes(changes: Changes) -> tuple[float | None, float | None, float | None]:
    """Ready, pickup and delivery in minutes after noon."""
    moments = (
        changes.estimated_ready_at,
        changes.estimated_pickup_at,
        changes.estimated_delivery_at,
    )
    ready, pickup, delivery = ((m - NOON) / MINUTE if m else None for m in moments)
    return ready, pickup, delivery


def test_a_chef_promises_and_the_rest_follows() -> None:
    assert minutes(estimates.cooking(order(), NOON, CITY, 25)) == (25, 25, 41)


def test_in_a_faster_city_it_follows_faster() -> None:
    assert minutes(estimates.cooking(order(), NOON, City(pace=20), 25)) == (1.25, 1.25, 2.05)


def test_a_drive_that_no_map_was_asked_for_is_as_long_as_its_road() -> None:
    told = estimates.cooking(order(drive_seconds=None, road_km=15.0), NOON, CITY, 0.5)

    assert minutes(told) == (0.5, 0.5, 36.5)


def test_scheduled_food_is_not_ready_before_its_time() -> None:
    asked = order(scheduled_for=NOON + 60 * MINUTE)

    assert minutes(estimates.cooking(asked, NOON, CITY, 10)) == (44, 44, 60)


def test_food_that_is_ready_early_is_expected_early() -> None:
    assert minutes(estimates.ready(order(), NOON - 8 * MINUTE, CITY)) == (-8, -8, 8)


def test_food_that_is_ready_early_waits_for_the_driver_it_has() -> None:
    taken = order(
        driver_id=DRIVER,
        estimated_pickup_at=NOON + 4 * MINUTE,
        estimated_delivery_at=NOON + 20 * MINUTE,
    )

    assert minutes(estimates.ready(taken, NOON - 8 * MINUTE, CITY)) == (-8, 4, 20)
    assert minutes(estimates.ready(taken, NOON + 9 * MINUTE, CITY)) == (9, 9, 25)


@pytest.mark.parametrize(
    ("pickup", "delivery", "expected"),
    [
        (None, None, (None, 0, 16)),
        (7, None, (None, 7, 23)),
        (7, 35, (None, 7, 35)),
        # Nobody has food before it is ready, nor is sooner at the door than straight from there.
        (-5, 3, (None, 0, 16)),
    ],
)
def test_a_driver_brings_what_was_expected_of_him(
    pickup: float | None, delivery: float | None, expected: tuple[float | None, float, float]
) -> None:
    told = estimates.assigned(
        order(),
        NOON - 3 * MINUTE,
        CITY,
        pickup_at=None if pickup is None else NOON + pickup * MINUTE,
        delivery_at=None if delivery is None else NOON + delivery * MINUTE,
    )

    assert minutes(told) == expected


def test_nothing_is_expected_any_more_of_a_driver_who_gave_the_order_back() -> None:
    taken = order(driver_id=DRIVER, estimated_pickup_at=NOON + 30 * MINUTE)

    assert minutes(estimates.given_back(taken, NOON + 2 * MINUTE, CITY)) == (None, 2, 18)


def test_who_has_the_food_needs_the_drive_and_the_doors_before() -> None:
    straight = order(driver_id=DRIVER)
    second = order(driver_id=DRIVER, estimated_delivery_at=NOON + 25 * MINUTE)

    assert minutes(estimates.picked_up(straight, NOON + 5 * MINUTE, CITY)) == (None, 5, 18)
    assert minutes(estimates.picked_up(second, NOON + 5 * MINUTE, CITY)) == (None, 5, 27)


def test_who_leaves_late_arrives_late_and_who_leaves_at_once_as_expected() -> None:
    taken = order(driver_id=DRIVER, estimated_delivery_at=NOON + 13 * MINUTE)

    assert minutes(estimates.left(taken, NOON, CITY)) == (None, None, 13)
    assert minutes(estimates.left(taken, NOON + 6 * MINUTE, CITY)) == (None, None, 19)


def test_near_the_door_only_the_handover_is_left() -> None:
    assert estimates.near_door(NOON, CITY) == NOON + 3 * MINUTE


@pytest.mark.parametrize(("late", "told"), [(0.9, None), (-0.9, None), (1, 1), (-3, -3)])
def test_what_is_expected_already_is_not_told_again(late: float, told: float | None) -> None:
    anew = estimates.cooking(order(), NOON - 20 * MINUTE, CITY, 20 + late)

    news = estimates.if_otherwise(order(), anew, CITY)

    assert minutes(news)[0] == (None if told is None else pytest.approx(told))
    assert (news.estimated_delivery_at is None) == (told is None)
