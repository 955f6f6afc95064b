"""PaymentIntents: what a customer is to pay, and the attempts to pay it."""

from local.stripe import (
    charges,
    client_secrets,
    clock,
    confirmation,
    contact,
    events,
    money,
    paging,
    payment_method_types,
    payment_methods,
)
from local.stripe.confirmation import Circumstances
from local.stripe.errors import InvalidParameter, InvalidRequest
from local.stripe.operations import Operation
from local.stripe.params import (
    Params,
    Required,
    Spec,
    boolean,
    clearable,
    integer,
    mapping,
    merged,
    metadata,
    one_of,
    text,
)
from local.stripe.resources import CUSTOMER, PAYMENT_INTENT, referenced, retrieve
from local.stripe.store import StripeObject, Transaction

PATH = "/v1/payment_intents"
ONE = f"{PATH}/{{object_id}}"

PAYABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
# What may still be changed once the money is held, taken or given up.
ALWAYS_CHANGEABLE = {"description", "metadata", "transfer_group"}
FOR_CONFIRMATION_ONLY = ("error_on_requires_action", "off_session", "return_url")

CHOICES: Spec = {
    **payment_method_types.LISTED,
    "payment_method": text,
    "payment_method_data": mapping(payment_methods.CREATE),
    "payment_method_options": mapping(
        {"card": mapping({"request_three_d_secure": one_of("any", "automatic", "challenge")})}
    ),
    "receipt_email": clearable(text),
    "setup_future_usage": clearable(one_of("off_session", "on_session")),
    "shipping": clearable(mapping(contact.SHIPPING)),
}
CIRCUMSTANCES: Spec = {
    "error_on_requires_action": boolean,
    "off_session": boolean,
    "return_url": text,
    "use_stripe_sdk": boolean,
}
UPDATE: Spec = {
    **CHOICES,
    "amount": integer(at_least=1),
    "capture_method": one_of("automatic", "automatic_async", "manual"),
    "currency": money.currency,
    "customer": text,
    "description": clearable(text),
    "metadata": metadata,
    "statement_descriptor_suffix": clearable(text),
    "transfer_group": text,
}
CREATE: Spec = {
    **UPDATE,
    **payment_method_types.AUTOMATIC,
    **CIRCUMSTANCES,
    "amount": Required(integer(at_least=1)),
    "confirm": boolean,
    "confirmation_method": one_of("automatic", "manual"),
    "currency": Required(money.currency),
}
CONFIRM: Spec = {
    **CHOICES,
    **CIRCUMSTANCES,
    "capture_method": one_of("automatic", "automatic_async", "manual"),
    "client_secret": text,
}

RETURN_URL_MISSING = (
    "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because "
    "some of these payment methods might redirect your customer off of your page, you must provide "
    "a `return_url`. If you don't want to accept redirect-based payment methods, set "
    "`automatic_payment_methods[enabled]` to `true` and "
    "`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and "
    "Payment Intents."
)
METHOD_MISSING = (
    "You cannot confirm this PaymentIntent because it's missing a payment method. You can either "
    "update the PaymentIntent with a payment method and then confirm it again, or confirm it again "
    "directly with a payment method or ConfirmationToken."
)
OFF_SESSION_SETUP = (
    "You cannot confirm with the `off_session` parameter when `setup_future_usage` is also set on "
    "the PaymentIntent because you cannot set up future usages when processing payments "
    "off-session."
)


def unexpected_state(tx: Transaction, intent: StripeObject, message: str) -> InvalidRequest:
    """Return the error for something that the intent's status does not allow."""
    return InvalidRequest(
        message,
        code="payment_intent_unexpected_state",
        payment_intent=client_secrets.visible(tx, intent),
    )


def _create(tx: Transaction, params: Params) -> StripeObject:
    wants_confirmation = params.get("confirm", False)
    for name in FOR_CONFIRMATION_ONLY:
        if name in params and not wants_confirmation:
            raise InvalidParameter(
                f"The parameter `{name}` cannot be passed when creating a PaymentIntent unless "
                "`confirm` is set to true.",
                param=name,
            )
    intent = _blank(params)
    tx.insert(intent)
    tx.change(intent, **_changes(tx, intent, params))
    events.emit(tx, "payment_intent.created", intent)
    if wants_confirmation:
        _attempt(tx, intent, params)
    return intent


