"""What is to be looked at: the payees of a day or a payout, a few at a time with all about them."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from temporalio.client import WorkflowHistory

from domain.audit import IN_FLIGHT
from domain.ledger import payable, payee_of
from finance import deeds
from finance.deeds import RunDid
from finance.histories import Histories, run_id
from finance.printing import Progress
from finance.problems import Misused
from finance.sources import Source
from schema.messages.books import AtStripe, Books, PayoutRow
from schema.messages.payouts import Terms

_PAYEES_AT_ONCE = 100


class Subject(NamedTuple):
    """A payee, and the day and currency in which he was or should have been paid."""

    account: str
    day: date
    currency: str

    @property
    def workflow_id(self) -> str:
        """The workflow that pays him."""
        owner = payee_of(self.account)
        if owner is None:
            raise ValueError(f"{self.account} is no payee's account")
        return f"payout-{owner[1]}-{self.day}"


@dataclass(frozen=True)
class Due:
    """By a run's terms he was owed something before it began, as far as sums say."""

    terms: Terms
    at: datetime
    run_is_over: bool


@dataclass(frozen=True)
class Matter:
    """All that is to be looked at: whom runs have `begun` with, and who was `due` before them."""

    day: date
    runs: Mapping[str, list[WorkflowHistory]]
    missing_runs: Sequence[str]
    rows: Mapping[Subject, PayoutRow]
    subjects: Sequence[Subject]
    begun: Collection[Subject]
    due: Mapping[Subject, Due]
    children: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Batch:
    """A few of the payees, with all that is known of them."""

    subjects: Sequence[Subject]
    histories: Mapping[str, list[WorkflowHistory]]
    books: Books
    stripe: Mapping[UUID, AtStripe]


async def of_day(
    histories: Histories, source: Source, day: date, market: str | None, markets: Sequence[str]
) -> Matter:
    """Everybody who was or should have been paid for a day, in one market or in all.

    `markets` are those that may have had a run. Raises Misused when nothing is known of the day.
    """
    rows = {subject_of(row): row for row in await source.payouts_of_day(day, market)}
    wanted = [market] if market else sorted({*markets, *(row.market for row in rows.values())})
    runs = await histories.of([run_id(day, name) for name in wanted])
    found = {name: kept for name, kept in runs.items() if kept}
    if not rows and not found:
        where = f" in {market}" if market else ""
        raise Misused(f"no payouts were run for {day}{where}, as far as books and Temporal know")
    begun, due = set[Subject](), dict[Subject, Due]()
    children: list[tuple[str, str]] = []
    for kept in found.values():
        chain = [deeds.of_run(history) for history in kept]
        for did in chain:
            children += did.children
            for start in did.begun:
                if start.terms.day == day:
                    account = payable(start.kind, start.payee_id)
                    begun.add(Subject(account, day, start.terms.currency))
        due |= await _due(source, chain, rows)
    missing = {run_id(day, row.market) for row in rows.values()} - set(found)
    subjects = sorted({*rows, *begun, *due})
    return Matter(day, found, sorted(missing), rows, subjects, begun, due, children)


async def of_payout(source: Source, payout_id: UUID) -> Matter:
    """One payout. Raises Misused when there is none with that id."""
    row = await source.payout(payout_id)
    if row is None:
        raise Misused(f"there is no payout {payout_id}")
    subject = subject_of(row)
    return Matter(row.day, {}, [], {subject: row}, [subject], {subject}, {}, [])


async def batches(histories: Histories, source: Source, matter: Matter) -> AsyncIterator[Batch]:
    """Its payees with all about them, a few at a time.

    Histories are read before the books, and the books before Stripe: none is behind the one before.
    """
    progress = Progress("payees", len(matter.subjects))
    for at in range(0, len(matter.subjects), _PAYEES_AT_ONCE):
        some = list(matter.subjects[at : at + _PAYEES_AT_ONCE])
        ids = dict.fromkeys(subject.workflow_id for subject in some)
        found = await histories.of(list(ids), matter.children)
        books = await source.books([subject.account for subject in some])
        paid = [row for row in books.payouts if subject_of(row) in some]
        yield Batch(some, found, books, await source.at_stripe(paid, books))
        progress.step(len(some))


async def _due(
    source: Source, chain: Sequence[RunDid], rows: Mapping[Subject, PayoutRow]
) -> Mapping[Subject, Due]:
    """Whom a run should have met: those to whom enough was owed before it did anything."""
    first, last = chain[0], chain[-1]
    if first.start.progress.begun:
        # The beginning of the run is gone, and with it when it began.
        return {}
    terms = first.start.terms
    claims = [row.created_at for row in rows.values() if row.market == terms.market]
    at = min([first.started_at, *claims]) - IN_FLIGHT
    return {
        Subject(account, terms.day, terms.currency): Due(terms, at, last.is_over)
        for account in await source.owed(terms, at)
    }


def subject_of(row: PayoutRow) -> Subject:
    """Whom and what a payout is for."""
    return Subject(payable(row.payee_kind, row.payee_id), row.day, row.currency)
