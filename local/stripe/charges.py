"""Charges: each attempt to take money from a card, and what became of it."""

import secrets

from local.stripe import balance, clock, contact, events, paging, payment_methods
from local.stripe.cards import Decline
from local.stripe.errors import InvalidRequest
from local.stripe.operations import Operation, retrieving
from local.stripe.params import Params, Spec, clearable, mapping, merged, metadata, text
from local.stripe.resources import BALANCE_TRANSACTION, CHARGE, random_text, retrieve
from local.stripe.store import StripeObject, Transaction

PATH = "/v1/charges"

AUTHORIZATION_SECONDS = 7 * clock.DAY

STATEMENT_DESCRIPTOR = "RIDENDINE"

UPDATE: Spec = {
    "description": clearable(text),
    "metadata": metadata,
    "receipt_email": clearable(text),
    "shipping": mapping(contact.SHIPPING),
    "transfer_group": text,
}


def succeed(
    tx: Transaction, intent: StripeObject, method: StripeObject, *, authenticated: bool
) -> StripeObject:
    """Charge a card that agrees: take the money, or only hold it if capture is manual."""
    held = intent["capture_method"] == "manual"
    charge = _charge(intent, method) | {
        "amount_captured": 0 if held else intent["amount"],
        "captured": not held,
        "outcome": _authorized(),
        "paid": True,
        "receipt_url": f"https://pay.stripe.com/receipts/payment/{random_text(32)}",
        "status": "succeeded",
    }
    details = charge["payment_method_details"]["card"]
    if authenticated:
        details["three_d_secure"] = _authentication()
    if held:
        details["capture_before"] = charge["created"] + AUTHORIZATION_SECONDS
    tx.insert(charge)
    if intent["capture_method"] == "automatic":
        tx.change(charge, balance_transaction=_booked(tx, charge))
    events.emit(tx, "charge.succeeded", charge)
    return charge


def fail(
    tx: Transaction, intent: StripeObject, method: StripeObject, decline: Decline
) -> StripeObject:
    """Charge a card that refuses."""
    charge = _charge(intent, method) | {
        "failure_code": decline.code,
        "failure_message": decline.message,
        "outcome": _blocked() if decline.blocked else _declined(decline),
        "paid": False,
        "status": "failed",
    }
    tx.insert(charge)
    events.emit(tx, "charge.failed", charge)
    return charge


def book(tx: Transaction, charge: StripeObject) -> None:
    """Add the balance transaction that asynchronous capture leaves for later."""
    previous = tx.change(charge, balance_transaction=_booked(tx, charge))
    events.emit(tx, "charge.updated", charge, previous)


def capture(tx: Transaction, charge: StripeObject, amount: int) -> None:
    """Take `amount` of the money that was held; the rest counts as refunded."""
    previous = tx.change(
        charge,
        amount_captured=amount,
        amount_refunded=charge["amount"] - amount,
        captured=True,
    )
    previous |= tx.change(charge, balance_transaction=_booked(tx, charge))
    events.emit(tx, "charge.captured", charge, previous)


def give_back(tx: Transaction, charge: StripeObject, amount: int) -> StripeObject:
    """Count `amount` as refunded, or as not refunded after all if it is negative.

    Returns what the fields of the charge were before.
    """
    refunded = charge["amount_refunded"] + amount
    return tx.change(charge, amount_refunded=refunded, refunded=refunded == charge["amount"])


def debited_on(tx: Transaction, charge: StripeObject) -> int:
    """Return when money goes back from a charge: not before the charge's own money is there."""
    booked = retrieve(tx, BALANCE_TRANSACTION, charge["balance_transaction"])
    return max(clock.now(), int(booked["available_on"]))


def _booked(tx: Transaction, charge: StripeObject) -> str:
    card = payment_methods.card_of(tx, charge["payment_method"])
    transaction = balance.charged(
        tx, charge, charge["amount_captured"], at_once=card.bypasses_pending
    )
    transaction_id: str = transaction["id"]
    return transaction_id


def _charge(intent: StripeObject, method: StripeObject) -> StripeObject:
    suffix = intent["statement_descriptor_suffix"]
    return {
        "id": CHARGE.new_id(),
        "object": CHARGE.name,
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": (
            f"{STATEMENT_DESCRIPTOR}* {suffix}" if suffix else STATEMENT_DESCRIPTOR
        ),
        "captured": False,
        "created": clock.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": None,
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": _card_details(intent, method), "type": "card"},
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": suffix,
        "status": "pending",
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
    }


def _card_details(intent: StripeObject, method: StripeObject) -> StripeObject:
    card = method["card"]
    shared = (
        "brand",
        "checks",
        "country",
        "exp_month",
        "exp_year",
        "fingerprint",
        "funding",
        "last4",
        "regulated_status",
        "wallet",
    )
    return {name: card[name] for name in shared} | {
        "amount_authorized": intent["amount"],
        "authorization_code": f"{secrets.randbelow(1_000_000):06}",
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": f"{secrets.randbelow(10**15):015}",
        "overcapture": {
            "maximum_amount_capturable": intent["amount"],
            "status": "unavailable",
        },
        "three_d_secure": None,
    }


def _authentication() -> StripeObject:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": random_text(36),
        "version": "2.2.0",
    }


def _authorized() -> StripeObject:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": "normal",
        "risk_score": 32,
        "seller_message": "Payment complete.",
        "type": "authorized",
    }


def _declined(decline: Decline) -> StripeObject:
    return _authorized() | {
        "network_status": "declined_by_network",
        "reason": decline.decline_code,
        "seller_message": f"The bank returned the decline code `{decline.decline_code}`.",
        "type": "issuer_declined",
    }


def _blocked() -> StripeObject:
    return _authorized() | {
        "network_status": "not_sent_to_network",
        "reason": "highest_risk_level",
        "risk_level": "highest",
        "risk_score": 90,
        "seller_message": "Stripe blocked this payment as too risky.",
        "type": "blocked",
    }


def _update(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    charge = retrieve(tx, CHARGE, object_id)
    changes = dict(params)
    if "metadata" in changes:
        changes["metadata"] = merged(charge["metadata"], changes["metadata"])
    if "shipping" in changes:
        changes["shipping"] = contact.shipping(changes["shipping"])
    check_transfer_group(charge, changes)
    previous = tx.change(charge, **changes)
    if previous:
        events.emit(tx, "charge.updated", charge, previous)
    return charge


def check_transfer_group(body: StripeObject, changes: Params) -> None:
    """Refuse to move a charge or an intent from one transfer group to another."""
    wanted = changes.get("transfer_group")
    if wanted is not None and body["transfer_group"] not in (None, wanted):
        raise InvalidRequest(
            "`transfer_group` can only be provided if it has not been set.",
            param="transfer_group",
        )


OPERATIONS = (
    paging.listing(CHARGE, PATH, customer=text, payment_intent=text, transfer_group=text),
    retrieving(CHARGE, PATH),
    Operation("POST", f"{PATH}/{{object_id}}", _update, UPDATE),
)
