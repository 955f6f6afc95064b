"""Estimates fit together."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import eta
from domain.eta import City

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
REAL = City()

drives = st.floats(min_value=0, max_value=90).map(lambda minutes: timedelta(minutes=minutes))
paces = st.sampled_from([1.0, 2.0, 20.0])


def test_fifteen_km_of_city_take_half_an_hour() -> None:
    drive = REAL.drive(15.0)

    assert drive == 30 * MINUTE
    assert eta.delivery_time(NOON, drive, REAL) == NOON + 36 * MINUTE


@given(drives, paces)
def test_food_that_is_ready_when_asked_arrives_when_scheduled(
    drive: timedelta, pace: float
) -> None:
    city = City(pace=pace)

    assert eta.delivery_time(eta.ready_for(NOON, drive, city), drive, city) == NOON


def test_a_driver_waits_for_the_food_or_the_food_for_the_driver() -> None:
    later = NOON + 20 * MINUTE

    assert eta.pickup_time(NOON, later, approach=2 * MINUTE) == later
    assert eta.pickup_time(NOON, NOON, approach=30 * MINUTE) == NOON + 30 * MINUTE


@pytest.mark.parametrize("pace", [1.0, 20.0])
def test_everything_in_a_faster_city_is_as_much_shorter(pace: float) -> None:
    city = City(pace=pace)
    drive = city.drive(15.0)

    assert eta.ready_at(NOON, 20, city) == NOON + 20 * MINUTE / pace
    assert drive == 30 * MINUTE / pace
    assert eta.delivery_time(NOON, drive, city) == NOON + 36 * MINUTE / pace
    assert eta.at_the_door(NOON, drive, city) == NOON + 33 * MINUTE / pace
    assert city.minutes(drive) == 30


def test_a_slower_city_with_longer_handovers() -> None:
    city = City(kmh=15, handover=5 * MINUTE)

    assert eta.delivery_time(NOON, city.drive(15.0), city) == NOON + 70 * MINUTE
