"""When drivers say that they will be there. Moments UTC, [start, end)."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

SHORTEST = timedelta(minutes=15)
LONGEST = timedelta(hours=12)
FURTHEST_AHEAD = timedelta(weeks=4)
# As many as there could be in that time, if one follows the other.
MOST_SHIFTS = 100


class Shift(NamedTuple):
    """A time in which a driver is there."""

    starts_at: datetime
    ends_at: datetime


class Mistake(StrEnum):
    """Why a shift cannot be."""

    BACKWARDS = "ends_before_it_begins"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    IN_THE_PAST = "in_the_past"
    TOO_FAR_AHEAD = "too_far_ahead"
    OVERLAP = "overlap"


class Objection(NamedTuple):
    """Which of the shifts cannot be, counted from 0, and why."""

    number: int
    mistake: Mistake
    words: str


def objection(asked: Sequence[Shift], begun: Collection[Shift], now: datetime) -> Objection | None:
    """What is wrong with a driver's plan, or None.

    `begun` is what has begun and not ended; it stays, and may be in the plan as it is.
    """
    to_come = [(number, shift) for number, shift in enumerate(asked) if shift not in begun]
    for number, shift in to_come:
        found = _of_itself(shift, now)
        if found is not None:
            return Objection(number, *found)
    taken = [(-1, shift) for shift in begun]
    ordered = sorted(taken + to_come, key=lambda numbered: (numbered[1], numbered[0]))
    for (earlier, before), (later, after) in pairwise(ordered):
        if after.starts_at < before.ends_at:
            return Objection(
                max(earlier, later), Mistake.OVERLAP, "it begins before another one ends"
            )
    return None


def ends_at(shifts: Iterable[Shift], at: datetime) -> datetime | None:
    """When the shift that a driver is in at `at` ends, with what follows it at once; None in none.

    No two of `shifts` overlap.
    """
    end = None
    for shift in sorted(shifts):
        if shift.starts_at <= (end or at) < shift.ends_at:
            end = shift.ends_at
    return end


def _of_itself(shift: Shift, now: datetime) -> tuple[Mistake, str] | None:
    lasts = shift.ends_at - shift.starts_at
    if lasts <= timedelta():
        return Mistake.BACKWARDS, "a shift ends after it begins"
    if lasts < SHORTEST:
        return Mistake.TOO_SHORT, f"a shift lasts {SHORTEST} at least"
    if lasts > LONGEST:
        return Mistake.TOO_LONG, f"a shift lasts {LONGEST} at most"
    if shift.starts_at < now:
        return Mistake.IN_THE_PAST, "a shift begins in the future"
    if shift.ends_at > now + FURTHEST_AHEAD:
        return Mistake.TOO_FAR_AHEAD, f"shifts are planned {FURTHEST_AHEAD.days} days ahead at most"
    return None
