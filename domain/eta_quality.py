"""How good estimates were: what was foretold beside what came.

An error is in minutes of the city's clock, and positive where it came later than foretold.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.eta import City
from domain.robust import quantile

CLOSE_MINUTES = 5.0


class Foretold(StrEnum):
    """The step with which a delivery was foretold."""

    PLACED = "placed"
    ACCEPTED = "accepted"
    PICKED_UP = "picked_up"


@dataclass(frozen=True, slots=True)
class Distribution:
    """The errors of `count` estimates, in minutes; `within_five` is the share of close ones.

    `off` is the median of how far off they were, whether too early or too late.
    """

    count: int
    median: float
    low: float
    high: float
    off: float
    within_five: float


def of_estimates(
    foretold_and_came: Iterable[tuple[datetime, datetime]], city: City
) -> Distribution | None:
    """The errors of estimates, each given with the moment that came; None without any."""
    return of_errors(city.minutes(came - foretold) for foretold, came in foretold_and_came)


def of_errors(minutes: Iterable[float]) -> Distribution | None:
    """The distribution of errors in minutes: median, the 10th and 90th of a hundred."""
    errors = list(minutes)
    if not errors:
        return None
    return Distribution(
        count=len(errors),
        median=quantile(errors, 0.5),
        low=quantile(errors, 0.1),
        high=quantile(errors, 0.9),
        off=quantile(map(abs, errors), 0.5),
        within_five=sum(abs(error) <= CLOSE_MINUTES for error in errors) / len(errors),
    )
