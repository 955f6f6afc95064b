"""Events: a snapshot of an object at every change of state, for whoever listens."""

from typing import Any

from local.stripe import clock, deliveries, paging
from local.stripe.account import API_VERSION
from local.stripe.operations import Operation, retrieving
from local.stripe.paging import DATED_PAGE, Condition
from local.stripe.params import Params, Spec, boolean, list_of, text
from local.stripe.resources import EVENT
from local.stripe.store import PLATFORM, StripeObject, Transaction

PATH = "/v1/events"
LIST: Spec = {**DATED_PAGE, "delivery_success": boolean, "type": text, "types": list_of(text)}


def emit(
    tx: Transaction,
    event_type: str,
    subject: StripeObject,
    previous: StripeObject | None = None,
) -> None:
    """Record that something happened to `subject`, and owe it to every endpoint that listens.

    `previous` holds what the fields that changed were before.
    """
    data: dict[str, Any] = {"object": subject}
    if previous is not None:
        data["previous_attributes"] = previous
    event = {
        "id": EVENT.new_id(),
        "object": EVENT.name,
        "api_version": API_VERSION,
        "created": clock.now(),
        "data": data,
        "livemode": False,
        "pending_webhooks": 0,
        "request": {
            "id": tx.origin.request_id,
            "idempotency_key": tx.origin.idempotency_key,
        },
        "type": event_type,
    }
    if tx.account != PLATFORM:
        event["account"] = tx.account
    tx.insert(event)
    deliveries.owe(tx, event)


def present(tx: Transaction, event: StripeObject) -> StripeObject:
    """Return an event as it is now: fewer endpoints have yet to take it than when it happened."""
    return event | {"pending_webhooks": deliveries.pending(tx, event["id"])}


def _list(tx: Transaction, params: Params) -> StripeObject:
    conditions = []
    patterns = params.get("types", []) + ([params["type"]] if "type" in params else [])
    if patterns:
        # `charge.*` means to GLOB what it means to Stripe.
        any_of = " OR ".join(["json_extract(body, '$.type') GLOB ?"] * len(patterns))
        conditions.append(Condition(f"({any_of})", tuple(patterns)))
    if "delivery_success" in params:
        unfinished = "id IN (SELECT event FROM deliveries WHERE state <> 'delivered')"
        wanted = f"NOT {unfinished}" if params["delivery_success"] else unfinished
        conditions.append(Condition(wanted, ()))
    return paging.page(tx, EVENT, PATH, params, conditions)


OPERATIONS = (
    Operation("GET", PATH, _list, LIST),
    retrieving(EVENT, PATH),
)
