"""What operators send and get about what does not add up between our books and Stripe."""

from typing import Any
from uuid import UUID

from pydantic import StrictBool

from api import examples
from api.bodies import Body, Words
from api.examples import shown
from api.views import Moment, Page
from domain.reconciliation import CaseKind, CaseStatus
from schema.messages.base import Message
from schema.messages.reconciliation import CurrencyReport
from schema.tables import ReconciliationCase, ReconciliationRun


class ReconcileBody(Body):
    """Why the books are held against Stripe's now, for the log."""

    model_config = shown({"reason": "a transfer from our bank has come"})

    reason: Words | None = None


class CloseCaseBody(Body):
    """Why a case is closed. With `accept` the books are made to say what Stripe says: what moved
    there is booked against suspense, what did not move is booked back.
    """

    model_config = shown({"reason": "Topped up from our bank account.", "accept": True})

    reason: Words
    accept: StrictBool = False


class CaseOut(Message):
    """Something that does not add up. `amountCents` is what there is at Stripe, `expectedCents`
    what the books say; `resolvedHow` is set where the run that found it saw to it.
    """

    model_config = shown(examples.CASE)

    id: UUID
    kind: CaseKind
    status: CaseStatus
    stripe_transaction_id: str | None
    movement_id: UUID | None
    order_id: UUID | None
    amount_cents: int
    expected_cents: int | None
    currency: str
    details: dict[str, Any]
    opened_at: Moment
    resolved_how: str | None
    closed_by: UUID | None
    close_reason: str | None
    closed_at: Moment | None


class BalanceOut(Message):
    """A currency: the books' stripe_clearing, and what is at Stripe, pending and available (null
    where it moved too fast to be told). `unmatchedCents` of the difference is explained by what has
    no counterpart, `differenceCents` by nothing. `feesCents` were booked by the run.
    """

    currency: str
    clearing_cents: int
    stripe_cents: int | None
    unmatched_cents: int
    difference_cents: int
    fees_cents: int


class RunOut(Message):
    """The last run: which transactions it read, and what came of it."""

    started_at: Moment
    finished_at: Moment | None
    since: Moment | None
    until: Moment | None
    seen: int
    matched: int
    opened: int
    open_cases: int
    balances: list[BalanceOut]


class ReconciliationOut(Page[CaseOut]):
    """Cases, and what the last run found."""

    last_run: RunOut | None


class AskedOut(Message):
    """A run was asked for; GET /admin/reconciliation shows when it has ended."""

    model_config = shown({"schedule": "reconciliation"})

    schedule: str


def case(row: ReconciliationCase) -> CaseOut:
    """A case's row, for operators."""
    details = {name: value for name, value in row.details.items() if name != "remedy"}
    fields = row.model_dump(include=set(CaseOut.model_fields)) | {"details": details}
    return CaseOut(**fields)


def run(row: ReconciliationRun) -> RunOut:
    """A run's row, for operators."""
    reports = [CurrencyReport.model_validate(balance) for balance in row.balances]
    fields = row.model_dump(include=set(RunOut.model_fields) - {"balances"})
    return RunOut(
        **fields,
        balances=[
            BalanceOut(**report.model_dump(), difference_cents=report.difference_cents)
            for report in reports
        ],
    )
