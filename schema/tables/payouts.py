"""Payouts and what they are made of (seed 000, Payments). Amounts in cents."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from domain.payees import PayeeKind
from domain.payouts import PayoutStatus
from schema.tables.columns import created, key, moment, one_of, reference


class Payout(SQLModel, table=True):
    """What a payee is paid for one day: all that was owed to him by its end, debts netted.

    `user_id`, `user_type` and `total_paid_cents` are the seeds' names.
    """

    __tablename__ = "payouts"
    __table_args__ = (
        UniqueConstraint("payee_id", "day", "currency", name="payouts_once_a_day"),
        CheckConstraint("total_paid_cents > 0", name="payouts_positive"),
        Index("idx_payouts_user", "user_id", "day"),
        Index("idx_payouts_day", "day", "status"),
        Index(
            "idx_payouts_unsettled",
            "market",
            "currency",
            "id",
            postgresql_where=text("status NOT IN ('paid', 'failed')"),
        ),
    )

    id: UUID = key()
    user_id: UUID = reference("users.id")
    user_type: PayeeKind = one_of(PayeeKind, "payouts_user_type")
    payee_id: UUID
    market: str
    day: date
    currency: str
    total_paid_cents: int
    status: PayoutStatus = one_of(PayoutStatus, "payouts_status")
    stripe_account_id: str = reference("connected_accounts.id")
    stripe_transfer_id: str | None = Field(default=None, unique=True)
    stripe_payout_id: str | None = Field(default=None, unique=True)
    stripe_reversal_id: str | None = Field(default=None, unique=True)
    failure: str | None = None
    created_at: datetime = created()
    transferred_at: datetime | None = moment(default=None)
    settled_at: datetime | None = moment(default=None)


class PayoutItem(SQLModel, table=True):
    """A posting on a payee's account that a payout pays.

    It is in one live payout at most; when the payout fails, it is released for another one.
    """

    __tablename__ = "payout_items"
    __table_args__ = (
        Index(
            "one_live_payout_per_posting",
            "posting_id",
            unique=True,
            postgresql_where=text("released_at IS NULL"),
        ),
    )

    payout_id: UUID = reference("payouts.id", primary_key=True)
    posting_id: UUID = reference("ledger_postings.id", primary_key=True)
    released_at: datetime | None = moment(default=None)


class PayoutHold(SQLModel, table=True):
    """A payee whose payouts an admin has stopped; what he earns stays owed."""

    __tablename__ = "payout_holds"

    payee_id: UUID = Field(primary_key=True)
    payee_kind: PayeeKind = one_of(PayeeKind, "payout_holds_payee_kind")
    reason: str
    held_by: UUID = reference("users.id")
    held_at: datetime = created()
