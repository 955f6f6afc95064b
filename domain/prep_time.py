"""How long a kitchen will need: what the menu says, corrected by what the kitchen has shown.

What is learned is the lateness: by how many minutes the kitchen's last orders took longer (or
shorter) than was to be expected of them, by the menu or, where the chef gave his word, by that.
Its median is the estimate. The menu counts as `PRIOR_ORDERS` orders that were exactly in time, so
that a new kitchen is believed its menu, one bad evening moves nothing, and habit wins in a few
orders. A busy kitchen is late otherwise than an idle one: a bucket of load starts from what the
kitchen does on the whole, counted as the menu is there.

A chef's own word is believed before the menu, less his habit of being late with it: the word is
what he knows about this order, the habit what he does not know about himself. The habit is measured
against his word, never against our estimate, so that correcting it does not feed on itself.

Minutes are those of the city's clock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.robust import leaning, quantile

WINDOW = 60
"""So many of a kitchen's latest orders count: habits change."""
PRIOR_ORDERS = 4
PROMISED = 2 / 3
"""The share of orders that a promise to somebody who has not ordered yet is to hold for."""
SHORTEST_MINUTES = 1.0


class Load(NamedTuple):
    """How many other orders a kitchen has in hand: from `least` to `most`, or any number more."""

    least: int
    most: int | None

    def __contains__(self, load: object) -> bool:
        return isinstance(load, int) and self.least <= load <= (
            load if self.most is None else self.most
        )


LOADS = (Load(0, 0), Load(1, 2), Load(3, 5), Load(6, None))


class Since(NamedTuple):
    """From a moment to the food being ready: minutes, and what was known at the moment.

    `said` are the minutes by the chef's word, `load` the other orders in hand; None where unknown.
    """

    minutes: float
    said: int | None
    load: int | None


class Cooked(NamedTuple):
    """An order that a kitchen had ready.

    `menu` are the minutes by the menu, `answering` those from its placing to its acceptance.
    """

    menu: int
    answering: float
    accepted: Since
    started: Since | None


class Observation(NamedTuple):
    """Minutes that were to be expected, minutes that it took, and the load."""

    expected: float
    took: float
    load: int | None

    @property
    def late(self) -> float:
        """By how many minutes it took longer than expected."""
        return self.took - self.expected


@dataclass(frozen=True, slots=True)
class Estimate:
    """In how many minutes food will be ready: as likely sooner as later, and to be promised."""

    minutes: float
    promised: float


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a kitchen's orders under some load are estimated.

    `late` is what is added to the expected minutes; ten of a hundred observed orders were less
    late than `low`, ten later than `high`. `error` is the median of how far off the estimates were
    that could be made of the orders before, `unlearned` the same had the expected been believed.
    All but the counts are None without observations.
    """

    load: Load
    observations: int
    late: float | None = None
    low: float | None = None
    high: float | None = None
    error: float | None = None
    unlearned: float | None = None


def from_placing(past: Sequence[Cooked], menu: int, load: int) -> Estimate:
    """From the placing of an order: until it is answered, and cooked."""
    cooking = from_acceptance(past, menu, load)
    answering = [order.answering for order in past]
    return Estimate(
        cooking.minutes + leaning(answering, 0.5, on=0.0, as_many_as=PRIOR_ORDERS),
        cooking.promised + leaning(answering, PROMISED, on=0.0, as_many_as=PRIOR_ORDERS),
    )


def from_acceptance(
    past: Sequence[Cooked], menu: int, load: int, said: int | None = None
) -> Estimate:
    """From a chef's taking an order on; by his word if he `said` minutes."""
    if said is not None:
        return estimate(words(past), said, load)
    return estimate(acceptances(past), menu, load)


def from_start(past: Sequence[Cooked], menu: int, load: int, said: int | None = None) -> Estimate:
    """From a chef's beginning to cook; by his word if he `said` minutes."""
    if said is not None:
        return estimate(words(past), said, load)
    begun = [
        Observation(order.menu, order.started.minutes, order.started.load)
        for order in past
        if order.started is not None
    ]
    return estimate(begun, menu, load)


def acceptances(past: Iterable[Cooked]) -> list[Observation]:
    """What orders took from acceptance, beside the menu."""
    return [Observation(order.menu, order.accepted.minutes, order.accepted.load) for order in past]


def words(past: Iterable[Cooked]) -> list[Observation]:
    """What orders took, beside the chef's word."""
    return [
        Observation(since.said, since.minutes, since.load)
        for order in past
        for since in (order.accepted, order.started)
        if since is not None and since.said is not None
    ]


def estimate(seen: Sequence[Observation], expected: float, load: int | None) -> Estimate:
    """What is to be expected of an order, after what was `seen` of the kitchen."""

    def minutes(share: float) -> float:
        return max(SHORTEST_MINUTES, expected + _lateness(seen, load, share))

    return Estimate(minutes(0.5), minutes(PROMISED))


def quality(seen: Sequence[Observation]) -> list[Quality]:
    """How good the estimates are, for each load; `seen` is in the order in which it happened."""
    missed = [
        abs(order.took - estimate(seen[:number], order.expected, order.load).minutes)
        for number, order in enumerate(seen)
    ]
    return [_quality(seen, missed, load) for load in LOADS]


def _quality(seen: Sequence[Observation], missed: Sequence[float], load: Load) -> Quality:
    here = [number for number, order in enumerate(seen) if order.load in load]
    if not here:
        return Quality(load, 0)
    late = [seen[number].late for number in here]
    return Quality(
        load,
        len(here),
        late=_lateness(seen, load.least, 0.5),
        low=quantile(late, 0.1),
        high=quantile(late, 0.9),
        error=quantile([missed[number] for number in here], 0.5),
        unlearned=quantile(map(abs, late), 0.5),
    )


def _lateness(seen: Sequence[Observation], load: int | None, share: float) -> float:
    usual = leaning((order.late for order in seen), share, on=0.0, as_many_as=PRIOR_ORDERS)
    if load is None:
        return usual
    bucket = next(bucket for bucket in LOADS if load in bucket)
    alike = (order.late for order in seen if order.load in bucket)
    return leaning(alike, share, on=usual, as_many_as=PRIOR_ORDERS)
