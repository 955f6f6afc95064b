"""Webhook endpoints as objects: made, changed, switched off, deleted."""

from typing import Any

import pytest
import stripe

from tests.local.stripe.stripe_harness import Api, Receiver

URL = "http://127.0.0.1:9/nobody-listens"


@pytest.fixture
def client(fresh: Api) -> stripe.StripeClient:
    """Return the official SDK, talking to a Stripe without endpoints."""
    return fresh.client()


def test_secret_is_shown_once(client: stripe.StripeClient) -> None:
    made = client.v1.webhook_endpoints.create(
        {"url": URL, "enabled_events": ["*"], "metadata": {"a": "1"}, "description": "ours"}
    )
    assert made.secret is not None
    assert made.secret.startswith("whsec_")
    kept = client.v1.webhook_endpoints.retrieve(made.id).to_dict()
    assert kept == {name: value for name, value in made.to_dict().items() if name != "secret"}
    (listed,) = client.v1.webhook_endpoints.list().to_dict()["data"]
    assert listed == kept


@pytest.mark.parametrize(
    ("parameters", "code", "param"),
    [
        ({"url": URL}, "parameter_missing", "enabled_events"),
        ({"enabled_events": ["*"]}, "parameter_missing", "url"),
        ({"url": "nowhere", "enabled_events": ["*"]}, "url_invalid", "url"),
        ({"url": "ftp://example.com", "enabled_events": ["*"]}, "url_invalid", "url"),
        ({"url": URL, "enabled_events": ["payments"]}, None, "enabled_events[0]"),
    ],
)
def test_bad_endpoint_is_refused(
    client: stripe.StripeClient, parameters: Any, code: str | None, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.webhook_endpoints.create(parameters)
    assert (refused.value.code, refused.value.param) == (code, param)
    assert client.v1.webhook_endpoints.list().data == []


def test_endpoint_hears_of_its_types_only(client: stripe.StripeClient, receiver: Receiver) -> None:
    client.v1.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": ["customer.updated", "customer.deleted"]}
    )
    customer = client.v1.customers.create({})
    client.v1.customers.update(customer.id, {"name": "Ada"})
    client.v1.customers.delete(customer.id)
    assert receiver.types(2) == ["customer.updated", "customer.deleted"]


def test_endpoint_hears_of_other_types_after_a_change(
    client: stripe.StripeClient, receiver: Receiver
) -> None:
    endpoint = client.v1.webhook_endpoints.create(
        {"url": URL, "enabled_events": ["customer.deleted"]}
    )
    client.v1.webhook_endpoints.update(
        endpoint.id, {"url": receiver.url, "enabled_events": ["customer.created"]}
    )
    client.v1.customers.create({})
    assert receiver.types(1) == ["customer.created"]


def test_disabled_endpoint_hears_nothing_until_enabled(
    fresh: Api, client: stripe.StripeClient, receiver: Receiver
) -> None:
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    off = client.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    assert off.status == "disabled"
    client.v1.customers.create({"name": "unheard"})
    assert fresh.deliveries() == []
    on = client.v1.webhook_endpoints.update(endpoint.id, {"disabled": False})
    assert on.status == "enabled"
    client.v1.customers.create({"name": "heard"})
    assert receiver.next()["data"]["object"]["name"] == "heard"


def test_deleted_endpoint_is_gone(client: stripe.StripeClient) -> None:
    endpoint = client.v1.webhook_endpoints.create({"url": URL, "enabled_events": ["*"]})
    assert client.v1.webhook_endpoints.delete(endpoint.id).deleted
    with pytest.raises(stripe.InvalidRequestError, match="No such webhook endpoint"):
        client.v1.webhook_endpoints.retrieve(endpoint.id)
    assert client.v1.webhook_endpoints.list().data == []


def test_endpoint_for_connected_accounts_hears_nothing_of_ours(
    fresh: Api, client: stripe.StripeClient
) -> None:
    client.v1.webhook_endpoints.create({"url": URL, "enabled_events": ["*"], "connect": True})
    client.v1.customers.create({})
    assert fresh.deliveries() == []