def _blank(params: Params) -> StripeObject:
    intent_id = PAYMENT_INTENT.new_id()
    return {
        "id": intent_id,
        "object": PAYMENT_INTENT.name,
        "amount": params["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": client_secrets.new(intent_id),
        "confirmation_method": params.get("confirmation_method", "automatic"),
        "created": clock.now(),
        "currency": params["currency"],
        "customer": None,
        "description": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
        **payment_method_types.by_default(),
    }


def _changes(tx: Transaction, intent: StripeObject, params: Params) -> StripeObject:
    """Return the fields of an intent that `params` change, in full."""
    changes: Params = {name: value for name, value in params.items() if name in UPDATE}
    if "amount" in changes or "currency" in changes:
        wanted = intent | changes
        money.check_charge(wanted["amount"], wanted["currency"])
    if "customer" in changes:
        referenced(tx, CUSTOMER, changes["customer"], "customer")
    if "metadata" in changes:
        changes["metadata"] = merged(intent["metadata"], changes["metadata"])
    if "shipping" in changes:
        changes["shipping"] = contact.shipping(changes["shipping"])
    if "payment_method_options" in changes:
        card = changes["payment_method_options"].get("card", {})
        changes["payment_method_options"] = {
            "card": intent["payment_method_options"]["card"] | card
        }
    charges.check_transfer_group(intent, changes)
    changes |= payment_method_types.chosen(tx, params)
    return changes | _chosen_method(tx, intent, changes)


def _chosen_method(tx: Transaction, intent: StripeObject, changes: Params) -> StripeObject:
    """Return what choosing a payment method changes; take its parameters out of `changes`."""
    reference = changes.pop("payment_method", None)
    given = changes.pop("payment_method_data", None)
    if reference is not None:
        method = payment_methods.resolve(tx, reference)
    elif given is not None:
        method = payment_methods.create(tx, given)
    else:
        return {}
    payment_methods.check_usable(tx, method, changes.get("customer", intent["customer"]))
    return {
        "next_action": None,
        "payment_method": method["id"],
        "status": "requires_confirmation",
    }


def _retrieve(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    return client_secrets.visible(tx, client_secrets.reach(tx, params, object_id))


def _update(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    intent = retrieve(tx, PAYMENT_INTENT, object_id)
    fixed = sorted(params.keys() - ALWAYS_CHANGEABLE)
    if fixed and intent["status"] not in PAYABLE:
        raise unexpected_state(
            tx,
            intent,
            f"This PaymentIntent's {fixed[0]} could not be updated because it has a status of "
            f"{intent['status']}. You may only update the {fixed[0]} of a PaymentIntent with one "
            f"of the following statuses: {', '.join(PAYABLE)}.",
        )
    tx.change(intent, **_changes(tx, intent, params))
    return intent


def _confirm(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    intent = client_secrets.reach(tx, params, object_id)
    if intent["status"] == "succeeded":
        raise unexpected_state(
            tx,
            intent,
            "You cannot confirm this PaymentIntent because it has already succeeded after being "
            "previously confirmed.",
        )
    if intent["status"] not in PAYABLE:
        raise unexpected_state(
            tx,
            intent,
            "You cannot confirm this PaymentIntent because it has a status of "
            f"{intent['status']}. Only a PaymentIntent with one of the following statuses may be "
            f"confirmed: {', '.join(PAYABLE)}.",
        )
    tx.change(intent, **_changes(tx, intent, params))
    _attempt(tx, intent, params)
    return client_secrets.visible(tx, intent)


def _attempt(tx: Transaction, intent: StripeObject, params: Params) -> None:
    """Confirm an intent with the payment method it has."""
    if intent["payment_method"] is None:
        raise unexpected_state(tx, intent, METHOD_MISSING)
    how = Circumstances(**{name: params[name] for name in CIRCUMSTANCES if name in params})
    if how.off_session and intent["setup_future_usage"] is not None:
        raise InvalidParameter(OFF_SESSION_SETUP, param="off_session")
    redirects = payment_method_types.may_redirect(intent)
    if redirects and how.return_url is None and not how.use_stripe_sdk:
        raise InvalidParameter(RETURN_URL_MISSING)
    method = payment_methods.resolve(tx, intent["payment_method"])
    payment_methods.check_usable(tx, method, intent["customer"])
    confirmation.confirm(tx, intent, method, how)


OPERATIONS = (
    Operation("POST", PATH, _create, CREATE),
    paging.listing(PAYMENT_INTENT, PATH, customer=text),
    Operation("GET", ONE, _retrieve, {"client_secret": text}, publishable=True),
    Operation("POST", ONE, _update, UPDATE),
    Operation("POST", f"{ONE}/confirm", _confirm, CONFIRM, publishable=True),
)
