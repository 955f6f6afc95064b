"""How well a driver does: what he accepts, and whether he is on time.

All of it is about the last hundred offers that he answered or let pass, and the orders that came of
them. What was withdrawn, or cancelled by others, says nothing about him and does not count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

LAST_OFFERS = 100
# Nobody is called late for a red light.
GRACE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Asked:
    """An order that a driver was offered, or given by an operator (`by_hand`), and what became of
    it; orders of one offer share `offer`. What was accepted may have been given back.

    `pickup_due` and `delivery_due` are what was expected when he got it, `prepared_at` is when the
    food was ready. Moments UTC.
    """

    offer: UUID
    accepted: bool
    by_hand: bool = False
    given_back: bool = False
    pickup_due: datetime | None = None
    prepared_at: datetime | None = None
    picked_up_at: datetime | None = None
    delivery_due: datetime | None = None
    delivered_at: datetime | None = None

    @property
    def pickup_on_time(self) -> bool | None:
        """Whether he had the food in time, by the kitchen's clock where that was late; None where
        it cannot be said.
        """
        if self.picked_up_at is None or self.pickup_due is None:
            return None
        due = max(self.pickup_due, self.prepared_at or self.pickup_due)
        return self.picked_up_at <= due + GRACE

    @property
    def delivery_on_time(self) -> bool | None:
        """Whether he was at the door in time; None where it cannot be said."""
        if self.delivered_at is None or self.delivery_due is None:
            return None
        return self.delivered_at <= self.delivery_due + GRACE

    @property
    def completed(self) -> bool | None:
        """Whether he brought what he had accepted; None while it is on its way."""
        if self.given_back:
            return False
        return None if self.delivered_at is None else True


@dataclass(frozen=True, slots=True)
class Performance:
    """Shares from 0 to 1, each None where there is nothing to tell it by; `offers` counts those
    that are looked at.
    """

    offers: int
    acceptance: float | None
    on_time_pickup: float | None
    on_time_delivery: float | None
    completion: float | None


def performance(asked: Iterable[Asked]) -> Performance:
    """What a driver's record says, the latest first."""
    recent, offers = _the_last(asked)
    return Performance(
        offers=len(offers),
        acceptance=_share(list(offers.values())),
        on_time_pickup=_share([one.pickup_on_time for one in recent]),
        on_time_delivery=_share([one.delivery_on_time for one in recent]),
        completion=_share([one.completed for one in recent]),
    )


def _the_last(asked: Iterable[Asked]) -> tuple[list[Asked], dict[UUID, bool]]:
    """What belongs to the last offers, and whether each of them was accepted."""
    recent: list[Asked] = []
    offers: dict[UUID, bool] = {}
    for one in asked:
        if not one.by_hand and one.offer not in offers:
            if len(offers) == LAST_OFFERS:
                break
            offers[one.offer] = one.accepted
        recent.append(one)
    return recent, offers


def _share(verdicts: Sequence[bool | None]) -> float | None:
    known = [verdict for verdict in verdicts if verdict is not None]
    return round(sum(known) / len(known), 4) if known else None
