"""Payment methods: cards, used once or saved to a customer."""

import hashlib
from datetime import UTC, datetime

from local.stripe import cards, clock, contact, events, paging
from local.stripe.cards import Card
from local.stripe.errors import CardError, InvalidParameter, InvalidRequest
from local.stripe.operations import Operation
from local.stripe.params import (
    Params,
    Required,
    Spec,
    integer,
    mapping,
    merged,
    metadata,
    missing,
    one_of,
    text,
)
from local.stripe.resources import CUSTOMER, PAYMENT_METHOD, referenced, retrieve
from local.stripe.store import StripeObject, Transaction

PATH = "/v1/payment_methods"
ONE = f"{PATH}/{{object_id}}"

MONTHS = range(1, 13)
CVC_LENGTHS = range(3, 5)

REUSED = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
    "attachment, shared with a connected account without Customer attachment, or was detached "
    "from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must "
    "attach it to a Customer first."
)

CARD: Spec = {
    "cvc": text,
    "exp_month": integer(),
    "exp_year": integer(),
    "number": text,
    "token": text,
}
CREATE: Spec = {
    "allow_redisplay": one_of("always", "limited", "unspecified"),
    "billing_details": mapping(contact.BILLING_DETAILS),
    "card": Required(mapping(CARD)),
    "metadata": metadata,
    "type": Required(one_of("card")),
}
UPDATE: Spec = {
    "allow_redisplay": one_of("always", "limited", "unspecified"),
    "billing_details": mapping(contact.BILLING_DETAILS),
    "card": mapping({"exp_month": integer(), "exp_year": integer()}),
    "metadata": metadata,
}


def create(tx: Transaction, params: Params) -> StripeObject:
    """Make a payment method of a card given by its number or by a test token."""
    given = params["card"]
    if "token" in given:
        card = cards.of_test_token(given["token"])
        if card is None:
            raise InvalidParameter(
                f"No such token: '{given['token']}'", code="resource_missing", param="card[token]"
            )
        return _made_of(tx, card, _next_year(), params)
    for name in ("number", "exp_month", "exp_year"):
        if name not in given:
            raise missing(f"card[{name}]")
    return _made_of(tx, _checked(given), (given["exp_month"], given["exp_year"]), params)


def resolve(tx: Transaction, reference: str, param: str = "payment_method") -> StripeObject:
    """Return the payment method that an id or a test name such as `pm_card_visa` stands for.

    Stripe makes a new payment method of a test name wherever it meets one.
    """
    card = cards.of_test_method(reference)
    if card is not None:
        return _made_of(tx, card, _next_year(), {})
    return referenced(tx, PAYMENT_METHOD, reference, param)


def card_of(tx: Transaction, method_id: str) -> Card:
    """Return the test card behind a payment method."""
    return cards.BY_NUMBER[tx.private(method_id)["number"]]


def check_usable(tx: Transaction, method: StripeObject, customer_id: str | None) -> None:
    """Refuse a payment method that is used up, or somebody else's."""
    if method["customer"] is None and tx.private(method["id"]).get("used_up"):
        raise InvalidRequest(REUSED)
    if method["customer"] not in (None, customer_id):
        raise InvalidParameter(
            f"The provided PaymentMethod ({method['id']}) belongs to the Customer "
            f"{method['customer']}. Please include the Customer in the `customer` parameter on "
            "the PaymentIntent.",
            param="payment_method",
        )


def attach(tx: Transaction, method: StripeObject, customer_id: str) -> None:
    """Save a payment method to a customer."""
    if method["customer"] == customer_id:
        return
    if method["customer"] is not None:
        raise InvalidRequest(
            "The payment method you provided has already been attached to a customer."
        )
    known = tx.private(method["id"])
    if known.get("used_up") and not known.get("for_later"):
        raise InvalidRequest(REUSED)
    tx.change(method, customer=customer_id)
    events.emit(tx, "payment_method.attached", method)


def save(tx: Transaction, method: StripeObject, customer_id: str) -> None:
    """Attach a payment method if its bank agrees."""
    card = card_of(tx, method["id"])
    if card.decline is not None and not card.attachable:
        raise CardError(
            card.decline.message,
            code=card.decline.code,
            decline_code=card.decline.decline_code,
            param=card.decline.param,
        )
    attach(tx, method, customer_id)


def saved_to(tx: Transaction, customer_id: str) -> list[StripeObject]:
    """Return the payment methods of a customer."""
    return tx.select(
        "object = ? AND json_extract(body, '$.customer') = ?", PAYMENT_METHOD.name, customer_id
    )


