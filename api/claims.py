"""What clients get about money that somebody wants back: complaints, refunds, disputes."""

from typing import Any
from uuid import UUID

from api import examples
from api.examples import shown
from api.views import Moment
from domain.disputes import Outcome
from domain.ledger import Bearer
from domain.refunds import RefundKind, RequestStatus
from schema.messages.base import Message
from schema.messages.refund import RefundView
from schema.queries.disputes import Listed


class RefundItemOut(Message):
    """So many of an order's dishes."""

    order_item_id: UUID
    quantity: int


class ComplaintOut(Message):
    """A customer's complaint, and what has become of it."""

    model_config = shown(examples.COMPLAINT)

    id: UUID
    order_id: UUID
    status: RequestStatus
    items: list[RefundItemOut] | None
    amount_cents: int
    granted_cents: int | None
    reason: str
    note: str | None
    decision_note: str | None
    decided_at: Moment | None
    created_at: Moment


class RefundRequestOut(ComplaintOut):
    """A request for a refund, as admins see it: who asks, who decided, who bears it."""

    model_config = shown(examples.REFUND_REQUEST)

    kind: RefundKind
    asked_by: UUID
    bearer: Bearer
    decided_by: UUID | None
    stripe_refund_id: str | None


class DisputeOut(Message):
    """A dispute as it stands; `status` and `reason` are Stripe's words, `fault` who bears it if it
    is lost (undecided until then, unless an admin has said). With a `tipChargeId` it is about the
    payment of a tip, not of the order.
    """

    model_config = shown(examples.DISPUTE)

    id: str
    order_id: UUID
    order_number: str
    tip_charge_id: UUID | None
    amount_cents: int
    currency: str
    reason: str
    status: str
    inquiry: bool
    evidence_due_by: Moment | None
    evidence_submitted_at: Moment | None
    conceded: bool
    fault: Bearer | None
    withdrawn_cents: int
    reinstated_cents: int
    outcome: Outcome | None
    opened_at: Moment
    closed_at: Moment | None


class DisputeDetailsOut(DisputeOut):
    """A dispute with its evidence, by Stripe's fields: what was sent, or would be sent now."""

    model_config = shown(examples.DISPUTE_DETAILS)

    evidence: dict[str, str]


def complaint(request: RefundView) -> ComplaintOut:
    """A complaint, for the customer."""
    return ComplaintOut(**request.model_dump(include=set(ComplaintOut.model_fields)))


def refund_request(request: RefundView) -> RefundRequestOut:
    """A request for a refund, for admins."""
    return RefundRequestOut(**request.model_dump())


def dispute(listed: Listed) -> DisputeOut:
    """A dispute, for admins."""
    return DisputeOut(**_of_dispute(listed))


def dispute_details(listed: Listed, evidence: dict[str, str]) -> DisputeDetailsOut:
    """A dispute with its evidence, for admins."""
    return DisputeDetailsOut(**_of_dispute(listed), evidence=evidence)


def _of_dispute(listed: Listed) -> dict[str, Any]:
    row = listed.dispute
    return {
        "id": row.stripe_dispute_id,
        "order_number": listed.order_number,
        **row.model_dump(include=set(DisputeOut.model_fields)),
    }
