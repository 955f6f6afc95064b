"""Which kitchens are open, asked of many at once: the same rule as `domain.hours`, turned round.

A kitchen is open while one of its days, today's or yesterday's, has begun to be served and has not
yet closed. Whether a minute of a day's clock has come does not depend on the kitchen: it is worked
out here once for each zone, with the hours that a change of the clock repeats or leaves out, and
compared with the hours of all kitchens of that zone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTES_OF_A_DAY = 24 * 60
HOURS_OF_A_WEEK = 7 * 24
# Hours of a day end at the end of the next at the latest.
_LATEST = 2 * MINUTES_OF_A_DAY
# No clock is changed by more.
_MOST_CHANGED_HOURS = 3

# From the first to before the second.
Minutes = tuple[int, int]


@dataclass(frozen=True)
class Day:
    """A day by its clock, and which of its minutes have come; after 1440 they are the next day's.

    `weekday` counts from Monday, which is 1.
    """

    date: date
    weekday: int
    come: tuple[Minutes, ...]


@dataclass(frozen=True)
class Clock:
    """What a zone's clock shows: today and yesterday; and `hours` of the week, counted from Monday,
    one of which a kitchen that is open has among its own.
    """

    today: Day
    yesterday: Day
    hours: tuple[int, ...]


def clock(at: datetime, timezone: str) -> Clock:
    """What the clock of `timezone` shows at the moment `at` (any aware datetime)."""
    zone = ZoneInfo(timezone)
    local = at.astimezone(zone)
    today = local.date()
    days = [_day(day, at, zone, local) for day in (today, today - timedelta(days=1))]
    around = 0 if _is_steady(today, zone) else _MOST_CHANGED_HOURS
    hour = today.weekday() * 24 + local.hour
    hours = tuple(near % HOURS_OF_A_WEEK for near in range(hour - around, hour + around + 1))
    return Clock(days[0], days[1], hours)


def _day(day: date, at: datetime, zone: ZoneInfo, local: datetime) -> Day:
    if _is_steady(local.date(), zone):
        passed = local.replace(tzinfo=None) - datetime.combine(day, time())
        come: tuple[Minutes, ...] = ((0, passed // timedelta(minutes=1) + 1),)
    else:
        come = tuple(_come(day, at, zone))
    return Day(day, day.isoweekday(), come)


def _is_steady(today: date, zone: ZoneInfo) -> bool:
    """Whether nobody changes the clock from yesterday to the end of tomorrow."""
    begin = datetime.combine(today - timedelta(days=1), time(), zone)
    return len({(begin + timedelta(hours=hour)).utcoffset() for hour in range(73)}) == 1


def _come(day: date, at: datetime, zone: ZoneInfo) -> Iterator[Minutes]:
    """Minute by minute: on a day when the clock is changed, they do not come in their order."""
    midnight = datetime.combine(day, time())
    began = None
    for minute in range(_LATEST + 1):
        moment = (midnight + timedelta(minutes=minute)).replace(tzinfo=zone)
        has_come = minute < _LATEST and moment.timestamp() <= at.timestamp()
        if has_come and began is None:
            began = minute
        if not has_come and began is not None:
            yield began, minute
            began = None
