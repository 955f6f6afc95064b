"""When a kitchen is open, also past midnight and when the clocks change."""

from datetime import datetime

import pytest

from domain.hours import WEEKDAYS, is_open

AUSTIN = "America/Chicago"
EVENINGS = {
    "friday": {"open": "18:00", "close": "02:00"},
    "saturday": {"open": "11:00", "close": "22:00"},
}


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
    daily = {day: {"open": "09:00", "close": "17:00"} for day in WEEKDAYS}

    assert is_open(daily, at("2026-03-07T15:00:00+00:00"), AUSTIN)  # winter: 09:00
    assert not is_open(daily, at("2026-03-07T14:59:00+00:00"), AUSTIN)
    assert is_open(daily, at("2026-03-09T14:00:00+00:00"), AUSTIN)  # summer: 09:00


def test_all_day_is_all_day() -> None:
    always = {day: {"open": "00:00", "close": "24:00"} for day in WEEKDAYS}

    assert is_open(always, at("2026-01-31T00:00:00-06:00"), AUSTIN)
    assert is_open(always, at("2026-01-31T23:59:59-06:00"), AUSTIN)
