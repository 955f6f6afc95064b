"""The kinds of objects: how their ids look, what messages call them, what can be expanded."""

import secrets
import string
from dataclasses import dataclass

from local.stripe.errors import InvalidParameter, MissingResource
from local.stripe.store import StripeObject, Transaction

ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Resource:
    """One kind of object."""

    name: str
    prefix: str
    # What messages call it, as in "No such payment_intent: 'pi_…'".
    label: str
    # The parameter that a 404 blames.
    url_param: str = "id"
    id_length: int = 24
    # Fields that hold the id of another object, which `expand` puts in its place.
    expandable: frozenset[str] = frozenset()

    def new_id(self) -> str:
        """Return an id for a new object of this kind."""
        return f"{self.prefix}_{random_text(self.id_length)}"


ACCOUNT = Resource("account", "acct", "account", id_length=16)
BALANCE_TRANSACTION = Resource(
    "balance_transaction", "txn", "balance transaction", expandable=frozenset({"source"})
)
CHARGE = Resource(
    "charge",
    "ch",
    "charge",
    expandable=frozenset({"balance_transaction", "customer", "payment_intent", "source_transfer"}),
)
CUSTOMER = Resource("customer", "cus", "customer", id_length=14)
DISPUTE = Resource(
    "dispute",
    "du",
    "dispute",
    url_param="dispute",
    expandable=frozenset({"charge", "payment_intent"}),
)
EVENT = Resource("event", "evt", "event")
# What a transfer becomes on the account that receives it, and a reversal on the one that gives.
DESTINATION_PAYMENT = Resource("charge", "py", "charge")
DESTINATION_REFUND = Resource("refund", "pyr", "refund")
EXTERNAL_ACCOUNT = Resource("bank_account", "ba", "external account")
PAYMENT_INTENT = Resource(
    "payment_intent",
    "pi",
    "payment_intent",
    url_param="intent",
    expandable=frozenset({"customer", "latest_charge", "payment_method"}),
)
PAYMENT_METHOD = Resource(
    "payment_method",
    "pm",
    "PaymentMethod",
    url_param="payment_method",
    expandable=frozenset({"customer"}),
)
REFUND = Resource(
    "refund",
    "re",
    "refund",
    expandable=frozenset(
        {
            "balance_transaction",
            "charge",
            "failure_balance_transaction",
            "payment_intent",
            "source_transfer_reversal",
            "transfer_reversal",
        }
    ),
)
PAYOUT = Resource(
    "payout",
    "po",
    "payout",
    url_param="payout",
    expandable=frozenset({"balance_transaction", "destination", "failure_balance_transaction"}),
)
TOPUP = Resource("topup", "tu", "topup", expandable=frozenset({"balance_transaction"}))
TRANSFER = Resource(
    "transfer",
    "tr",
    "transfer",
    url_param="transfer",
    expandable=frozenset(
        {"balance_transaction", "destination", "destination_payment", "source_transaction"}
    ),
)
TRANSFER_REVERSAL = Resource(
    "transfer_reversal",
    "trr",
    "transfer reversal",
    expandable=frozenset(
        {"balance_transaction", "destination_payment_refund", "source_refund", "transfer"}
    ),
)
WEBHOOK_ENDPOINT = Resource(
    "webhook_endpoint", "we", "webhook endpoint", url_param="webhook_endpoint"
)

RESOURCES = {
    resource.name: resource
    for resource in (
        ACCOUNT,
        BALANCE_TRANSACTION,
        CHARGE,
        CUSTOMER,
        DISPUTE,
        EVENT,
        EXTERNAL_ACCOUNT,
        PAYMENT_INTENT,
        PAYMENT_METHOD,
        PAYOUT,
        REFUND,
        TOPUP,
        TRANSFER,
        TRANSFER_REVERSAL,
        WEBHOOK_ENDPOINT,
    )
}


def random_text(length: int) -> str:
    """Return letters and digits that nobody can guess."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def retrieve(
    tx: Transaction,
    resource: Resource,
    object_id: str,
    *,
    param: str | None = None,
    living: bool = False,
) -> StripeObject:
    """Return the object that a request is about; a deleted one only if that will do."""
    body = _find(tx, resource, object_id)
    if body is None or (living and body.get("deleted")):
        raise missing(resource, object_id, param)
    return body


def referenced(tx: Transaction, resource: Resource, object_id: str, param: str) -> StripeObject:
    """Return the living object that parameter `param` names."""
    body = _find(tx, resource, object_id)
    if body is None or body.get("deleted"):
        raise InvalidParameter(_no_such(resource, object_id), code="resource_missing", param=param)
    return body


def anywhere(tx: Transaction, resource: Resource, object_id: str) -> StripeObject:
    """Return a living object whichever account it belongs to."""
    body = tx.get(object_id)
    if body is None or body["object"] != resource.name or body.get("deleted"):
        raise missing(resource, object_id)
    return body


def missing(resource: Resource, object_id: str, param: str | None = None) -> MissingResource:
    """Return the error for an object that is not there."""
    return MissingResource(
        _no_such(resource, object_id), code="resource_missing", param=param or resource.url_param
    )


def _find(tx: Transaction, resource: Resource, object_id: str) -> StripeObject | None:
    body = tx.own(object_id)
    return body if body is not None and body["object"] == resource.name else None


def _no_such(resource: Resource, object_id: str) -> str:
    return f"No such {resource.label}: '{object_id}'"
