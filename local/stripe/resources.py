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


BALANCE_TRANSACTION = Resource(
    "balance_transaction", "txn", "balance transaction", expandable=frozenset({"source"})
)
CHARGE = Resource(
    "charge",
    "ch",
    "charge",
    expandable=frozenset({"balance_transaction", "customer", "payment_intent"}),
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
        }
    ),
)
WEBHOOK_ENDPOINT = Resource(
    "webhook_endpoint", "we", "webhook endpoint", url_param="webhook_endpoint"
)

RESOURCES = {
    resource.name: resource
    for resource in (
        BALANCE_TRANSACTION,
        CHARGE,
        CUSTOMER,
        DISPUTE,
        EVENT,
        PAYMENT_INTENT,
        PAYMENT_METHOD,
        REFUND,
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
        raise MissingResource(
            _no_such(resource, object_id),
            code="resource_missing",
            param=param or resource.url_param,
        )
    return body


def referenced(tx: Transaction, resource: Resource, object_id: str, param: str) -> StripeObject:
    """Return the living object that parameter `param` names."""
    body = _find(tx, resource, object_id)
    if body is None or body.get("deleted"):
        raise InvalidParameter(_no_such(resource, object_id), code="resource_missing", param=param)
    return body


def _find(tx: Transaction, resource: Resource, object_id: str) -> StripeObject | None:
    body = tx.get(object_id)
    return body if body is not None and body["object"] == resource.name else None


def _no_such(resource: Resource, object_id: str) -> str:
    return f"No such {resource.label}: '{object_id}'"
