"""Which of Stripe's events is what fact for which workflow, and when it still matters.

What happens to payees' accounts is in `api.connect_events`.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from api import connect_events
from api.dependencies import Services
from domain.order_status import OrderStatus
from providers.stripe import TIP
from schema.messages.base import Message
from schema.messages.money import PaymentFailed, PaymentSucceeded, RefundSettled, TipCharged
from schema.queries import order_views, webhooks
from schema.queries.order_views import Access
from workflows.order import OrderWorkflow

S = OrderStatus


def _id_of(value: object) -> object:
    """Stripe writes a reference as an id, or as the whole object where it was asked to expand."""
    return value.get("id") if isinstance(value, dict) else value


Reference = Annotated[str | None, BeforeValidator(_id_of)]


class About(BaseModel):
    """What an event is about, as Stripe writes it: the part of it that we read."""

    model_config = ConfigDict(hide_input_in_errors=True)

    id: str
    payment_intent: Reference = None
    metadata: dict[str, str] | None = None


class CardError(BaseModel):
    """Why a card was refused."""

    code: str | None = None
    decline_code: str | None = None


class Intent(About):
    """A payment."""

    amount_received: int
    amount_capturable: int = 0
    last_payment_error: CardError | None = None
    cancellation_reason: str | None = None


class Refund(About):
    """Money on its way back."""

    status: str
    balance_transaction: Reference = None


class Dispute(About):
    """A bank that wants its customer's money back: how it stands, Stripe is asked."""


class Meaning(NamedTuple):
    """What an event says to an order's workflow, and in which states of the order it is news.

    `fact` is made of the event's id and of what it is about.
    """

    about: type[About]
    signal: Any
    fact: Callable[[str, Any], Message]
    news_to: frozenset[OrderStatus]


def _succeeded(_: str, intent: Intent) -> Message:
    return PaymentSucceeded(
        payment_intent_id=intent.id, amount_cents=intent.amount_received, captured=True
    )


def _authorised(_: str, intent: Intent) -> Message:
    return PaymentSucceeded(
        payment_intent_id=intent.id, amount_cents=intent.amount_capturable, captured=False
    )


def _card_refused(event_id: str, intent: Intent) -> Message:
    error = intent.last_payment_error or CardError()
    return PaymentFailed(
        event_id=event_id,
        payment_intent_id=intent.id,
        reason=error.decline_code or error.code or "card_declined",
    )


def _payment_over(event_id: str, intent: Intent) -> Message:
    return PaymentFailed(
        event_id=event_id,
        payment_intent_id=intent.id,
        reason=intent.cancellation_reason or "canceled",
        final=True,
    )


def _refund(_: str, refund: Refund) -> Message:
    return RefundSettled(refund_id=refund.id)


def _tip(_: str, intent: Intent) -> Message:
    return TipCharged(payment_intent_id=intent.id, amount_cents=intent.amount_received)


_ANY = frozenset(S)
# Whoever charges a tip writes it down, unless he was stopped in between.
_TIP = Meaning(Intent, OrderWorkflow.tip_charged, _tip, _ANY)
_REFUND = Meaning(Refund, OrderWorkflow.refund_settled, _refund, _ANY)

MEANINGS: Mapping[str, Meaning] = {
    # To a cancelled order it is news too: the money goes back.
    "payment_intent.succeeded": Meaning(
        Intent, OrderWorkflow.payment_succeeded, _succeeded, frozenset({S.PENDING, S.CANCELLED})
    ),
    "payment_intent.amount_capturable_updated": Meaning(
        Intent, OrderWorkflow.payment_succeeded, _authorised, frozenset({S.PENDING, S.CANCELLED})
    ),
    "payment_intent.payment_failed": Meaning(
        Intent, OrderWorkflow.payment_failed, _card_refused, frozenset({S.PENDING})
    ),
    # Given up at Stripe, or an authorisation that nobody captured in time.
    "payment_intent.canceled": Meaning(
        Intent,
        OrderWorkflow.payment_failed,
        _payment_over,
        frozenset({S.PENDING, S.PAYMENT_CONFIRMED}),
    ),
    "refund.created": _REFUND,
    "refund.updated": _REFUND,
    "refund.failed": _REFUND,
}

