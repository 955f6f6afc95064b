"""What is said about payments and refunds. Amounts are integer cents."""

from enum import StrEnum
from uuid import UUID

from schema.messages.base import Message
from schema.messages.order import CaptureMethod


class PaymentStatus(StrEnum):
    """How an order's payment stands."""

    OPEN = "open"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    RELEASED = "released"


class RefundStatus(StrEnum):
    """How a refund stands, in Stripe's words."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class OpenPayment(Message):
    """A payment to be asked for."""

    order_id: UUID
    order_number: str
    customer_id: UUID
    amount_cents: int
    currency: str
    capture_method: CaptureMethod


class OpenedPayment(Message):
    """A payment that waits for the customer."""

    payment_intent_id: str
    client_secret: str


class PaymentRef(Message):
    """Which payment of which order."""

    order_id: UUID
    payment_intent_id: str


class NewAmount(PaymentRef):
    """A payment that is now for another amount; `step` tells this change from all others."""

    amount_cents: int
    step: str


class Settling(PaymentRef):
    """What is to be kept of an order's payment: everything above it goes back. None: only look.

    `refused_before` counts how often Stripe has refused to give it back.
    """

    keep_cents: int | None
    reason: str
    refused_before: int = 0


class Settled(Message):
    """How an order's money stands at Stripe after a settlement."""

    captured_cents: int
    refunded_cents: int
    pending_cents: int
    failed_cents: int


class PaymentSucceeded(Message):
    """Stripe says: paid, or (with manual capture) authorised."""

    payment_intent_id: str
    amount_cents: int
    captured: bool


class TipCharged(Message):
    """Stripe says: a tip that was added after paying is charged, by a payment of its own."""

    payment_intent_id: str
    amount_cents: int


class PaymentFailed(Message):
    """Stripe says: the card was refused. `final` when this payment cannot be tried again."""

    event_id: str
    payment_intent_id: str
    reason: str
    final: bool = False


class RefundSettled(Message):
    """Stripe says that a refund stands otherwise now (it is asked how: this may be stale)."""

    refund_id: str


class DisputeOpened(Message):
    """Stripe says: the customer's bank asks for the money back, or (`inquiry`) only asks."""

    dispute_id: str
    amount_cents: int
    reason: str
    inquiry: bool = False


class DisputeClosed(Message):
    """Stripe says how a dispute ended."""

    dispute_id: str
    won: bool
