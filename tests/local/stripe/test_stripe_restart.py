"""Killing the server loses nothing that anybody was told."""

from pathlib import Path

import pytest
import stripe

from tests.local.stripe.stripe_harness import Api, Receiver, eventually, order, process

KEY: stripe.RequestOptions = {"idempotency_key": "order-42"}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Return where the server keeps everything."""
    return tmp_path / "stripe.sqlite"


def pay(api: Api) -> stripe.PaymentIntent:
    """Pay with an Idempotency-Key."""
    parameters = order(payment_method="pm_card_visa", confirm=True)
    return api.client().v1.payment_intents.create(parameters, KEY)


def test_killed_server_remembers_objects_keys_and_deliveries(
    state: Path, receiver: Receiver
) -> None:
    receiver.answer = lambda _: 503
    with process(state, retry_seconds=0.2) as (api, running):
        endpoint = api.client().v1.webhook_endpoints.create(
            {"url": receiver.url, "enabled_events": ["payment_intent.succeeded"]}
        )
        paid = pay(api)
        refused = receiver.next()
        running.kill()
    receiver.answer = lambda _: 200
    with process(state) as (api, _):
        client = api.client()
        assert client.v1.payment_intents.retrieve(paid.id).to_dict() == paid.to_dict()
        assert pay(api).to_dict() == paid.to_dict()
        assert [charge.id for charge in client.v1.charges.list().data] == [paid.latest_charge]
        assert client.v1.balance.retrieve().pending[0].amount == 1912
        received = receiver.arrived.get(timeout=10)
        event = stripe.Webhook.construct_event(
            received.payload, received.signature, str(endpoint.secret)
        )
        assert (event.id, event.data.object["id"]) == (refused["id"], paid.id)
        (delivery,) = eventually(lambda: api.deliveries(status="delivered"))
        assert len(delivery["attempts"]) >= 1


def test_server_killed_after_it_paid_does_not_pay_again(state: Path) -> None:
    with process(state) as (api, running):
        api.fault("POST /v1/payment_intents", "drop_after")
        with pytest.raises(stripe.APIConnectionError):
            pay(api)
        running.kill()
    with process(state) as (api, _):
        paid = pay(api)
        assert paid.last_response is not None
        assert paid.last_response.headers["Idempotent-Replayed"] == "true"
        assert len(api.client().v1.charges.list().data) == 1


def test_server_killed_before_it_paid_pays_on_the_next_try(state: Path) -> None:
    with process(state) as (api, running):
        api.fault("POST /v1/payment_intents", "drop_before")
        with pytest.raises(stripe.APIConnectionError):
            pay(api)
        running.kill()
    with process(state) as (api, _):
        pay(api)
        assert len(api.client().v1.charges.list().data) == 1


def test_deliveries_owed_by_a_killed_server_keep_their_order(
    state: Path, receiver: Receiver
) -> None:
    with process(state) as (api, running):
        api.client().v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
        api.control("POST", "webhooks", {"paused": True})
        pay(api)
        running.kill()
    assert receiver.arrived.empty()
    with process(state) as (api, _):
        api.control("DELETE", "webhooks")
        assert receiver.types(4) == [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "charge.updated",
        ]
