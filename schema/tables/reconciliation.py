"""What Stripe says moved on the platform's balance, and what of it does not add up. Cents."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from domain.reconciliation import CaseKind, CaseStatus
from schema.tables.columns import document, key, moment, one_of, reference


class StripeTransaction(SQLModel, table=True):
    """A balance transaction of Stripe's; `movement_id` is what we booked for the same money.

    `tip_of_order_id` is the order whose tip it is, as the charge says; there may be no such order.
    """

    __tablename__ = "stripe_transactions"
    __table_args__ = (
        Index(
            "idx_stripe_transactions_unmatched",
            "id",
            postgresql_where=text("movement_id IS NULL"),
        ),
        Index("idx_stripe_transactions_matched_at", "matched_at"),
    )

    id: str = Field(primary_key=True)
    type: str
    amount_cents: int
    fee_cents: int
    net_cents: int
    currency: str
    source_id: str | None = Field(default=None, index=True)
    payment_intent_id: str | None = Field(default=None, index=True)
    tip_of_order_id: UUID | None = None
    created_at: datetime = moment()
    available_on: datetime = moment()
    movement_id: UUID | None = reference("ledger_movements.id", default=None, unique=True)
    matched_at: datetime | None = moment(default=None)


class ReconciliationRun(SQLModel, table=True):
    """One run: what it read (`since` None: everything there is), and what came of it.

    `until` is when the latest transaction was made that it knew of; the next run begins there, less
    an overlap. `balances` are the figures of each currency, as `schema.messages` has them.
    """

    __tablename__ = "reconciliation_runs"

    id: UUID = Field(primary_key=True)
    started_at: datetime = moment()
    finished_at: datetime | None = moment(default=None, index=True)
    since: datetime | None = moment(default=None)
    until: datetime | None = moment(default=None)
    seen: int = 0
    matched: int = 0
    opened: int = 0
    open_cases: int = 0
    balances: list[dict[str, Any]] = document(default_factory=list)


class ReconciliationCase(SQLModel, table=True):
    """Something that does not add up. `subject` is what it is about: a transaction, a movement or
    an account; of each there is one open case.
    """

    __tablename__ = "reconciliation_cases"
    __table_args__ = (
        Index(
            "one_open_case_per_subject",
            "subject",
            unique=True,
            postgresql_where=text("status = 'open'"),
        ),
        Index("idx_reconciliation_cases_subject", "subject"),
        Index("idx_reconciliation_cases_status", "status", "opened_at"),
    )

    id: UUID = key()
    subject: str
    kind: CaseKind = one_of(CaseKind, "reconciliation_cases_kind")
    stripe_transaction_id: str | None = reference("stripe_transactions.id", default=None)
    movement_id: UUID | None = reference("ledger_movements.id", default=None)
    order_id: UUID | None = reference("orders.id", default=None)
    amount_cents: int
    expected_cents: int | None = None
    currency: str
    details: dict[str, Any] = document(default_factory=dict)
    status: CaseStatus = one_of(CaseStatus, "reconciliation_cases_status", default=CaseStatus.OPEN)
    opened_at: datetime = moment()
    resolved_how: str | None = None
    closed_by: UUID | None = reference("users.id", default=None)
    close_reason: str | None = None
    closed_at: datetime | None = moment(default=None)
