"""Statistics that no single odd value carries away."""

from collections.abc import Iterable
from math import ceil, floor


def quantile(values: Iterable[float], share: float) -> float:
    """The value that `share` (0 to 1) of `values` stay below, between two neighbours if need be.

    Raises ValueError when there are no values.
    """
    ranked = sorted(values)
    if not ranked:
        raise ValueError("nothing has no quantile")
    rank = share * (len(ranked) - 1)
    below, above = ranked[floor(rank)], ranked[ceil(rank)]
    return below + (above - below) * (rank - floor(rank))


def leaning(values: Iterable[float], share: float, *, on: float, as_many_as: int) -> float:
    """The quantile of `values` among which what was believed before, `on`, stands so many times.

    With few values it is what was believed, with many what they say. It never leaves the span of
    all of them, grows when any of them grows, and cannot be drawn outside of the others by one.
    """
    return quantile([*values, *[on] * as_many_as], share)
