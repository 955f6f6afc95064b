"""What is said about disputes. Amounts are integer cents, moments UTC."""

from datetime import datetime
from uuid import UUID

from domain.disputes import Outcome, Stage
from domain.ledger import Bearer
from schema.messages.base import Message


class DisputeRef(Message):
    """Which dispute, by Stripe's id: all that its workflow begins with."""

    dispute_id: str


class Standing(DisputeRef):
    """How a dispute stands at Stripe and with us.

    `answer_by` is when the evidence goes off by itself, `told` how far its order has heard;
    `of_tip` says that it is about a tip's own payment, not the order's.
    """

    order_id: UUID
    of_tip: bool = False
    chef_id: UUID
    customer_id: UUID
    driver_id: UUID | None
    market: str
    amount_cents: int
    reason: str
    status: str
    inquiry: bool
    due_by: datetime | None
    answer_by: datetime | None
    past_due: bool
    submitted: bool
    conceded: bool
    outcome: Outcome | None
    awaits_money: bool
    told: Stage | None


class Submission(DisputeRef):
    """The evidence is to go off; `refused_before` counts how often Stripe has refused it."""

    refused_before: int = 0


class DisputeRequest(Message):
    """What an admin wants with a dispute."""

    admin_id: UUID


class Evidence(DisputeRequest):
    """Words for the bank, and who bears the dispute if it is lost; None leaves what there is."""

    text: str | None = None
    fault: Bearer | None = None


class Concession(DisputeRequest):
    """The customer is right, and why; `fault` says who bears it, if not the usual one."""

    reason: str
    fault: Bearer | None = None


class Decision(DisputeRef):
    """What an admin has decided about a dispute, to be written down; `key` tells it from others."""

    key: str
    admin_id: UUID
    action: str
    text: str | None = None
    fault: Bearer | None = None
    reason: str | None = None
    conceded: bool = False


class Told(DisputeRef):
    """How far the order of a dispute has heard."""

    stage: Stage
