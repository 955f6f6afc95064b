"""When a kitchen is open.

Hours are kept as seed 004 writes them: `{"monday": {"open": "08:00", "close": "21:00"}, …}`, local
to the kitchen's market. A day that is missing is closed; a closing time at or before the opening
time is on the next day; "24:00" is midnight at the end of the day.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

OperatingHours = Mapping[str, Mapping[str, str]]


def is_open(hours: OperatingHours, at: datetime, timezone: str) -> bool:
    """Whether a kitchen in `timezone` is open at the moment `at` (any aware datetime)."""
    local = at.astimezone(ZoneInfo(timezone))
    minute = local.hour * 60 + local.minute
    opens, closes = _minutes(hours, local)
    if opens <= minute < closes:
        return True
    # A kitchen that closes after midnight is still serving yesterday evening.
    _, closed = _minutes(hours, local - timedelta(days=1))
    return minute + 24 * 60 < closed


def _minutes(hours: OperatingHours, day: datetime) -> tuple[int, int]:
    """Opening and closing in minutes from the day's midnight; equal when the day is closed."""
    today = hours.get(WEEKDAYS[day.weekday()])
    if today is None:
        return 0, 0
    opens, closes = _minute_of_day(today["open"]), _minute_of_day(today["close"])
    return opens, closes if closes > opens else closes + 24 * 60


def _minute_of_day(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)
