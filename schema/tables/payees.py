"""Whom we pay, at Stripe (seed 000, Chef Onboarding)."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from domain.payees import PayeeKind
from schema.tables.columns import created, document, moment, one_of


class ConnectedAccount(SQLModel, table=True):
    """A chef's or driver's account at Stripe, as it stood when it was last looked at.

    `updated_at` is when that was. `onboarded_at` is when he could first be paid.
    """

    __tablename__ = "connected_accounts"

    id: str = Field(primary_key=True)
    payee_kind: PayeeKind = one_of(PayeeKind, "connected_accounts_payee_kind")
    payee_id: UUID = Field(unique=True)
    details_submitted: bool = False
    payouts_enabled: bool = False
    requirements_due: list[str] = document(default_factory=list)
    disabled_reason: str | None = None
    onboarded_at: datetime | None = moment(default=None)
    created_at: datetime = created()
    updated_at: datetime = created()
