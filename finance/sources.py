"""Where the books and Stripe's word come from: they themselves, or what was exported of them."""

import asyncio
import csv
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import UUID

import stripe

from domain import audit
from domain.ledger import payable
from finance.records import Records
from providers.stripe_payouts import Payouts
from schema.database import Database
from schema.messages.base import Message
from schema.messages.books import (
    AtStripe,
    BookedAccount,
    BookedMovement,
    BookedPosting,
    Books,
    ItemRow,
    PayoutRow,
    StripeSent,
    StripeTransfer,
)
from schema.messages.payouts import Terms
from schema.queries import books as queries

M = TypeVar("M", bound=Message)

# Stripe's clock and ours.
_CLOCKS = timedelta(hours=1)
_AT_ONCE = 10

# The files of an export, each with what a line of it is.
TABLES: Mapping[str, type[Message]] = {
    "accounts": BookedAccount,
    "movements": BookedMovement,
    "postings": BookedPosting,
    "payouts": PayoutRow,
    "items": ItemRow,
}
STRIPE = "stripe.json"
LEDGER = "ledger"


class Source(Protocol):
    """The books, and what Stripe says of what they say was paid."""

    async def payout(self, payout_id: UUID) -> PayoutRow | None:
        """A payout, if there is one with that id."""

    async def payouts_of_day(self, day: date, market: str | None) -> Sequence[PayoutRow]:
        """The payouts of a day, in one market or all."""

    async def owed(self, terms: Terms, at: datetime) -> Sequence[str]:
        """The accounts of those to whom at least the minimum was owed then, in any market."""

    async def books(self, accounts: Collection[str]) -> Books:
        """All that is written down about the payees with these accounts."""

    async def at_stripe(
        self, payouts: Sequence[PayoutRow], books: Books
    ) -> Mapping[UUID, AtStripe]:
        """What Stripe says of payouts."""


class Live:
    """The database and Stripe as they are now."""

    def __init__(self, database: Database, stripe: Payouts) -> None:
        self._database, self._stripe = database, stripe
        self._some = asyncio.Semaphore(_AT_ONCE)

    async def payout(self, payout_id: UUID) -> PayoutRow | None:
        async with self._database.read() as session:
            return await queries.payout(session, payout_id)

    async def payouts_of_day(self, day: date, market: str | None) -> Sequence[PayoutRow]:
        async with self._database.read() as session:
            return await queries.payouts_of_day(session, day, market)

    async def owed(self, terms: Terms, at: datetime) -> Sequence[str]:
        async with self._database.read() as session:
            return await queries.accounts_owed(session, terms, at)

    async def books(self, accounts: Collection[str]) -> Books:
        async with self._database.snapshot() as session:
            return await queries.books_of(session, accounts)

    async def at_stripe(
        self, payouts: Sequence[PayoutRow], books: Books
    ) -> Mapping[UUID, AtStripe]:
        async def ask(payout: PayoutRow) -> AtStripe:
            async with self._some:
                return await self._ask(payout, books)

        found = await asyncio.gather(*(ask(payout) for payout in payouts))
        return {about.payout_id: about for about in found}

    async def _ask(self, payout: PayoutRow, books: Books) -> AtStripe:
        """What names the payout; and what names none of ours, and came before the next one."""
        since = payout.created_at - _CLOCKS
        of_payee = [row for row in books.payouts if row.account_id == payout.account_id]
        later = [row.created_at for row in of_payee if row.created_at > payout.created_at]
        until = min(later, default=None)
        others = {str(row.id) for row in of_payee} - {str(payout.id)}

        def belongs(reference: str | None, created: int) -> bool:
            return reference == str(payout.id) or (
                reference not in others and (until is None or created < until.timestamp())
            )

        transfers = await self._stripe.transfers_to(payout.account_id, since)
        try:
            sent = await self._stripe.sent_from(payout.account_id, since)
        except stripe.PermissionError:
            # The account is gone, or not ours any more.
            sent = []
        references = {
            one.id: one.metadata.to_dict().get("payout") if one.metadata else None for one in sent
        }
        return AtStripe(
            payout_id=payout.id,
            transfers=[
                StripeTransfer(
                    id=one.id,
                    amount_cents=one.amount,
                    reversed_cents=one.amount_reversed,
                    currency=one.currency,
                    group=one.transfer_group,
                )
                for one in transfers
                if belongs(one.transfer_group, one.created)
            ],
            sent=[
                StripeSent(
                    id=one.id,
                    amount_cents=one.amount,
                    currency=one.currency,
                    status=one.status,
                    reference=references[one.id],
                )
                for one in sent
                if belongs(references[one.id], one.created)
            ],
        )


class Kept:
    """Books and Stripe's word as they were exported."""

    def __init__(self, folder: Path) -> None:
        self._books = Books.model_validate(
            {
                name: read_table(folder / LEDGER / f"{name}.csv", kind)
                for name, kind in TABLES.items()
            }
        )
        self._records = Records(self._books)
        told = json.loads((folder / STRIPE).read_text())
        self._stripe = [AtStripe.model_validate(about) for about in told]

    async def payout(self, payout_id: UUID) -> PayoutRow | None:
        return next((row for row in self._books.payouts if row.id == payout_id), None)

    async def payouts_of_day(self, day: date, market: str | None) -> Sequence[PayoutRow]:
        return [
            row for row in self._books.payouts if row.day == day and market in {None, row.market}
        ]

    async def owed(self, terms: Terms, at: datetime) -> Sequence[str]:
        found = []
        for account in self._books.accounts:
            due = audit.owed(
                self._records.entries(account.code, terms.currency),
                self._records.taken(account.code, terms.currency),
                cut_off=terms.cut_off,
                at=at,
            )
            if due.cents >= max(terms.minimum_cents, 1):
                found.append(account.code)
        return found

    async def books(self, accounts: Collection[str]) -> Books:
        payouts = [
            row for row in self._books.payouts if payable(row.payee_kind, row.payee_id) in accounts
        ]
        payout_ids = {row.id for row in payouts}
        movements = {p.movement_id for p in self._books.postings if p.account in accounts} | {
            m.id for m in self._books.movements if m.payout_id in payout_ids
        }
        return Books(
            accounts=[a for a in self._books.accounts if a.code in accounts],
            movements=[m for m in self._books.movements if m.id in movements],
            postings=[p for p in self._books.postings if p.movement_id in movements],
            payouts=payouts,
            items=[item for item in self._books.items if item.payout_id in payout_ids],
        )

    async def at_stripe(
        self, payouts: Sequence[PayoutRow], books: Books
    ) -> Mapping[UUID, AtStripe]:
        del books
        asked = {row.id for row in payouts}
        return {about.payout_id: about for about in self._stripe if about.payout_id in asked}


def write_table(path: Path, kind: type[M], rows: Collection[M]) -> None:
    """Write rows as CSV with their names above; what is unset is empty."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(kind.model_fields), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row.model_dump(mode="json") for row in rows)


def read_table(path: Path, kind: type[M]) -> list[M]:
    """Read what `write_table` wrote."""
    with path.open(newline="") as file:
        return [
            kind.model_validate({name: value for name, value in row.items() if value})
            for row in csv.DictReader(file)
        ]
