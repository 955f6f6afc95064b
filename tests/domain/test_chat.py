"""When the threads of an order are open, and to whom."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chat import (
    BURST,
    OPEN_AFTERWARDS,
    Course,
    Thread,
    Window,
    is_open,
    rings,
    thread_of,
    window,
)
from domain.permissions import Role

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PAID = Course(paid_at=NOON)
PICKED_UP = Course(paid_at=NOON, picked_up_at=NOON + HOUR)
DELIVERED = Course(paid_at=NOON, picked_up_at=NOON + HOUR, delivered_at=NOON + 2 * HOUR)
CANCELLED = Course(paid_at=NOON, cancelled_at=NOON + HOUR)
TURNED_BACK = Course(paid_at=NOON, picked_up_at=NOON + HOUR, cancelled_at=NOON + 2 * HOUR)


@pytest.mark.parametrize(
    ("course", "chef", "driver"),
    [
        (Course(), Window(None, None), Window(None, None)),
        (PAID, Window(NOON, None), Window(None, None)),
        (PICKED_UP, Window(NOON, NOON + HOUR), Window(NOON + HOUR, None)),
        (DELIVERED, Window(NOON, NOON + HOUR), Window(NOON + HOUR, NOON + 3 * HOUR)),
        (CANCELLED, Window(NOON, NOON + HOUR), Window(None, None)),
        (TURNED_BACK, Window(NOON, NOON + HOUR), Window(NOON + HOUR, NOON + 3 * HOUR)),
    ],
    ids=["new", "paid", "picked up", "delivered", "cancelled", "cancelled on the way"],
)
def test_each_thread_has_its_time(course: Course, chef: Window, driver: Window) -> None:
    assert window(Thread.CHEF, course) == chef
    assert window(Thread.DRIVER, course) == driver


def test_the_chefs_thread_closes_with_the_pickup_whatever_the_clock_says() -> None:
    assert is_open(Thread.CHEF, PAID, NOON - MINUTE)
    assert not is_open(Thread.CHEF, PICKED_UP, NOON)
    assert is_open(Thread.DRIVER, PICKED_UP, NOON)


def test_the_drivers_thread_closes_an_hour_after_the_delivery() -> None:
    end = NOON + 2 * HOUR + OPEN_AFTERWARDS

    assert is_open(Thread.DRIVER, DELIVERED, end - MINUTE)
    assert not is_open(Thread.DRIVER, DELIVERED, end)


_MOMENTS = st.integers(-300, 300).map(lambda minutes: NOON + minutes * MINUTE)
_PERHAPS = _MOMENTS | st.none()
_COURSES = st.builds(Course, _PERHAPS, _PERHAPS, _PERHAPS, _PERHAPS)


@given(course=_COURSES, at=_MOMENTS)
def test_customers_never_have_two_threads_open_at_once(course: Course, at: datetime) -> None:
    is_open_now = [thread for thread in Thread if is_open(thread, course, at)]

    assert len(is_open_now) <= 1
    # Who names no thread means the one that is open, if one is.
    assert is_open_now in ([], [thread_of(Role.CUSTOMER, course)])


@given(course=_COURSES)
def test_chefs_and_drivers_mean_their_own_thread(course: Course) -> None:
    assert thread_of(Role.CHEF, course) is Thread.CHEF
    assert thread_of(Role.DRIVER, course) is Thread.DRIVER


@given(gaps=st.lists(st.timedeltas(timedelta(0), timedelta(minutes=4)), max_size=30))
def test_of_a_burst_that_is_not_read_only_the_first_rings(gaps: list[timedelta]) -> None:
    last, at, rung = None, NOON, 0
    for gap in [timedelta(0), *gaps]:
        at += gap
        rung += rings(last, at)
        last = at

    assert rung == 1
    assert rings(last, at + BURST)