# What has happened to a payment that stands so.
_DECIDED = {
    "succeeded": "payment_intent.succeeded",
    "requires_capture": "payment_intent.amount_capturable_updated",
    "canceled": "payment_intent.canceled",
}

# Each says no more than that a dispute is to be looked at.
OF_DISPUTES = frozenset(
    f"charge.dispute.{what}"
    for what in ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated")
)


async def pass_on(held: Services, event: Mapping[str, Any]) -> str:
    """Tell the workflow that an event concerns; answers with what became of it, for the record.

    Raises EngineBusy when it could not be told, and ValidationError when it does not look like an
    event of its type: Stripe will send it again.
    """
    if event.get("account"):
        return await connect_events.pass_on(held, event)
    if event["type"] in OF_DISPUTES:
        return await _look_at_dispute(held, Dispute.model_validate(event["data"].get("object")))
    meaning = _meaning(event)
    if meaning is None:
        return "ignored: no order has to know"
    return await _tell_order(held, event, meaning)


async def pass_on_payment(held: Services, intent: Mapping[str, Any]) -> None:
    """Tell an order how its payment stands at Stripe, as the webhook would; what is not decided yet
    is told to nobody. Raises EngineBusy.
    """
    decided = _DECIDED.get(intent["status"])
    if decided is not None:
        asked = f"asked:{intent['id']}:{intent['status']}"
        await pass_on(held, {"id": asked, "type": decided, "data": {"object": intent}})


def _meaning(event: Mapping[str, Any]) -> Meaning | None:
    meaning = MEANINGS.get(event["type"])
    if meaning is None or not issubclass(meaning.about, Intent):
        return meaning
    about = meaning.about.model_validate(event["data"].get("object"))
    if (about.metadata or {}).get("purpose") != TIP:
        return meaning
    # A tip that fails is seen to by whoever charges it, for the customer waits for his answer.
    return _TIP if event["type"] == "payment_intent.succeeded" else None


async def _tell_order(held: Services, event: Mapping[str, Any], meaning: Meaning) -> str:
    about = meaning.about.model_validate(event["data"].get("object"))
    async with held.database.read() as session:
        order = await _order(session, about)
        if order is None:
            return "unmatched: no such order"
        known = await _what_is_known(session, meaning, about, order)
        if known is not None:
            return f"known: {known}"
    await held.engine.orders.tell(order.order_id, meaning.signal, meaning.fact(event["id"], about))
    return f"told: {meaning.signal.__name__}"


async def _what_is_known(
    session: AsyncSession, meaning: Meaning, about: About, order: Access
) -> str | None:
    """Why an event is no news to its order; None if it is."""
    if meaning is _TIP and await webhooks.tip_is_known(session, about.id):
        return "the tip is written down"
    if order.status not in meaning.news_to:
        return f"the order is {order.status}"
    if isinstance(about, Refund) and await _is_known(session, about):
        return "the refund stands so already"
    return None


async def _look_at_dispute(held: Services, about: Dispute) -> str:
    paid_by = about.payment_intent
    async with held.database.read() as session:
        if not paid_by or await webhooks.paid_for(session, paid_by) is None:
            return "unmatched: no such order"
    await held.engine.money.tell_dispute(about.id)
    return "told: the dispute has changed"


async def _order(session: AsyncSession, about: About) -> Access | None:
    intent_id = about.id if isinstance(about, Intent) else about.payment_intent
    order_id = await webhooks.order_of_payment(session, intent_id) if intent_id else None
    if order_id is None:
        # Paid faster than we wrote down which payment it is: the payment itself says so.
        try:
            order_id = UUID((about.metadata or {}).get("order_id", ""))
        except ValueError:
            return None
    return await order_views.access(session, order_id)


async def _is_known(session: AsyncSession, refund: Refund) -> bool:
    if refund.status == "succeeded" and refund.balance_transaction is None:
        # Held money that was let go: Stripe calls that a refund, but nothing had been taken.
        return True
    known = await webhooks.refund_status(session, refund.id)
    return known is not None and known.value == refund.status
