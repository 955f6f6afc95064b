"""Webhook endpoints: who wants to hear about which events, and the secret that signs them."""

import re

from local.stripe import clock, paging
from local.stripe.errors import InvalidParameter
from local.stripe.forms import FormValue
from local.stripe.operations import Operation, retrieving
from local.stripe.params import (
    Params,
    Required,
    Spec,
    boolean,
    clearable,
    list_of,
    merged,
    metadata,
    text,
    web_address,
)
from local.stripe.resources import WEBHOOK_ENDPOINT, random_text, retrieve
from local.stripe.store import PLATFORM, StripeObject, Transaction

PATH = "/v1/webhook_endpoints"

EVERYTHING = "*"
EVENT_TYPE = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")


def _event_type(param: str, value: FormValue) -> str:
    name = text(param, value)
    if name != EVERYTHING and EVENT_TYPE.fullmatch(name) is None:
        raise InvalidParameter(f"Invalid {param}: {name} is not an event type", param=param)
    return name


CREATE: Spec = {
    "api_version": text,
    "connect": boolean,
    "description": clearable(text),
    "enabled_events": Required(list_of(_event_type)),
    "metadata": metadata,
    "url": Required(web_address),
}
UPDATE: Spec = {
    "description": clearable(text),
    "disabled": boolean,
    "enabled_events": list_of(_event_type),
    "metadata": metadata,
    "url": web_address,
}


def listening(tx: Transaction, event_type: str, *, connect: bool) -> list[StripeObject]:
    """Return the platform's endpoints that an event goes to, oldest first.

    Those made with `connect` hear of events on connected accounts only, the others of none.
    """
    with tx.acting_for(PLATFORM):
        endpoints = tx.select("object = ? ORDER BY sequence", WEBHOOK_ENDPOINT.name)
    return [
        endpoint
        for endpoint in endpoints
        if endpoint["status"] == "enabled"
        and not {EVERYTHING, event_type}.isdisjoint(endpoint["enabled_events"])
        and tx.private(endpoint["id"])["connect"] == connect
    ]


def _create(tx: Transaction, params: Params) -> StripeObject:
    secret = f"whsec_{random_text(32)}"
    endpoint = {
        "id": WEBHOOK_ENDPOINT.new_id(),
        "object": WEBHOOK_ENDPOINT.name,
        "api_version": params.get("api_version"),
        "application": None,
        "created": clock.now(),
        "description": params.get("description"),
        "enabled_events": params["enabled_events"],
        "livemode": False,
        "metadata": merged({}, params.get("metadata", {})),
        "status": "enabled",
        "url": params["url"],
    }
    tx.insert(endpoint, secret=secret, connect=params.get("connect", False))
    # Stripe shows the secret this once.
    return endpoint | {"secret": secret}


def _update(tx: Transaction, params: Params, object_id: str) -> StripeObject:
    endpoint = retrieve(tx, WEBHOOK_ENDPOINT, object_id)
    changes = dict(params)
    if "disabled" in changes:
        changes["status"] = "disabled" if changes.pop("disabled") else "enabled"
    if "metadata" in changes:
        changes["metadata"] = merged(endpoint["metadata"], changes["metadata"])
    tx.change(endpoint, **changes)
    return endpoint


def _delete(tx: Transaction, _: Params, object_id: str) -> StripeObject:
    retrieve(tx, WEBHOOK_ENDPOINT, object_id)
    tx.delete(object_id)
    return {"id": object_id, "object": WEBHOOK_ENDPOINT.name, "deleted": True}


OPERATIONS = (
    Operation("POST", PATH, _create, CREATE),
    paging.listing(WEBHOOK_ENDPOINT, PATH, paging.PAGE),
    retrieving(WEBHOOK_ENDPOINT, PATH),
    Operation("POST", f"{PATH}/{{object_id}}", _update, UPDATE),
    Operation("DELETE", f"{PATH}/{{object_id}}", _delete),
)
