"""Stripe's schema: whatever the SDK receives in any of these tests is held against it.

The check itself is in `stripe_harness.CheckedHttp` and `Receiver.next`; here is shown that it
bites, and that nothing promised by the schema of the parameters is made up.
"""

from typing import Any

import pytest
from jsonschema import ValidationError

from local.stripe.account import API_VERSION
from local.stripe.catalog import OPERATIONS
from local.stripe.operations import Operation
from local.stripe.params import Required
from tests.local.stripe import stripe_schema
from tests.local.stripe.stripe_harness import Api

pytestmark = pytest.mark.skipif(
    not stripe_schema.available(), reason="Stripe's schema is not on this machine"
)

# Operations that Stripe has and its published subset leaves out.
UNPUBLISHED = {"/v1/account"}


def published(operation: Operation) -> Any:
    """Return what the schema says about an operation."""
    shape = _anonymous(operation.path)
    for path, methods in stripe_schema.document()["paths"].items():
        if _anonymous(path) == shape:
            return methods[operation.method.lower()]
    raise AssertionError(f"Stripe has no {operation.path}")


def _anonymous(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def test_version_is_the_schemas() -> None:
    assert stripe_schema.document()["info"]["version"] == API_VERSION


@pytest.mark.parametrize(
    "operation",
    [operation for operation in OPERATIONS if operation.path not in UNPUBLISHED],
    ids=lambda operation: f"{operation.method} {operation.path}",
)
def test_operation_takes_only_what_stripe_takes(operation: Operation) -> None:
    known = published(operation)
    accepted = {param["name"] for param in known.get("parameters", []) if param["in"] == "query"}
    required = set()
    for content in known.get("requestBody", {}).get("content", {}).values():
        accepted |= content["schema"].get("properties", {}).keys()
        required |= set(content["schema"].get("required", []))
    assert operation.spec.keys() <= accepted
    ours = {name for name, field in operation.spec.items() if isinstance(field, Required)}
    assert required <= ours


def test_field_that_stripe_does_not_know_is_noticed(api: Api) -> None:
    refund = api.client().v1.refunds.create({"payment_intent": api.paid().id}).to_dict()
    stripe_schema.check(refund)
    with pytest.raises(ValidationError):
        stripe_schema.check(refund | {"colour": "red"})


@pytest.mark.parametrize(("field", "value"), [("reason", "bored"), ("amount", None)])
def test_value_that_stripe_does_not_know_is_noticed(api: Api, field: str, value: object) -> None:
    refund = api.client().v1.refunds.create({"payment_intent": api.paid().id}).to_dict()
    with pytest.raises(ValidationError):
        stripe_schema.check(refund | {field: value})


def test_missing_field_is_noticed(api: Api) -> None:
    refund = api.client().v1.refunds.create({"payment_intent": api.paid().id}).to_dict()
    del refund["amount"]
    with pytest.raises(ValidationError):
        stripe_schema.check(refund)
