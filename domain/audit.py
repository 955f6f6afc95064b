"""What a payee should have been paid, recomputed from what is booked.

`schema.queries.payouts` sets aside the postings that are in no live payout, one by one. This comes
to the same by another way: all that was ever earned, less what earlier payouts took and kept.
Amounts in cents, moments UTC.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.ledger import OF_PAYOUTS, Event

# What was booked so shortly before a claim may have been committed after it.
IN_FLIGHT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """A posting on a payee's account: so many cents are owed to him, or (below nothing) by him.

    `about` is the number of the order that it belongs to, or else the key of its movement.
    """

    id: UUID
    cents: int
    event: Event
    booked_at: datetime
    about: str
    market: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What a payout took when it was claimed, and kept unless it came back.

    `items` are the entries that it says it pays; `live_items` those that it still does.
    """

    payout_id: UUID
    cents: int
    claimed_at: datetime
    returned_at: datetime | None
    items: frozenset[UUID]
    live_items: frozenset[UUID]

    def keeps_at(self, moment: datetime) -> bool:
        """Whether it had been claimed before a moment, and had not come back by then."""
        return self.claimed_at < moment and (self.returned_at is None or self.returned_at > moment)


@dataclass(frozen=True, slots=True)
class Owed:
    """So many cents, and the entries that no payout had taken by then."""

    cents: int
    entries: tuple[Entry, ...]


def owed(
    entries: Iterable[Entry], payouts: Iterable[Taken], *, cut_off: datetime, at: datetime
) -> Owed:
    """What was owed to a payee `at` a moment of what had been booked before the cut-off.

    What an earlier payout took beyond that (one with a later cut-off) does not count against it.
    """
    booked = [entry for entry in entries if entry.event not in OF_PAYOUTS]
    counted = [e for e in booked if e.booked_at < min(cut_off, at)]
    earlier = [payout for payout in payouts if payout.keeps_at(at)]
    taken = frozenset[UUID]().union(*(payout.items for payout in earlier))
    beyond = sum(e.cents for e in booked if e.id in taken and e.booked_at >= cut_off)
    cents = sum(e.cents for e in counted) - (sum(p.cents for p in earlier) - beyond)
    return Owed(cents, tuple(e for e in counted if e.id not in taken))


def owed_to(
    payout: Taken, entries: Sequence[Entry], payouts: Iterable[Taken], cut_off: datetime
) -> Owed:
    """What a payout should have paid.

    Where it pays exactly the entries that it says, what was booked IN_FLIGHT before it and is not
    among them was committed after it, and is left to the next one.
    """
    others = [other for other in payouts if other.payout_id != payout.payout_id]
    mine = [entry for entry in entries if entry.id in payout.items]
    seen: Sequence[Entry] = entries
    if sum(entry.cents for entry in mine) == payout.cents:
        soon = payout.claimed_at - IN_FLIGHT
        seen = [e for e in entries if e.booked_at < soon or e.id in payout.items]
    return owed(seen, others, cut_off=cut_off, at=payout.claimed_at)


def misplaced(
    payout: Taken, entries: Iterable[Entry], due: Collection[Entry]
) -> tuple[Sequence[Entry], Sequence[Entry]]:
    """What a payout pays without owing it, and what it owes and does not pay."""
    should = {entry.id for entry in due}
    wrongly = [e for e in entries if e.id in payout.items and e.id not in should]
    return wrongly, [entry for entry in due if entry.id not in payout.items]


def twice(payout: Taken, entries: Iterable[Entry], payouts: Iterable[Taken]) -> Sequence[Entry]:
    """What a payout pays that another live one pays as well."""
    elsewhere = frozenset[UUID]().union(
        *(other.live_items for other in payouts if other.payout_id != payout.payout_id)
    )
    return [entry for entry in entries if entry.id in payout.live_items & elsewhere]
