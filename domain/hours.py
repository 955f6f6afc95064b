"""When a kitchen is open.

Hours are kept as seed 004 writes them: `{"monday": {"open": "08:00", "close": "21:00"}, …}`, by the
kitchen's own clock. A day that is missing is closed; a closing time at or before the opening time
is on the next day; "24:00" is midnight at the end of the day. An exception is the hours of one
date, `{"2026-12-31": {"open": "10:00", "close": "14:00"}, "2026-12-25": null}`, where null is
closed all day. Hours belong to the day on which they begin: whoever is closed on Saturday still
serves Friday's guests until two.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

# How far ahead the next opening is looked for: nobody plans dinner further ahead.
HORIZON = timedelta(days=14)
# More single days than anybody is away in a year.
MOST_EXCEPTIONS = 100

Day = Mapping[str, str]
OperatingHours = Mapping[str, Day]
Exceptions = Mapping[str, Day | None]

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_END_OF_DAY = "24:00"
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def is_open(
    hours: OperatingHours, at: datetime, timezone: str, exceptions: Exceptions | None = None
) -> bool:
    """Whether a kitchen in `timezone` is open at the moment `at` (any aware datetime)."""
    spans = _spans(hours, exceptions or {}, at, timezone, days=1)
    return any(opens <= at < closes for opens, closes in spans)


def next_opening(
    hours: OperatingHours, at: datetime, timezone: str, exceptions: Exceptions | None = None
) -> datetime | None:
    """The first moment from `at` on at which a kitchen is open, in UTC: `at` itself where it is
    open now, None where it does not open within HORIZON.
    """
    ahead = [
        max(opens, at)
        for opens, closes in _spans(hours, exceptions or {}, at, timezone, days=HORIZON.days + 1)
        if at < closes and opens < closes and opens <= at + HORIZON
    ]
    return min(ahead).astimezone(UTC) if ahead else None


def check_hours(hours: OperatingHours) -> None:
    """Raises ValueError with words for whoever wrote them, unless they can be read as hours."""
    for name, day in hours.items():
        if name not in WEEKDAYS:
            raise ValueError(f"there is no day {name!r}: a day is monday to sunday")
        _check_day(name, day)


def check_exceptions(exceptions: Exceptions) -> None:
    """Raises ValueError with words, unless they can be read as hours of single dates."""
    if len(exceptions) > MOST_EXCEPTIONS:
        raise ValueError(f"at most {MOST_EXCEPTIONS} single days, please")
    for name, day in exceptions.items():
        if not _is_date(name):
            raise ValueError(f"{name!r} is no date: a date is written as in 2026-12-31")
        if day is not None:
            _check_day(name, day)


@cache
def known_zones() -> frozenset[str]:
    """The names of time zones that a kitchen may have: places, and UTC."""
    return frozenset(
        name for name in available_timezones() if "/" in name and not name.startswith("Etc/")
    ) | {"UTC"}


def _spans(
    hours: OperatingHours, exceptions: Exceptions, at: datetime, timezone: str, *, days: int
) -> Iterator[tuple[datetime, datetime]]:
    """From when to when a kitchen is open, day by day, from the evening before `at` on.

    A clock that is turned back shows an hour twice: the first time counts. One that is put forward
    leaves an hour out: what was to begin in it begins as long after it as it would have before.
    """
    zone = ZoneInfo(timezone)
    yesterday = at.astimezone(zone).date() - timedelta(days=1)
    for number in range(days + 1):
        day = yesterday + timedelta(days=number)
        minutes = _minutes(hours, exceptions, day)
        if minutes is not None:
            midnight = datetime.combine(day, time())
            opens, closes = (
                (midnight + timedelta(minutes=minute)).replace(tzinfo=zone).astimezone(UTC)
                for minute in minutes
            )
            yield opens, closes


def _minutes(hours: OperatingHours, exceptions: Exceptions, day: date) -> tuple[int, int] | None:
    """Opening and closing in minutes by the clock from the day's midnight; None where closed."""
    written = day.isoformat()
    that_day = exceptions[written] if written in exceptions else hours.get(WEEKDAYS[day.weekday()])
    if that_day is None:
        return None
    opens, closes = _minute_of_day(that_day["open"]), _minute_of_day(that_day["close"])
    return opens, closes if closes > opens else closes + 24 * 60


def _minute_of_day(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def _check_day(name: str, day: Day) -> None:
    if set(day) != {"open", "close"}:
        raise ValueError(f"{name}: a day has hours to open and to close")
    if not _CLOCK.fullmatch(day["open"]):
        raise ValueError(f"{name}: a kitchen opens at a time as in 08:00")
    if day["close"] != _END_OF_DAY and not _CLOCK.fullmatch(day["close"]):
        raise ValueError(f"{name}: a kitchen closes at a time as in 21:00, or at {_END_OF_DAY}")


def _is_date(written: str) -> bool:
    if not _DATE.fullmatch(written):
        return False
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True
