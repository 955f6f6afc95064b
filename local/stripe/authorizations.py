"""Money that is held but not yet taken: it is captured, let go, or runs out of time."""

from typing import Any

from local.stripe import charges, clock, disputes, events, refunds, timers
from local.stripe.errors import InvalidRequest
from local.stripe.operations import Operation
from local.stripe.params import (
    Params,
    Spec,
    boolean,
    clearable,
    integer,
    merged,
    metadata,
    one_of,
    text,
)
from local.stripe.payment_intents import ONE, PAYABLE, unexpected_state
from local.stripe.resources import CHARGE, PAYMENT_INTENT, retrieve
from local.stripe.store import StripeObject, Transaction

CANCELABLE = ("requires_payment_method", "requires_capture", *PAYABLE[1:])

CAPTURE: Spec = {
    "amount_to_capture": integer(at_least=1),
    "final_capture": boolean,
    "metadata": metadata,
    "statement_descriptor_suffix": clearable(text),
}
CANCEL: Spec = {
    "cancellation_reason": one_of("abandoned", "duplicate", "fraudulent", "requested_by_customer"),
}


def expire(tx: Transaction, intent_id: str) -> None:
    """Let the money go because nobody captured it in time."""
    intent = retrieve(tx, PAYMENT_INTENT, intent_id)
    if intent["status"] != "requires_capture":
        return
    charge = retrieve(tx, CHARGE, intent["latest_charge"])
    refunds.release(tx, charge, charge["amount"], "expired_uncaptured_charge")
    previous = charges.give_back(tx, charge, charge["amount"])
    events.emit(tx, "charge.expired", charge, previous)
    _give_up(tx, intent, "automatic")


def _capture(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    intent = retrieve(tx, PAYMENT_INTENT, object_id)
    _check_capturable(tx, intent)
    amount: int = params.get("amount_to_capture") or intent["amount_capturable"]
    if amount > intent["amount_capturable"]:
        raise InvalidRequest(
            "The requested capture amount is greater than the amount you can capture for this "
            "charge.",
            code="amount_too_large",
            param="amount_to_capture",
        )
    charge = retrieve(tx, CHARGE, intent["latest_charge"])
    if amount < charge["amount"]:
        refunds.release(tx, charge, charge["amount"] - amount)
    charges.capture(tx, charge, amount)
    changes: dict[str, Any] = {
        name: params[name] for name in ("statement_descriptor_suffix",) if name in params
    }
    if "metadata" in params:
        changes["metadata"] = merged(intent["metadata"], params["metadata"])
    tx.change(intent, **changes, amount_capturable=0, amount_received=amount, status="succeeded")
    timers.cancel(tx, timers.EXPIRE_AUTHORIZATION, intent["id"])
    events.emit(tx, "payment_intent.succeeded", intent)
    disputes.follow(tx, charge)
    return intent


def _check_capturable(tx: Transaction, intent: StripeObject) -> None:
    if intent["status"] == "requires_capture":
        return
    if intent["status"] == "succeeded":
        reason = "it has already been captured."
    else:
        reason = (
            f"it has a status of {intent['status']}. Only a PaymentIntent with one of the "
            "following statuses may be captured: requires_capture."
        )
    raise unexpected_state(tx, intent, f"This PaymentIntent could not be captured because {reason}")


def _cancel(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    intent = retrieve(tx, PAYMENT_INTENT, object_id)
    if intent["status"] not in CANCELABLE:
        raise unexpected_state(
            tx,
            intent,
            "You cannot cancel this PaymentIntent because it has a status of "
            f"{intent['status']}. Only a PaymentIntent with one of the following statuses may be "
            f"canceled: {', '.join(CANCELABLE)}.",
        )
    if intent["status"] == "requires_capture":
        charge = retrieve(tx, CHARGE, intent["latest_charge"])
        refunds.release(tx, charge, charge["amount"])
        previous = charges.give_back(tx, charge, charge["amount"])
        events.emit(tx, "charge.refunded", charge, previous)
    _give_up(tx, intent, params.get("cancellation_reason"))
    return intent


def _give_up(tx: Transaction, intent: StripeObject, reason: str | None) -> None:
    timers.cancel(tx, timers.EXPIRE_AUTHORIZATION, intent["id"])
    tx.change(
        intent,
        amount_capturable=0,
        canceled_at=clock.now(),
        cancellation_reason=reason,
        next_action=None,
        status="canceled",
    )
    events.emit(tx, "payment_intent.canceled", intent)


OPERATIONS = (
    Operation("POST", f"{ONE}/capture", _capture, CAPTURE),
    Operation("POST", f"{ONE}/cancel", _cancel, CANCEL),
)
