"""Whether a driver can have been where his phone says, and what of it is worth keeping.

Moments are UTC, distances metres unless a name says km. A phone errs: its clock is ahead, its first
fix after a while is that of the last place it knew, between high houses it jumps. So a fix that is
too far from the last one is doubted; and if those that follow agree with it rather than with the
last one, it was the last one that was wrong.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.geo import Point, distance_km
from domain.order_status import ON_THE_WAY, Actor, OrderStatus

# When whom an order concerns may see where its driver is; an admin, and the driver himself, always.
# A delivery task is the chef's to read as well (seed 004, permissions matrix): until the food is
# out of his kitchen he has to know when somebody comes for it, and no longer.
_SHOWN = {
    Actor.CUSTOMER: ON_THE_WAY,
    Actor.CHEF: frozenset(
        {OrderStatus.PREPARING, OrderStatus.READY_FOR_PICKUP, OrderStatus.ASSIGNED_TO_DRIVER}
    ),
    Actor.DRIVER: frozenset(OrderStatus),
    Actor.ADMIN: frozenset(OrderStatus),
}

# A phone that does not say how good its fix is.
_UNTOLD_ACCURACY_M = 50.0
# Some phones count whole seconds.
_CLOCK_GRAIN = timedelta(seconds=1)
# And their clocks are a little ahead of ours, or behind.
_CLOCK_TOLERANCE = timedelta(seconds=60)
# A phone that was without a network sends what it has kept.
_OLDEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Fix:
    """Where a phone was, and when; accuracy in m, speed in m/s, heading in degrees from north."""

    point: Point
    at: datetime
    accuracy: float | None = None
    speed: float | None = None
    heading: float | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """What the next words of a phone are held against: the last fix that was believed, and those
    since then that were not, as far as they agree with each other.
    """

    last: Fix | None = None
    doubted: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """What is possible: `max_kmh` as the crow flies, with `jitter_m` of slack. A fix that is good
    to no less than `worst_accuracy_m` is of no use; `convinced_by` fixes that agree are believed
    wherever they are.
    """

    max_kmh: float
    worst_accuracy_m: float
    jitter_m: float = 100.0
    convinced_by: int = 3


class Refusal(StrEnum):
    """Why a fix is not taken."""

    IN_THE_FUTURE = "in_the_future"
    TOO_OLD = "too_old"
    INACCURATE = "inaccurate"
    SUPERSEDED = "superseded"
    TOO_FAR = "too_far"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of fixes: those taken, the oldest first, and why which others are refused."""

    track: Track
    taken: tuple[Fix, ...]
    refused: tuple[tuple[int, Refusal], ...]


def judge(track: Track, fixes: Sequence[Fix], now: datetime, rules: Rules) -> Judgement:
    """Hold fixes, in whatever order they come, against what is known and against each other.

    One that is known already, as when a request is sent again, is taken again and changes nothing.
    """
    taken, refused = [], []
    for index, fix in sorted(enumerate(fixes), key=lambda numbered: numbered[1].at):
        track, refusal = _next(track, fix, now, rules)
        if refusal is None:
            taken.append(fix)
        else:
            refused.append((index, refusal))
    return Judgement(track, tuple(taken), tuple(sorted(refused)))


def samples(
    last: Fix | None, taken: Sequence[Fix], every: timedelta, every_m: float
) -> Iterator[Fix]:
    """Those of a journey's fixes that its history keeps: one each `every`, or each `every_m`."""
    for fix in taken:
        if last is None or fix.at - last.at >= every or _metres(last, fix) >= every_m:
            yield fix
            last = fix


def later(a: Fix | None, b: Fix | None) -> Fix | None:
    """The later of two fixes, as far as there are any; `a` where they are of the same moment."""
    if a is None or b is None:
        return a or b
    return b if b.at > a.at else a


def is_shown(to: Actor, status: OrderStatus) -> bool:
    """Whether somebody whom an order concerns may see where its driver is."""
    return status in _SHOWN.get(to, ())


def is_since(fix: Fix, moment: datetime) -> bool:
    """Whether a fix is of after some moment, as far as a phone's clock can be trusted."""
    return fix.at >= moment - _CLOCK_TOLERANCE


def _next(track: Track, fix: Fix, now: datetime, rules: Rules) -> tuple[Track, Refusal | None]:
    last = track.last
    if last is not None and (fix.at, fix.point) == (last.at, last.point):
        return track, None
    why = _useless(last, fix, now, rules)
    if why is not None:
        return track, why
    if last is None or _is_possible(last, fix, rules):
        return Track(fix), None
    doubted = _agreeing(track.doubted, fix, rules)
    if len(doubted) >= rules.convinced_by:
        return Track(fix), None
    return replace(track, doubted=doubted), Refusal.TOO_FAR


def _useless(last: Fix | None, fix: Fix, now: datetime, rules: Rules) -> Refusal | None:
    """Why a fix is of no use wherever it is."""
    if fix.at > now + _CLOCK_TOLERANCE:
        return Refusal.IN_THE_FUTURE
    if fix.at < now - _OLDEST:
        return Refusal.TOO_OLD
    if last is not None and fix.at <= last.at:
        return Refusal.SUPERSEDED
    if fix.accuracy is not None and fix.accuracy > rules.worst_accuracy_m:
        return Refusal.INACCURATE
    return None


def _agreeing(doubted: tuple[Fix, ...], fix: Fix, rules: Rules) -> tuple[Fix, ...]:
    """What is doubted now: with another fix, or only that one if it agrees with nothing either."""
    if not doubted:
        return (fix,)
    if fix.at <= doubted[-1].at:
        return doubted
    return (*doubted, fix) if _is_possible(doubted[-1], fix, rules) else (fix,)


def _is_possible(a: Fix, b: Fix, rules: Rules) -> bool:
    """Whether somebody can have been at `a` and then at `b`, as well as each is known."""
    hours = (b.at - a.at + _CLOCK_GRAIN) / timedelta(hours=1)
    slack_m = rules.jitter_m + _accuracy(a) + _accuracy(b)
    return _metres(a, b) <= rules.max_kmh * 1000 * hours + slack_m


def _accuracy(fix: Fix) -> float:
    return _UNTOLD_ACCURACY_M if fix.accuracy is None else fix.accuracy


def _metres(a: Fix, b: Fix) -> float:
    return distance_km(a.point, b.point) * 1000
