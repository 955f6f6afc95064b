"""What a browser may do with a PaymentIntent: it shows a client secret, and sees a part only."""

from local.stripe.errors import InvalidParameter
from local.stripe.params import Params, missing
from local.stripe.resources import PAYMENT_INTENT, random_text, retrieve
from local.stripe.store import StripeObject, Transaction

VISIBLE = (
    "id",
    "object",
    "amount",
    "amount_details",
    "automatic_payment_methods",
    "canceled_at",
    "cancellation_reason",
    "capture_method",
    "client_secret",
    "confirmation_method",
    "created",
    "currency",
    "description",
    "last_payment_error",
    "livemode",
    "next_action",
    "payment_method",
    "payment_method_types",
    "processing",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "status",
)


def new(intent_id: str) -> str:
    """Return the secret of a new PaymentIntent."""
    return f"{intent_id}_secret_{random_text(25)}"


def reach(tx: Transaction, params: Params, intent_id: str) -> StripeObject:
    """Return a PaymentIntent to a caller who may have it.

    With a secret key that is everybody; with a publishable key, who knows the client secret.
    """
    given = params.get("client_secret")
    if tx.origin.publishable and given is None:
        raise missing("client_secret")
    intent = retrieve(tx, PAYMENT_INTENT, intent_id)
    if given not in (None, intent["client_secret"]):
        raise InvalidParameter(
            "The client_secret provided does not match the client_secret associated with the "
            "PaymentIntent.",
            code="payment_intent_invalid_parameter",
            param="client_secret",
        )
    return intent


def visible(tx: Transaction, intent: StripeObject) -> StripeObject:
    """Return of a PaymentIntent what the caller may see."""
    return {name: intent[name] for name in VISIBLE} if tx.origin.publishable else intent
