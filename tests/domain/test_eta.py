"""Estimates fit together."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain import eta

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
kilometres = st.floats(min_value=0, max_value=40)


def test_fifteen_km_of_city_take_half_an_hour() -> None:
    assert eta.travel_time(15.0) == timedelta(minutes=30)
    assert eta.delivery_time(NOON, 15.0) == NOON + timedelta(minutes=36)


@given(kilometres)
def test_food_that_is_ready_when_asked_arrives_when_scheduled(km: float) -> None:
    assert eta.delivery_time(eta.ready_for(NOON, km), km) == NOON


def test_a_driver_waits_for_the_food_or_the_food_for_the_driver() -> None:
    later = NOON + timedelta(minutes=20)

    assert eta.pickup_time(NOON, later, approach_km=1.0) == later
    assert eta.pickup_time(NOON, NOON, approach_km=15.0) == NOON + timedelta(minutes=30)
