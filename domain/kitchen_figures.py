"""How a kitchen does, in figures that can be added up (seed 000, Chefs & Menus: analytics)."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class Figures:
    """Orders that were paid for in some time, and what became of them. Amounts in cents.

    `accepted` were taken on, `refused` were turned down or not answered in time; the others were
    taken back before there was an answer, or wait for it. `timed` orders were cooked to be eaten
    at once: in so many minutes were they promised in all, and in so many were they ready.
    """

    orders: int = 0
    delivered: int = 0
    cancelled: int = 0
    revenue_cents: int = 0
    earning_cents: int = 0
    accepted: int = 0
    refused: int = 0
    timed: int = 0
    promised_minutes: float = 0.0
    real_minutes: float = 0.0

    @property
    def acceptance(self) -> float | None:
        """The share of orders with an answer that were taken on, from 0 to 1."""
        answered = self.accepted + self.refused
        return self.accepted / answered if answered else None

    @property
    def average_promised_minutes(self) -> float | None:
        """In how many minutes an order is promised to be ready."""
        return self.promised_minutes / self.timed if self.timed else None

    @property
    def average_real_minutes(self) -> float | None:
        """In how many minutes from its acceptance on an order is ready."""
        return self.real_minutes / self.timed if self.timed else None


def total(figures: Iterable[Figures]) -> Figures:
    """All of them together."""
    columns = zip(*(astuple(one) for one in figures), strict=True)
    return Figures(*(sum(column) for column in columns))
