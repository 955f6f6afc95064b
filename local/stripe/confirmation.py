"""Confirming a PaymentIntent: the card pays, refuses, or wants its holder to prove who they are."""

from dataclasses import dataclass
from typing import Any

from local.stripe import (
    cards,
    charges,
    client_secrets,
    disputes,
    errors,
    events,
    payment_methods,
    timers,
)
from local.stripe.cards import Card, Decline
from local.stripe.errors import InvalidRequest, PaymentFailed
from local.stripe.store import Json, StripeObject, Transaction

AUTHENTICATION_PAGE = "/3d_secure_2/hosted"

AUTHENTICATION_FAILED = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or "
    "a new PaymentMethod to attempt to fulfill this PaymentIntent again."
)


@dataclass(frozen=True)
class Circumstances:
    """How a payment is confirmed: who is there to authenticate it, and where they return to."""

    off_session: bool = False
    error_on_requires_action: bool = False
    return_url: str | None = None
    use_stripe_sdk: bool = False


def confirm(
    tx: Transaction, intent: StripeObject, method: StripeObject, how: Circumstances
) -> None:
    """Try to pay with `method`; raise `PaymentFailed` if the card refuses."""
    card = payment_methods.card_of(tx, method["id"])
    decline = None
    if _authenticated(tx, intent, method) or not _wants_authentication(tx, intent, method, card):
        decline = _pay(tx, intent, method, card)
    elif how.off_session:
        decline = _refuse(tx, intent, method, cards.AUTHENTICATION_REQUIRED)
    elif how.error_on_requires_action:
        decline = _refuse(tx, intent, method, cards.AUTHENTICATION_NOT_HANDLED)
    else:
        _ask_for_authentication(tx, intent, method, how)
    if decline is not None:
        details: dict[str, Any] = intent["last_payment_error"]
        raise PaymentFailed(
            **{name: value for name, value in details.items() if name not in ("type", "doc_url")},
            payment_intent=client_secrets.visible(tx, intent),
        )


def finish_authentication(
    tx: Transaction, intent: StripeObject, method: StripeObject, *, succeeded: bool
) -> None:
    """Go on with a payment whose holder has, or has not, proved who they are."""
    if not succeeded:
        _fail_authentication(tx, intent, method)
        return
    tx.note(intent["id"], authenticated=method["id"])
    if intent["confirmation_method"] == "manual":
        # The merchant's server wants the last word.
        tx.change(intent, next_action=None, status="requires_confirmation")
        return
    _pay(tx, intent, method, payment_methods.card_of(tx, method["id"]))


def _authenticated(tx: Transaction, intent: StripeObject, method: StripeObject) -> bool:
    return bool(tx.private(intent["id"]).get("authenticated") == method["id"])


def _wants_authentication(
    tx: Transaction, intent: StripeObject, method: StripeObject, card: Card
) -> bool:
    match card.authentication:
        case "always":
            return True
        case "until_set_up":
            return not tx.private(method["id"]).get("set_up")
        case "on_request":
            options = intent["payment_method_options"]["card"]
            return options["request_three_d_secure"] in ("any", "challenge")
        case "never":
            return False


def _ask_for_authentication(
    tx: Transaction, intent: StripeObject, method: StripeObject, how: Circumstances
) -> None:
    url = (
        f"{tx.origin.base_url}{AUTHENTICATION_PAGE}?payment_intent={intent['id']}"
        f"&payment_intent_client_secret={intent['client_secret']}"
    )
    next_action: StripeObject
    if how.return_url is not None and not how.use_stripe_sdk:
        next_action = {
            "redirect_to_url": {"return_url": how.return_url, "url": url},
            "type": "redirect_to_url",
        }
    else:
        next_action = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"stripe_js": url, "type": "three_d_secure_redirect"},
        }
    tx.change(
        intent,
        last_payment_error=None,
        next_action=next_action,
        payment_method=method["id"],
        status="requires_action",
    )
    events.emit(tx, "payment_intent.requires_action", intent)


def _pay(tx: Transaction, intent: StripeObject, method: StripeObject, card: Card) -> Decline | None:
    """Charge the card; return why it declined, if it did."""
    if card.decline is not None:
        return _refuse(tx, intent, method, card.decline)
    authenticated = _authenticated(tx, intent, method)
    charge = charges.succeed(tx, intent, method, authenticated=authenticated)
    _keep_for_later(tx, intent, method)
    changes = {
        "last_payment_error": None,
        "latest_charge": charge["id"],
        "next_action": None,
        "payment_method": method["id"],
    }
    if intent["capture_method"] == "manual":
        _hold(tx, intent, charge, changes)
    else:
        tx.change(intent, **changes, amount_received=intent["amount"], status="succeeded")
        events.emit(tx, "payment_intent.succeeded", intent)
    if intent["capture_method"] == "automatic_async":
        charges.book(tx, charge)
    if charge["captured"]:
        disputes.follow(tx, charge)
    return None


def _hold(
    tx: Transaction, intent: StripeObject, charge: StripeObject, changes: dict[str, Any]
) -> None:
    tx.change(intent, **changes, amount_capturable=intent["amount"], status="requires_capture")
    events.emit(tx, "payment_intent.amount_capturable_updated", intent)
    capture_before = charge["payment_method_details"]["card"]["capture_before"]
    timers.schedule(tx, timers.EXPIRE_AUTHORIZATION, intent["id"], capture_before)


def _keep_for_later(tx: Transaction, intent: StripeObject, method: StripeObject) -> None:
    """Save the method if later payments are meant to use it; otherwise it is used up.

    Without a customer it can still be saved to one, but pays for nothing until then.
    """
    if intent["setup_future_usage"] is not None:
        if intent["customer"] is not None:
            payment_methods.attach(tx, method, intent["customer"])
        tx.note(method["id"], for_later=True)
    if intent["setup_future_usage"] == "off_session":
        tx.note(method["id"], set_up=True)
    if method["customer"] is None:
        tx.note(method["id"], used_up=True)


def _refuse(
    tx: Transaction, intent: StripeObject, method: StripeObject, decline: Decline
) -> Decline:
    charge = charges.fail(tx, intent, method, decline)
    error = {
        "charge": charge["id"],
        "code": decline.code,
        "decline_code": decline.decline_code,
        "doc_url": errors.documentation(decline.code),
        "message": decline.message,
        "payment_method": method,
        "type": PaymentFailed.kind,
    }
    if decline.param is not None:
        error["param"] = decline.param
    _fall_back(tx, intent, error, latest_charge=charge["id"])
    return decline


def _fail_authentication(tx: Transaction, intent: StripeObject, method: StripeObject) -> None:
    code = "payment_intent_authentication_failure"
    error = {
        "code": code,
        "doc_url": errors.documentation(code),
        "message": AUTHENTICATION_FAILED,
        "payment_method": method,
        "type": InvalidRequest.kind,
    }
    _fall_back(tx, intent, error)


def _fall_back(tx: Transaction, intent: StripeObject, error: StripeObject, **changes: Json) -> None:
    """Have the customer try again with another payment method."""
    tx.note(intent["id"], authenticated=None)
    tx.change(
        intent,
        **changes,
        last_payment_error=error,
        next_action=None,
        payment_method=None,
        status="requires_payment_method",
    )
    events.emit(tx, "payment_intent.payment_failed", intent)
