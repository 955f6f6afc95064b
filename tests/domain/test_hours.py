"""When a kitchen is open, also past midnight, on single days and when the clocks change."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.hours import (
    HORIZON,
    MOST_EXCEPTIONS,
    WEEKDAYS,
    check_exceptions,
    check_hours,
    is_open,
    known_zones,
    next_opening,
)

AUSTIN = "America/Chicago"
EVENINGS = {
    "friday": {"open": "18:00", "close": "02:00"},
    "saturday": {"open": "11:00", "close": "22:00"},
}
DAILY = {day: {"open": "09:00", "close": "17:00"} for day in WEEKDAYS}
ALWAYS = {day: {"open": "00:00", "close": "24:00"} for day in WEEKDAYS}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-30T17:59:00-06:00", False),  # a Friday
        ("2026-01-30T18:00:00-06:00", True),
        ("2026-01-31T00:30:00+00:00", True),  # the same Friday evening, told in UTC
        ("2026-01-31T01:59:00-06:00", True),  # Saturday, Friday's evening still going on
        ("2026-01-31T02:00:00-06:00", False),
        ("2026-01-31T11:00:00-06:00", True),
        ("2026-01-31T22:00:00-06:00", False),
        ("2026-02-01T12:00:00-06:00", False),  # a Sunday: no hours, closed
    ],
)
def test_a_kitchen_is_open_within_its_hours(moment: str, expected: bool) -> None:
    assert is_open(EVENINGS, at(moment), AUSTIN) is expected


def test_hours_follow_the_market_when_the_clocks_change() -> None:
    assert is_open(DAILY, at("2026-03-07T15:00:00+00:00"), AUSTIN)  # winter: 09:00
    assert not is_open(DAILY, at("2026-03-07T14:59:00+00:00"), AUSTIN)
    assert is_open(DAILY, at("2026-03-09T14:00:00+00:00"), AUSTIN)  # summer: 09:00


def test_all_day_is_all_day() -> None:
    assert is_open(ALWAYS, at("2026-01-31T00:00:00-06:00"), AUSTIN)
    assert is_open(ALWAYS, at("2026-01-31T23:59:59-06:00"), AUSTIN)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-01T01:29:00-05:00", True),
        ("2026-11-01T01:30:00-05:00", False),
        ("2026-11-01T01:15:00-06:00", False),  # a quarter past one for the second time
    ],
)
def test_an_hour_that_the_clock_shows_twice_closes_a_kitchen_once(
    moment: str, expected: bool
) -> None:
    late = {"saturday": {"open": "18:00", "close": "01:30"}}

    assert is_open(late, at(moment), AUSTIN) is expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-12-25T12:00:00-06:00", False),  # closed on that day, whatever the Friday says
        ("2026-12-24T23:30:00-06:00", True),
        ("2026-12-25T01:30:00-06:00", True),  # the evening before goes on
        ("2026-12-25T02:00:00-06:00", False),
        ("2026-12-30T13:59:00-06:00", True),  # a Wednesday, closed in other weeks
        ("2026-12-30T14:00:00-06:00", False),
        ("2026-12-31T14:30:00-06:00", False),
    ],
)
def test_a_single_day_has_its_own_hours(moment: str, expected: bool) -> None:
    hours = EVENINGS
    exceptions = {
        "2026-12-24": {"open": "20:00", "close": "02:00"},
        "2026-12-25": None,
        "2026-12-30": {"open": "10:00", "close": "14:00"},
    }

    assert is_open(hours, at(moment), AUSTIN, exceptions) is expected


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-01-30T17:59:00-06:00", "2026-01-30T18:00:00-06:00"),
        ("2026-01-30T19:00:00-06:00", "2026-01-30T19:00:00-06:00"),  # open: now
        ("2026-01-31T02:00:00-06:00", "2026-01-31T11:00:00-06:00"),
        ("2026-01-31T22:00:00-06:00", "2026-02-06T18:00:00-06:00"),
    ],
)
def test_a_closed_kitchen_opens_next_when_its_hours_say_so(moment: str, opens: str) -> None:
    assert next_opening(EVENINGS, at(moment), AUSTIN) == at(opens)


def test_a_kitchen_that_is_away_does_not_open_soon() -> None:
    away = {f"2026-02-{day:02}": None for day in range(1, 15)}

    back = next_opening(DAILY, at("2026-02-02T12:00:00-06:00"), AUSTIN, away)

    assert back == at("2026-02-15T09:00:00-06:00")
    assert next_opening({}, at("2026-02-02T12:00:00-06:00"), AUSTIN) is None
    assert next_opening(DAILY, at("2026-01-31T18:00:00-06:00"), AUSTIN, away) is None


clocks = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
days = st.fixed_dictionaries({"open": clocks, "close": clocks | st.just("24:00")})
weeks = st.dictionaries(st.sampled_from(WEEKDAYS), days)
# Around both days of 2026 on which Austin's clocks change.
moments = st.sampled_from(
    [at("2026-03-08T00:00:00+00:00"), at("2026-11-01T00:00:00+00:00")]
).flatmap(
    lambda change: st.integers(-5 * 24 * 60, 5 * 24 * 60).map(
        lambda minutes: change + timedelta(minutes=minutes)
    )
)
single_days = st.dictionaries(
    st.sampled_from(
        [f"2026-{month}-{day}" for month in ("03", "11") for day in ("03", "08", "10")]
    ),
    st.none() | days,
)
zones = st.sampled_from([AUSTIN, "Asia/Kolkata", "Australia/Lord_Howe", "UTC"])


@given(weeks, moments, zones, single_days)
def test_hours_that_can_be_drawn_are_hours(
    hours: Any, moment: datetime, zone: str, exceptions: Any
) -> None:
    check_hours(hours)
    check_exceptions(exceptions)

    assert is_open(hours, moment, zone, exceptions) in {True, False}


@given(weeks, moments, zones, single_days)
def test_the_next_opening_is_open_and_nothing_before_it_is(
    hours: Any, moment: datetime, zone: str, exceptions: Any
) -> None:
    opens = next_opening(hours, moment, zone, exceptions)

    until = opens or moment + HORIZON
    assert opens is None or (moment <= opens and is_open(hours, opens, zone, exceptions))
    for step in range(50):
        between = moment + (until - moment) * step / 50
        assert between == until or not is_open(hours, between, zone, exceptions)


@given(weeks, moments, st.sampled_from([None, {"open": "09:00", "close": "17:00"}]))
def test_exceptions_for_every_day_leave_nothing_of_the_week(
    hours: Any, moment: datetime, day: Any
) -> None:
    first = date(2026, 1, 1)
    exceptions = {(first + timedelta(days=number)).isoformat(): day for number in range(365)}
    week = {} if day is None else DAILY

    assert is_open(hours, moment, AUSTIN, exceptions) == is_open(week, moment, AUSTIN)


@given(weeks, moments)
def test_every_way_to_tell_a_moment_tells_the_same(hours: Any, moment: datetime) -> None:
    elsewhere = moment.astimezone(UTC)

    assert is_open(hours, elsewhere, AUSTIN) == is_open(hours, moment, AUSTIN)


@pytest.mark.parametrize(
    "hours",
    [
        {"someday": {"open": "08:00", "close": "21:00"}},
        {"monday": {"open": "8:00", "close": "21:00"}},
        {"monday": {"open": "08:00", "close": "21:60"}},
        {"monday": {"open": "24:00", "close": "21:00"}},
        {"monday": {"open": "08:00", "close": "24:01"}},
        {"monday": {"open": "08:00"}},
        {"monday": {"open": "08:00", "close": "21:00", "break": "12:00"}},
        {"monday": {"open": "\u0660\u0668:00", "close": "21:00"}},
    ],
)
def test_hours_that_cannot_be_read_are_refused(hours: Any) -> None:
    with pytest.raises(ValueError, match=r"day"):
        check_hours(hours)


@pytest.mark.parametrize(
    "exceptions",
    [
        {"2026-02-30": None},
        {"20260201": None},
        {"monday": None},
        {"2026-02-01": {"open": "10:00", "close": "25:00"}},
        {f"2026-0{month}-{day:02}": None for month in range(1, 8) for day in range(1, 29)},
    ],
    ids=["no such day", "unwritten", "a weekday", "no such hour", "too many"],
)
def test_exceptions_that_cannot_be_read_are_refused(exceptions: Any) -> None:
    with pytest.raises(ValueError, match=r"date|day|2026"):
        check_exceptions(exceptions)

    assert MOST_EXCEPTIONS < 28 * 7


def test_time_zones_are_places() -> None:
    zones_known = known_zones()

    assert {AUSTIN, "Europe/Berlin", "UTC"} <= zones_known
    assert not {"", "EST", "localtime", "Factory", "../etc/passwd", "Nowhere/City"} & zones_known
