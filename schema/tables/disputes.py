"""Disputes at Stripe, written by their workflows alone. Amounts in cents."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from domain.disputes import Outcome, Stage
from domain.ledger import Bearer
from schema.tables.columns import document, moment, one_of, reference


class Dispute(SQLModel, table=True):
    """A dispute as it stood when Stripe was asked last; `status` and `reason` are its words.

    `fault` is who bears it if it is lost, null until that is decided; `evidence_text` what people
    want the bank to read, `evidence` all that was sent to it; `told` how far the order has heard.
    `tip_charge_id` is the tip whose own payment it is about, null where it is the order's payment.
    """

    __tablename__ = "disputes"
    __table_args__ = (
        CheckConstraint(
            "amount_cents >= 0 AND withdrawn_cents >= 0 AND reinstated_cents >= 0",
            name="disputes_cents_not_negative",
        ),
        CheckConstraint(
            "(outcome IS NULL) = (closed_at IS NULL)", name="disputes_closed_with_an_outcome"
        ),
        Index("idx_disputes_opened_at", "opened_at"),
    )

    stripe_dispute_id: str = Field(primary_key=True)
    order_id: UUID = reference("orders.id", index=True)
    tip_charge_id: UUID | None = reference("tip_charges.id", default=None, index=True)
    amount_cents: int
    currency: str
    reason: str
    status: str
    inquiry: bool
    evidence_due_by: datetime | None = moment(default=None)
    evidence_past_due: bool = False
    evidence_text: str | None = None
    evidence_submitted_at: datetime | None = moment(default=None)
    evidence: dict[str, Any] | None = document(default=None)
    conceded: bool = False
    fault: Bearer | None = one_of(Bearer, "disputes_fault", default=None)
    withdrawn_cents: int = 0
    reinstated_cents: int = 0
    outcome: Outcome | None = one_of(Outcome, "disputes_outcome", default=None)
    told: Stage | None = one_of(Stage, "disputes_told", default=None)
    opened_at: datetime = moment()
    closed_at: datetime | None = moment(default=None)
