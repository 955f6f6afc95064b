"""Payments, refunds, and what Stripe told us (seed 000, Payments). Amounts in cents."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from schema.messages.money import PaymentStatus, RefundStatus
from schema.messages.order import CaptureMethod
from schema.tables.columns import created, document, key, moment, one_of, reference


class Payment(SQLModel, table=True):
    """An order's payment at Stripe."""

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint(
            "captured_cents >= 0 AND refunded_cents BETWEEN 0 AND captured_cents",
            name="payments_refunded_within_captured",
        ),
    )

    id: UUID = key()
    order_id: UUID = reference("orders.id", unique=True)
    stripe_payment_intent_id: str = Field(unique=True)
    amount_cents: int
    currency: str
    capture_method: CaptureMethod = one_of(CaptureMethod, "payments_capture_method")
    status: PaymentStatus = one_of(PaymentStatus, "payments_status", default=PaymentStatus.OPEN)
    captured_cents: int = 0
    refunded_cents: int = 0
    created_at: datetime = created()


class Refund(SQLModel, table=True):
    """Money that went back to a customer, or is on its way."""

    __tablename__ = "refunds"
    __table_args__ = (CheckConstraint("amount_cents > 0", name="refunds_amount_positive"),)

    id: UUID = key()
    order_id: UUID = reference("orders.id", index=True)
    stripe_refund_id: str = Field(unique=True)
    amount_cents: int
    status: RefundStatus = one_of(RefundStatus, "refunds_status")
    reason: str | None = None
    created_at: datetime = created()


class StripeEvent(SQLModel, table=True):
    """A webhook event, stored once by its id; `handled_at` is set once it was passed on."""

    __tablename__ = "stripe_events"

    id: str = Field(primary_key=True)
    type: str = Field(index=True)
    payload: dict[str, Any] = document()
    received_at: datetime = created()
    handled_at: datetime | None = moment(default=None)
    outcome: str | None = None
