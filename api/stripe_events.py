"""Which of Stripe's events is what fact for which order, and when it still matters."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.dependencies import Services
from domain.order_status import OrderStatus
from schema.messages.base import Message
from schema.messages.money import (
    DisputeClosed,
    DisputeOpened,
    PaymentFailed,
    PaymentSucceeded,
    RefundSettled,
)
from schema.queries import order_views, webhooks
from schema.queries.order_views import Access
from workflows.order import OrderWorkflow

Event = Mapping[str, Any]
"""An event as Stripe writes it."""

S = OrderStatus


class Meaning(NamedTuple):
    """What an event says to an order's workflow, and in which states of the order it is news."""

    signal: Any
    fact: Callable[[Event], Message]
    news_to: frozenset[OrderStatus]


def _succeeded(event: Event) -> Message:
    intent = event["data"]["object"]
    return PaymentSucceeded(
        payment_intent_id=intent["id"], amount_cents=intent["amount_received"], captured=True
    )


def _authorised(event: Event) -> Message:
    intent = event["data"]["object"]
    return PaymentSucceeded(
        payment_intent_id=intent["id"], amount_cents=intent["amount_capturable"], captured=False
    )


def _card_refused(event: Event) -> Message:
    intent = event["data"]["object"]
    error = intent.get("last_payment_error") or {}
    return PaymentFailed(
        event_id=event["id"],
        payment_intent_id=intent["id"],
        reason=error.get("decline_code") or error.get("code") or "card_declined",
    )


def _payment_over(event: Event) -> Message:
    intent = event["data"]["object"]
    return PaymentFailed(
        event_id=event["id"],
        payment_intent_id=intent["id"],
        reason=intent.get("cancellation_reason") or "canceled",
        final=True,
    )


def _refund(event: Event) -> Message:
    return RefundSettled(refund_id=event["data"]["object"]["id"])


def _dispute_opened(event: Event) -> Message:
    dispute = event["data"]["object"]
    return DisputeOpened(
        dispute_id=dispute["id"], amount_cents=dispute["amount"], reason=dispute["reason"]
    )


def _dispute_closed(event: Event) -> Message:
    dispute = event["data"]["object"]
    return DisputeClosed(dispute_id=dispute["id"], won=dispute["status"] == "won")


_ANY = frozenset(S)
_REFUND = Meaning(OrderWorkflow.refund_settled, _refund, _ANY)

MEANINGS: Mapping[str, Meaning] = {
    # To a cancelled order it is news too: the money goes back.
    "payment_intent.succeeded": Meaning(
        OrderWorkflow.payment_succeeded, _succeeded, frozenset({S.PENDING, S.CANCELLED})
    ),
    "payment_intent.amount_capturable_updated": Meaning(
        OrderWorkflow.payment_succeeded, _authorised, frozenset({S.PENDING, S.CANCELLED})
    ),
    "payment_intent.payment_failed": Meaning(
        OrderWorkflow.payment_failed, _card_refused, frozenset({S.PENDING})
    ),
    # Given up at Stripe, or an authorisation that nobody captured in time.
    "payment_intent.canceled": Meaning(
        OrderWorkflow.payment_failed, _payment_over, frozenset({S.PENDING, S.PAYMENT_CONFIRMED})
    ),
    "refund.created": _REFUND,
    "refund.updated": _REFUND,
    "refund.failed": _REFUND,
    "charge.dispute.created": Meaning(
        OrderWorkflow.dispute_opened, _dispute_opened, frozenset({S.DELIVERED})
    ),
    "charge.dispute.closed": Meaning(
        OrderWorkflow.dispute_closed, _dispute_closed, frozenset({S.DISPUTED})
    ),
}


async def pass_on(held: Services, event: Event) -> str:
    """Tell the order that an event concerns; answers with what became of it, for the record.

    Raises EngineBusy when it could not be told: Stripe will send the event again.
    """
    meaning = MEANINGS.get(event["type"])
    if meaning is None:
        return "ignored: no order has to know"
    async with held.database.read() as session:
        order = await _order(session, event["data"]["object"])
        if order is None:
            return "unmatched: no such order"
        if order.status not in meaning.news_to:
            return f"known: the order is {order.status}"
        if meaning is _REFUND and await _is_known(session, event["data"]["object"]):
            return "known: the refund stands so already"
    await held.engine.tell(order.order_id, meaning.signal, meaning.fact(event))
    return f"told: {meaning.signal.__name__}"


async def _order(session: AsyncSession, about: Mapping[str, Any]) -> Access | None:
    is_intent = about["object"] == "payment_intent"
    intent_id = about["id"] if is_intent else about.get("payment_intent")
    order_id = await webhooks.order_of_payment(session, intent_id) if intent_id else None
    if order_id is None:
        # Paid faster than we wrote down which payment it is: the payment itself says so.
        written = (about.get("metadata") or {}).get("order_id", "")
        try:
            order_id = UUID(written)
        except ValueError:
            return None
    return await order_views.access(session, order_id)


async def _is_known(session: AsyncSession, refund: Mapping[str, Any]) -> bool:
    if refund["status"] == "succeeded" and refund.get("balance_transaction") is None:
        # Held money that was let go: Stripe calls that a refund, but nothing had been taken.
        return True
    known = await webhooks.refund_status(session, refund["id"])
    return known is not None and known.value == refund["status"]
