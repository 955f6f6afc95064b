"""The books, as the rules of the audit take them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from domain.audit import Entry, Taken
from domain.ledger import Account, Event, payable
from domain.payouts import PayoutStatus
from schema.messages.books import (
    BookedAccount,
    BookedMovement,
    BookedPosting,
    Books,
    ItemRow,
    PayoutRow,
)


class Records:
    """Some books, ready to be asked about one payee after the other."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self._accounts = {account.code: account for account in books.accounts}
        self._movements = {movement.id: movement for movement in books.movements}
        self._movement_of = {posting.id: posting.movement_id for posting in books.postings}
        self._on = defaultdict[tuple[str, str], list[BookedPosting]](list)
        self._of = defaultdict[UUID, list[tuple[BookedMovement, BookedPosting]]](list)
        self._items = defaultdict[UUID, list[ItemRow]](list)
        self._payouts = defaultdict[tuple[str, str], list[PayoutRow]](list)
        for posting in books.postings:
            self._on[posting.account, posting.currency].append(posting)
            movement = self._movements[posting.movement_id]
            if movement.payout_id is not None:
                self._of[movement.payout_id].append((movement, posting))
        for item in books.items:
            self._items[item.payout_id].append(item)
        for row in books.payouts:
            self._payouts[payable(row.payee_kind, row.payee_id), row.currency].append(row)

    def account(self, code: str) -> BookedAccount | None:
        """A payee's account."""
        return self._accounts.get(code)

    def of_entry(self, posting_id: UUID) -> BookedMovement:
        """What a posting belongs to."""
        return self._movements[self._movement_of[posting_id]]

    def payouts(self, account: str, currency: str) -> Sequence[PayoutRow]:
        """A payee's payouts, the first first."""
        return self._payouts[account, currency]

    def entries(self, account: str, currency: str) -> list[Entry]:
        """What was booked on a payee's account in a currency, the first first."""
        found = []
        for posting in self._on[account, currency]:
            movement = self._movements[posting.movement_id]
            found.append(
                Entry(
                    id=posting.id,
                    cents=-posting.amount_cents,
                    event=movement.event,
                    booked_at=movement.booked_at,
                    about=movement.order_number or movement.key,
                    market=movement.market,
                )
            )
        return sorted(found, key=lambda entry: (entry.booked_at, entry.id))

    def taken(self, account: str, currency: str) -> list[Taken]:
        """What a payee's payouts took: as it is booked, or else as their rows say it."""
        return [
            Taken(
                payout_id=row.id,
                cents=self._transferred(row.id) or row.cents,
                claimed_at=row.created_at,
                returned_at=row.settled_at if row.status is PayoutStatus.FAILED else None,
                items=frozenset(item.posting_id for item in self._items[row.id]),
                live_items=frozenset(
                    item.posting_id for item in self._items[row.id] if item.released_at is None
                ),
            )
            for row in self._payouts[account, currency]
        ]

    def booked_for(self, payout_id: UUID) -> Mapping[str, int]:
        """What a payout's own movements come to, by account, in cents; nothing left out."""
        found = defaultdict[str, int](int)
        for _, posting in self._of[payout_id]:
            found[posting.account] += posting.amount_cents
        return {account: cents for account, cents in found.items() if cents}

    def _transferred(self, payout_id: UUID) -> int:
        return sum(
            posting.amount_cents
            for movement, posting in self._of[payout_id]
            if movement.event is Event.TRANSFER and posting.account == Account.PAYOUTS_IN_TRANSIT
        )
