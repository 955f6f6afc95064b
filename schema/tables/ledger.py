"""The books (DESIGN.md, Money). Amounts in cents, debits positive, credits negative.

Triggers of the database guard them (migration 0002): a movement's postings sum to zero per currency
when its transaction commits, and nothing is ever changed or deleted. The seeds' chef_ledger and
driver_ledger are views of them (seed 000, Payments).
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from domain.ledger import Event
from domain.payees import PayeeKind
from schema.tables.columns import created, key, one_of, reference


class LedgerAccount(SQLModel, table=True):
    """An account: one of the platform's, or what is owed to a payee."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        CheckConstraint(
            "(payee_kind IS NULL) = (payee_id IS NULL)", name="ledger_accounts_payee_whole"
        ),
    )

    code: str = Field(primary_key=True)
    payee_kind: PayeeKind | None = one_of(PayeeKind, "ledger_accounts_payee_kind", default=None)
    payee_id: UUID | None = Field(default=None, index=True)
    created_at: datetime = created()


class LedgerMovement(SQLModel, table=True):
    """What one event booked; `key` is what keeps it from being booked twice.

    `stripe_id` is Stripe's object that moved the same money.
    """

    __tablename__ = "ledger_movements"
    __table_args__ = (Index("idx_ledger_movements_booked_at", "booked_at"),)

    id: UUID = key()
    key: str = Field(unique=True)
    event: Event = one_of(Event, "ledger_movements_event")
    order_id: UUID | None = reference("orders.id", default=None, index=True)
    payout_id: UUID | None = Field(default=None, index=True)
    stripe_id: str | None = Field(default=None, index=True)
    note: str | None = None
    booked_at: datetime = created()


class LedgerPosting(SQLModel, table=True):
    """So many cents of a movement on an account."""

    __tablename__ = "ledger_postings"
    __table_args__ = (
        CheckConstraint("amount_cents <> 0", name="ledger_postings_not_nothing"),
        Index("idx_ledger_postings_account", "account", "currency"),
    )

    id: UUID = key()
    movement_id: UUID = reference("ledger_movements.id", index=True)
    account: str = reference("ledger_accounts.code")
    currency: str
    amount_cents: int
