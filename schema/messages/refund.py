"""What is said about requests for a refund. Amounts are integer cents, moments UTC."""

from datetime import datetime, timedelta
from uuid import UUID

from domain.ledger import Bearer
from domain.notifications import Alert
from domain.refunds import RefundKind, RequestStatus, Rules
from schema.messages.base import Message
from schema.messages.money import RefundStatus


class RefundTerms(Message):
    """The rules that a refund is asked for under."""

    complaint_window: timedelta = timedelta(hours=24)
    rules: Rules = Rules()
    remind_every: timedelta = timedelta(days=1)
    # What Stripe refuses today (too little on the account, say) it may grant tomorrow.
    ask_again_after: timedelta = timedelta(days=1)
    overdue_after: timedelta = timedelta(days=7)
    give_up_after: timedelta = timedelta(days=30)


class ItemAsked(Message):
    """So many of an order's dishes."""

    order_item_id: UUID
    quantity: int


class RefundAsk(Message):
    """A request for a refund: of items, of an amount, or (neither) of all that is left."""

    id: UUID
    order_id: UUID
    kind: RefundKind
    asked_by: UUID
    bearer: Bearer
    reason: str
    note: str | None = None
    items: tuple[ItemAsked, ...] | None = None
    amount_cents: int | None = None


class RefundStart(Message):
    """How a refund's workflow begins: with what is asked, or taken up from its row (None)."""

    request_id: UUID
    terms: RefundTerms = RefundTerms()
    ask: RefundAsk | None = None


class Begin(Message):
    """A refund to be asked for, at a moment."""

    ask: RefundAsk
    terms: RefundTerms
    at: datetime


class RefundRef(Message):
    """Which request."""

    request_id: UUID


class Overlooked(Message):
    """A page of the open requests that were made `before` a moment: so many, `after` an id."""

    before: datetime
    after: UUID | None = None
    limit: int = 100


class RefundAlarm(RefundRef):
    """Ops is to be told of a request; `key` keeps it from being told twice."""

    alert: Alert
    key: str


class GiveBack(RefundRef):
    """A granted refund is to be made; `refused_before` counts how often Stripe has refused it."""

    refused_before: int = 0


class GiveUp(RefundRef):
    """Stripe has refused a refund for too long."""

    reason: str


class RefundAtStripe(Message):
    """A refund as Stripe has it; `request_id` is what it says itself, so it may be anything."""

    id: str
    amount_cents: int
    status: RefundStatus
    reason: str | None
    request_id: str | None


class RefundView(Message):
    """A request for a refund, as it stands."""

    id: UUID
    order_id: UUID
    kind: RefundKind
    status: RequestStatus
    asked_by: UUID
    items: tuple[ItemAsked, ...] | None
    amount_cents: int
    reason: str
    note: str | None
    bearer: Bearer
    decided_by: UUID | None
    decided_at: datetime | None
    decision_note: str | None
    granted_cents: int | None
    stripe_refund_id: str | None
    created_at: datetime


class Decision(RefundRef):
    """An admin's word on a complaint; what he does not say stays as it was asked."""

    by: UUID
    grant: bool
    reason: str
    amount_cents: int | None = None
    bearer: Bearer | None = None

    def agrees_with(self, request: RefundView) -> bool:
        """Whether a request was decided just so, and by the same admin."""
        granted = request.status is not RequestStatus.REJECTED
        same_amount = self.amount_cents in {None, request.granted_cents}
        same_bearer = self.bearer in {None, request.bearer}
        return (
            (request.decided_by, granted) == (self.by, self.grant) and same_amount and same_bearer
        )


class DecideAt(Message):
    """A decision, and when it was made."""

    decision: Decision
    at: datetime


class Complaint(Message):
    """A fact for the order: a customer's complaint was opened, or settled, by whom and why."""

    request_id: UUID
    by: UUID
    reason: str
