"""How a zone goes about it: its rhythm, its patience with drivers, its limits."""

from dataclasses import dataclass
from datetime import timedelta

from domain.dispatch.widening import Widening


@dataclass(frozen=True, slots=True)
class Rules:
    """Durations as they pass on the wall, `pace` times shorter than in the city.

    A zone looks at orders that wait every `tick`, at those that are on their way every `watch`, and
    after `retry` where somebody else was faster. A driver has as long as an `offer` lasts; who lets
    one pass is asked again for the same order after `ask_again`, who lets `silences` pass in a row
    is taken off duty. A driver who was not seen for as long as `dark` is lost; a position older
    than `fix_max_age` does not count. An order that should have been ready for longer than
    `patience` is not looked at any more, nor one that has waited, or should have been at the door,
    for `give_up`: ops know of it by then. A `handover` at kitchen or door takes so many of the
    city's seconds.
    """

    widening: Widening
    tick: timedelta
    watch: timedelta
    retry: timedelta
    offer: timedelta
    ask_again: timedelta
    dark: timedelta
    fix_max_age: timedelta
    patience: timedelta
    give_up: timedelta
    bonus_cents: int
    capacity: int
    handover: float
    silences: int = 3
    pace: float = 1.0
