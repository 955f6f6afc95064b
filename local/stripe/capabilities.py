"""Capabilities: what a connected account asks to be allowed, and whether it is."""

from local.stripe import accounts, standing
from local.stripe.errors import MissingResource
from local.stripe.operations import Operation
from local.stripe.params import Params, boolean
from local.stripe.store import StripeObject, Transaction

PATH = f"{accounts.ONE}/capabilities"
ONE = f"{PATH}/{{capability}}"

# What the reasons why an account is disabled are called of a capability.
REASONS = {
    "requirements.past_due": "requirements.fields_needed",
    "under_review": "pending.review",
}


def _list(tx: Transaction, _: Params, object_id: str) -> StripeObject:
    account = accounts.find(tx, object_id)
    return {
        "object": "list",
        "data": [_capability(tx, account, name) for name in account["capabilities"]],
        "has_more": False,
        "url": f"{accounts.PATH}/{object_id}/capabilities",
    }


def _retrieve(tx: Transaction, _: Params, object_id: str, capability: str) -> StripeObject:
    _check(capability)
    return _capability(tx, accounts.find(tx, object_id), capability)


def _update(tx: Transaction, params: Params, object_id: str, capability: str) -> StripeObject:
    _check(capability)
    account = accounts.find(tx, object_id)
    accounts.request(tx, account, {capability: params})
    standing.update(tx, account)
    return _capability(tx, account, capability)


def _check(name: str) -> None:
    if name not in accounts.CAPABILITIES:
        raise MissingResource(
            f"No such capability: '{name}'", code="resource_missing", param="capability"
        )


def _capability(tx: Transaction, account: StripeObject, name: str) -> StripeObject:
    requested_at = tx.private(account["id"])["requested"].get(name)
    asked = account["requirements"] if requested_at is not None else standing.NOTHING_DUE
    reason = asked["disabled_reason"]
    return {
        "id": name,
        "object": "capability",
        "account": account["id"],
        "future_requirements": standing.NOTHING_DUE,
        "requested": requested_at is not None,
        "requested_at": requested_at,
        "requirements": asked | {"disabled_reason": REASONS.get(reason)},
        "status": account["capabilities"].get(name, "unrequested"),
    }


OPERATIONS = (
    Operation("GET", PATH, _list),
    Operation("GET", ONE, _retrieve),
    Operation("POST", ONE, _update, {"requested": boolean}),
)
