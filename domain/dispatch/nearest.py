"""Whom to ask next: the seeds' rule (seed 000, Driver Assignment Flow).

The closest driver first, then the best rated, then the one with the least to carry; ten at most.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

MOST_CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class Candidate:
    """A driver who could be asked: distance to the kitchen in km, rating 0-5, orders in hand."""

    driver_id: UUID
    distance_km: float
    rating: float
    load: int


def rank(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The candidates worth asking, the best first."""
    ranked = sorted(candidates, key=lambda c: (c.distance_km, -c.rating, c.load, c.driver_id))
    return ranked[:MOST_CANDIDATES]
