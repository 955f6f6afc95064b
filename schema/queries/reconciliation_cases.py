"""Every SQL statement about what does not add up, and about the runs that found it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain import ledger as rules
from domain.reconciliation import ACCEPTABLE, CaseKind, CaseStatus, Remedy
from schema.messages.reconciliation import CurrencyReport, Run, RunReport, Untold
from schema.queries import admin, ledger, reconciliation
from schema.tables import (
    LedgerMovement,
    ReconciliationCase,
    ReconciliationRun,
    StripeTransaction,
)
from schema.tables.columns import now

_Case = ReconciliationCase


class AlreadyClosed(Exception):
    """A case that does not wait for anybody any more."""


class NotAcceptable(Exception):
    """A case that is no single thing which could be accepted."""


@dataclass(frozen=True, slots=True)
class NewCase:
    """Something that does not add up: `subject` is what it is about."""

    subject: str
    kind: CaseKind
    currency: str
    amount_cents: int
    expected_cents: int | None = None
    transaction_id: str | None = None
    movement_id: UUID | None = None
    order_id: UUID | None = None
    remedy: Remedy | None = None
    details: dict[str, Any] = field(default_factory=dict)


async def begin(session: AsyncSession, run: Run, overlap: timedelta) -> Run:
    """Write down a run, and say from when on it reads: the end of the last one, less `overlap`."""
    last = await session.scalar(
        select(func.max(ReconciliationRun.until)).where(
            col(ReconciliationRun.finished_at).is_not(None)
        )
    )
    since = last - overlap if last else None
    await session.execute(
        insert(ReconciliationRun)
        .values(
            id=run.id,
            started_at=run.started_at,
            since=since,
            seen=0,
            matched=0,
            opened=0,
            open_cases=0,
            balances=[],
        )
        .on_conflict_do_nothing()
    )
    return run.model_copy(update={"since": since})


async def finish(session: AsyncSession, report: RunReport) -> None:
    """Write down what came of a run."""
    await session.execute(
        update(ReconciliationRun)
        .where(col(ReconciliationRun.id) == report.run.id)
        .values(
            finished_at=now(),
            until=report.until,
            seen=report.seen,
            matched=report.matched,
            opened=report.opened,
            open_cases=report.open_cases,
            balances=[balance.model_dump(mode="json") for balance in report.balances],
        )
    )


async def last_run(session: AsyncSession) -> ReconciliationRun | None:
    """The run that ended last."""
    return await session.scalar(
        select(ReconciliationRun)
        .where(col(ReconciliationRun.finished_at).is_not(None))
        .order_by(col(ReconciliationRun.finished_at).desc())
        .limit(1)
    )


async def open_case(session: AsyncSession, run: Run, new: NewCase) -> None:
    """Open a case, unless one is open; once.

    What a person has closed is not opened again unless its figures have changed. An order that was
    told before and set nothing right is not told again: that one is for a person.
    """
    before = await session.scalars(select(_Case).where(col(_Case.subject) == new.subject))
    known = before.all()
    if any(_is_decided(case, new) or case.opened_at == run.started_at for case in known):
        return
    told = any(case.status is CaseStatus.RESOLVED for case in known)
    remedy = {"remedy": new.remedy} if new.remedy and not told else {}
    figures = {"amount_cents": new.amount_cents, "expected_cents": new.expected_cents}
    await session.execute(
        insert(_Case)
        .values(
            id=uuid7(),
            subject=new.subject,
            kind=new.kind,
            stripe_transaction_id=new.transaction_id,
            movement_id=new.movement_id,
            order_id=new.order_id,
            currency=new.currency,
            details=new.details | remedy,
            status=CaseStatus.OPEN,
            opened_at=run.started_at,
            **figures,
        )
        .on_conflict_do_update(
            index_elements=["subject"],
            # Written out: as a parameter, PostgreSQL does not always see that it is the index's.
            index_where=text("status = 'open'"),
            set_=figures,
        )
    )


def _is_decided(case: ReconciliationCase, new: NewCase) -> bool:
    return (
        case.closed_by is not None
        and case.kind is new.kind
        and (case.amount_cents, case.expected_cents) == (new.amount_cents, new.expected_cents)
    )


async def close_moot(session: AsyncSession) -> None:
    """Close open cases about what has found its counterpart since."""
    missing = reconciliation.entries(~reconciliation.made_up_for()).subquery()
    matched = select(col(StripeTransaction.id)).where(
        col(StripeTransaction.movement_id).is_not(None)
    )
    await _close(
        session,
        or_(
            col(_Case.stripe_transaction_id).in_(matched),
            col(_Case.stripe_transaction_id).is_(None)
            & col(_Case.movement_id).is_not(None)
            & col(_Case.movement_id).not_in(select(missing.c.id)),
        ),
        "it has found its counterpart since",
    )


async def close_settled(session: AsyncSession, subject: str) -> None:
    """Close what was open about something that adds up now."""
    await _close(session, col(_Case.subject) == subject, "it adds up again")


async def _close(session: AsyncSession, which: ColumnElement[bool], reason: str) -> None:
    await session.execute(
        update(_Case)
        .where(col(_Case.status) == CaseStatus.OPEN, which)
        .values(status=CaseStatus.CLOSED, close_reason=reason, closed_at=now())
        .execution_options(synchronize_session=False)
    )


async def untold(session: AsyncSession, limit: int) -> list[Untold]:
    """The next cases that an order sets right when it is told, and has not been told."""
    found = await session.execute(
        select(_Case, StripeTransaction)
        .join(StripeTransaction, col(StripeTransaction.id) == col(_Case.stripe_transaction_id))
        .where(
            col(_Case.status) == CaseStatus.OPEN,
            col(_Case.details).has_key("remedy"),  # type: ignore[attr-defined]  # JSONB's
        )
        .order_by(col(_Case.id))
        .limit(limit)
    )
    return [
        Untold(
            case_id=case.id,
            order_id=case.order_id,
            remedy=case.details["remedy"],
            amount_cents=transaction.amount_cents,
            payment_intent_id=transaction.payment_intent_id,
            source_id=transaction.source_id,
        )
        for case, transaction in found
    ]


async def note_told(session: AsyncSession, case_id: UUID, remedy: Remedy) -> None:
    """Write down that an order was told and sees to it."""
    await session.execute(
        update(_Case)
        .where(col(_Case.id) == case_id, col(_Case.status) == CaseStatus.OPEN)
        .values(status=CaseStatus.RESOLVED, resolved_how=f"told the order: {remedy}")
    )


async def counts(session: AsyncSession, run: Run) -> tuple[dict[str, int], int]:
    """How many cases of each kind a run has opened, and how many are open in all."""
    opened = await session.execute(
        select(col(_Case.kind), func.count())
        .where(col(_Case.opened_at) == run.started_at)
        .group_by(col(_Case.kind))
        .order_by(col(_Case.kind))
    )
    still = await session.scalar(
        select(func.count()).select_from(_Case).where(col(_Case.status) == CaseStatus.OPEN)
    )
    return {kind.value: count for kind, count in opened}, still or 0


def clearing_subject(report: CurrencyReport) -> str:
    """What a case is about whose figures differ as a whole."""
    return f"{rules.Account.STRIPE_CLEARING}:{report.currency}"


async def page(
    session: AsyncSession,
    *,
    statuses: Sequence[CaseStatus],
    kinds: Sequence[CaseKind],
    limit: int,
    offset: int,
) -> tuple[Sequence[ReconciliationCase], int]:
    """A page of cases, the latest first, and how many there are."""
    wanted = [
        *([col(_Case.status).in_(statuses)] if statuses else []),
        *([col(_Case.kind).in_(kinds)] if kinds else []),
    ]
    total = await session.scalar(select(func.count()).select_from(_Case).where(*wanted))
    found = await session.scalars(
        select(_Case)
        .where(*wanted)
        .order_by(col(_Case.opened_at).desc(), col(_Case.id).desc())
        .limit(limit)
        .offset(offset)
    )
    return found.all(), total or 0


async def close(
    session: AsyncSession, case_id: UUID, *, by: UUID, reason: str, accept: bool
) -> ReconciliationCase | None:
    """Close a case, by a person; None when there is none.

    With `accept` the books are made to say what Stripe says: what moved there is booked against
    suspense, what did not is booked back. The same request twice has one effect. Raises
    AlreadyClosed, NotAcceptable.
    """
    await reconciliation.lock(session)
    case = await session.get(ReconciliationCase, case_id)
    if case is None:
        return None
    if case.status is not CaseStatus.OPEN:
        if (case.closed_by, case.close_reason) == (by, reason):
            return case
        raise AlreadyClosed
    before: dict[str, object] = {}
    after: dict[str, object] = {}
    if accept:
        if case.kind not in ACCEPTABLE:
            raise NotAcceptable
        booked = await _accept(session, case, reason)
        before, after = {"booked": None}, {"booked": booked}
    case.status, case.closed_by = CaseStatus.CLOSED, by
    case.close_reason, case.closed_at = reason, now()
    session.add(case)
    await admin.act(
        session,
        key=f"reconciliation_case:{case.id}:closed",
        admin_id=by,
        action="reconciliation_case_closed",
        target=("reconciliation_case", case.id),
        details={"kind": case.kind, "accepted": accept, "reason": reason},
        at=case.closed_at,
        before={"status": CaseStatus.OPEN, **before},
        after={"status": case.status, **after},
    )
    return case


async def _accept(session: AsyncSession, case: ReconciliationCase, reason: str) -> str | None:
    """Book what a case says is missing or too much; the key of the movement, None if there is
    nothing left to book.
    """
    if case.stripe_transaction_id is None:
        return await _book_back(session, case, reason)
    row = await session.get_one(StripeTransaction, case.stripe_transaction_id)
    if row.movement_id is not None:
        return None
    transaction = reconciliation.transaction_of(row)
    cents = transaction.amount_cents
    if case.movement_id is not None:
        # It is known what it is, only not why it is so much.
        cents -= case.expected_cents or 0
    adjustment = rules.unexplained(
        transaction.id, cents, transaction.currency, transaction.source_id
    )
    is_new = await ledger.book(session, adjustment, reason)
    await reconciliation.book_fee(session, transaction, case.order_id)
    row.movement_id = case.movement_id or await session.scalar(
        select(col(LedgerMovement.id)).where(col(LedgerMovement.key) == adjustment.key)
    )
    row.matched_at = now()
    session.add(row)
    return adjustment.key if is_new else None


async def _book_back(session: AsyncSession, case: ReconciliationCase, reason: str) -> str | None:
    key = await session.scalar(
        select(col(LedgerMovement.key)).where(col(LedgerMovement.id) == case.movement_id)
    )
    movement = await ledger.booked(session, key or "")
    if movement is None:
        raise LookupError(f"the movement of case {case.id} is gone")
    opposite = rules.reverse(movement)
    return opposite.key if await ledger.book(session, opposite, reason) else None