def detach(tx: Transaction, method: StripeObject) -> None:
    """Take a payment method from its customer, for good."""
    previous = tx.change(method, customer=None)
    tx.note(method["id"], used_up=True, for_later=False)
    events.emit(tx, "payment_method.detached", method, previous)


def _made_of(tx: Transaction, card: Card, expires: tuple[int, int], params: Params) -> StripeObject:
    month, year = expires
    method = {
        "id": PAYMENT_METHOD.new_id(),
        "object": PAYMENT_METHOD.name,
        "allow_redisplay": params.get("allow_redisplay", "unspecified"),
        "billing_details": contact.billing_details(params.get("billing_details")),
        "card": {
            "brand": card.brand,
            "checks": {
                "address_line1_check": None,
                "address_postal_code_check": None,
                "cvc_check": "pass" if "cvc" in params.get("card", {}) else None,
            },
            "country": "US",
            "display_brand": card.brand,
            "exp_month": month,
            "exp_year": year,
            "fingerprint": hashlib.sha256(card.number.encode()).hexdigest()[:16],
            "funding": card.funding,
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": clock.now(),
        "customer": None,
        "livemode": False,
        "metadata": merged({}, params.get("metadata", {})),
        "type": "card",
    }
    tx.insert(method, number=card.number)
    return method


def _checked(given: Params) -> Card:
    """Return the card of a number, or decline what is no card at all."""
    number = given["number"].replace(" ", "")
    if not number.isdigit() or not cards.passes_luhn(number):
        raise CardError("Your card number is incorrect.", code="incorrect_number", param="number")
    if given["exp_month"] not in MONTHS:
        raise CardError(
            "Your card's expiration month is invalid.",
            code="invalid_expiry_month",
            param="exp_month",
        )
    today = datetime.fromtimestamp(clock.now(), UTC)
    if (given["exp_year"], given["exp_month"]) < (today.year, today.month):
        raise CardError(
            "Your card's expiration year is invalid.", code="invalid_expiry_year", param="exp_year"
        )
    cvc = given.get("cvc", "000")
    if not cvc.isdigit() or len(cvc) not in CVC_LENGTHS:
        raise CardError("Your card's security code is invalid.", code="invalid_cvc", param="cvc")
    if number not in cards.BY_NUMBER:
        raise CardError(
            cards.REAL_CARD.message,
            code=cards.REAL_CARD.code,
            decline_code=cards.REAL_CARD.decline_code,
        )
    return cards.BY_NUMBER[number]


def _next_year() -> tuple[int, int]:
    today = datetime.fromtimestamp(clock.now(), UTC)
    return today.month, today.year + 1


def _retrieve(tx: Transaction, _: Params, object_id: str) -> StripeObject:
    if cards.of_test_method(object_id):
        return resolve(tx, object_id)
    return retrieve(tx, PAYMENT_METHOD, object_id)


def _update(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    method = retrieve(tx, PAYMENT_METHOD, object_id)
    if method["customer"] is None:
        raise InvalidRequest(
            "You must save this PaymentMethod to a customer before you can update it."
        )
    changes = dict(params)
    if "metadata" in changes:
        changes["metadata"] = merged(method["metadata"], changes["metadata"])
    if "billing_details" in changes:
        details = method["billing_details"] | changes["billing_details"]
        changes["billing_details"] = contact.billing_details(details)
    if "card" in changes:
        changes["card"] = method["card"] | changes["card"]
    previous = tx.change(method, **changes)
    if previous:
        events.emit(tx, "payment_method.updated", method, previous)
    return method


def _attach(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    customer = referenced(tx, CUSTOMER, params["customer"], "customer")
    method = _retrieve(tx, {}, object_id)
    save(tx, method, customer["id"])
    return method


def _detach(tx: Transaction, _: Params, object_id: str) -> StripeObject:
    method = retrieve(tx, PAYMENT_METHOD, object_id)
    if method["customer"] is None:
        raise InvalidRequest(
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible."
        )
    detach(tx, method)
    return method


OPERATIONS = (
    Operation("POST", PATH, create, CREATE, publishable=True),
    paging.listing(PAYMENT_METHOD, PATH, paging.PAGE, customer=text, type=one_of("card")),
    Operation("GET", ONE, _retrieve),
    Operation("POST", ONE, _update, UPDATE),
    Operation("POST", f"{ONE}/attach", _attach, {"customer": Required(text)}),
    Operation("POST", f"{ONE}/detach", _detach),
)
