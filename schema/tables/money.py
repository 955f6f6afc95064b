"""Payments, refunds, and what Stripe told us (seed 000, Payments). Amounts in cents."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from domain.ledger import Bearer
from domain.refunds import RefundKind, RequestStatus
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
    refund_request_id: UUID | None = reference("refund_requests.id", default=None, index=True)
    stripe_refund_id: str = Field(unique=True)
    amount_cents: int
    status: RefundStatus = one_of(RefundStatus, "refunds_status")
    reason: str | None = None
    created_at: datetime = created()


class RefundRequest(SQLModel, table=True):
    """Somebody asks that a customer gets money back (domain.refunds), and what became of it.

    `items` is what it is about: `[{orderItemId, quantity}]`, or nothing for the whole order.
    `amount_cents` is what was asked for, `granted_cents` what is given, `tax_cents` the tax in it.
    """

    __tablename__ = "refund_requests"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="refund_requests_amount_positive"),
        CheckConstraint("granted_cents > 0", name="refund_requests_granted_positive"),
        CheckConstraint(
            "tax_cents BETWEEN 0 AND coalesce(granted_cents, amount_cents)",
            name="refund_requests_tax_within",
        ),
        CheckConstraint(
            "granted_cents IS NOT NULL OR status IN ('asked', 'rejected')",
            name="refund_requests_granted_says_how_much",
        ),
        Index("idx_refund_requests_status", "status", "created_at"),
        Index("idx_refund_requests_asked_by", "asked_by", "created_at"),
    )

    id: UUID = key()
    order_id: UUID = reference("orders.id", index=True)
    kind: RefundKind = one_of(RefundKind, "refund_requests_kind")
    asked_by: UUID = reference("users.id")
    items: list[dict[str, Any]] | None = document(default=None)
    amount_cents: int
    reason: str
    note: str | None = None
    status: RequestStatus = one_of(RequestStatus, "refund_requests_status")
    bearer: Bearer = one_of(Bearer, "refund_requests_bearer")
    decided_by: UUID | None = reference("users.id", default=None)
    decided_at: datetime | None = moment(default=None)
    decision_note: str | None = None
    granted_cents: int | None = None
    tax_cents: int
    stripe_refund_id: str | None = None
    created_at: datetime = created()


class TipCharge(SQLModel, table=True):
    """A tip that was added after paying, by a payment of its own."""

    __tablename__ = "tip_charges"
    __table_args__ = (CheckConstraint("amount_cents > 0", name="tip_charges_amount_positive"),)

    id: UUID = key()
    order_id: UUID = reference("orders.id", index=True)
    stripe_payment_intent_id: str = Field(unique=True)
    amount_cents: int
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
