"""Deliveries: signed, in order, at least once, and as badly behaved as we ask for."""

import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import stripe

from local.stripe import clock, deliverer, deliveries
from local.stripe.store import Store
from tests.local.stripe.stripe_harness import Api, Received, Receiver, Stage, eventually


@pytest.fixture
def client(fresh: Api) -> stripe.StripeClient:
    """Return the official SDK, talking to a Stripe without endpoints."""
    return fresh.client()


@pytest.fixture
def endpoint(client: stripe.StripeClient, receiver: Receiver) -> stripe.WebhookEndpoint:
    """Return an endpoint that hears of everything."""
    return client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})


def customers(client: stripe.StripeClient, count: int) -> list[str]:
    """Make a few customers, and return their names."""
    names = [f"customer {number}" for number in range(count)]
    for name in names:
        client.v1.customers.create({"name": name})
    return names


def heard(receiver: Receiver, count: int) -> list[str]:
    """Return the names of the customers in the next events to arrive."""
    return [receiver.next()["data"]["object"]["name"] for _ in range(count)]


def settled(api: Api, count: int, status: str = "delivered") -> list[dict[str, Any]]:
    """Return the log once so many deliveries have a status."""

    def look() -> list[dict[str, Any]] | None:
        found = api.deliveries(status=status)
        return found if len(found) == count else None

    return eventually(look)


def next_signed(receiver: Receiver) -> Received:
    """Return the next webhook as it arrived."""
    return receiver.arrived.get(timeout=10)


def test_sdk_accepts_the_signature(
    client: stripe.StripeClient, endpoint: stripe.WebhookEndpoint, receiver: Receiver
) -> None:
    customer = client.v1.customers.create({"name": "Zoë"})
    received = next_signed(receiver)
    event = stripe.Webhook.construct_event(
        received.payload, received.signature, str(endpoint.secret)
    )
    assert (event.type, event.data.object["id"]) == ("customer.created", customer.id)


@pytest.mark.parametrize("spoiled", ["payload", "secret"])
def test_sdk_refuses_what_was_not_signed(
    client: stripe.StripeClient,
    endpoint: stripe.WebhookEndpoint,
    receiver: Receiver,
    spoiled: str,
) -> None:
    client.v1.customers.create({})
    received = next_signed(receiver)
    payload = received.payload + b" " if spoiled == "payload" else received.payload
    secret = "whsec_other" if spoiled == "secret" else str(endpoint.secret)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(payload, received.signature, secret)


@pytest.mark.usefixtures("endpoint")
def test_events_arrive_in_the_order_of_creation(fresh: Api, receiver: Receiver) -> None:
    paid = fresh.paid()
    fresh.client().v1.refunds.create({"payment_intent": paid.id})
    assert receiver.types(6) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.updated",
        "refund.created",
        "charge.refunded",
    ]


@pytest.mark.usefixtures("endpoint")
def test_burst_arrives_in_the_order_of_creation(
    client: stripe.StripeClient, receiver: Receiver
) -> None:
    assert customers(client, 40) == heard(receiver, 40)


@pytest.mark.usefixtures("endpoint")
def test_delivered_event_is_pending_nowhere(
    fresh: Api, client: stripe.StripeClient, receiver: Receiver
) -> None:
    client.v1.customers.create({})
    event = receiver.next()
    assert event["pending_webhooks"] == 1
    settled(fresh, 1)
    assert client.v1.events.retrieve(event["id"]).pending_webhooks == 0
    assert len(client.v1.events.list({"delivery_success": True}).data) == 1
    assert client.v1.events.list({"delivery_success": False}).data == []


@pytest.mark.usefixtures("endpoint")
def test_failed_delivery_is_tried_again_until_it_is_taken(
    fresh: Api, client: stripe.StripeClient, receiver: Receiver
) -> None:
    answers = iter([500, 302, None, 404, 204])
    receiver.answer = lambda _: next(answers)
    client.v1.customers.create({})
    tries = [next_signed(receiver) for _ in range(5)]
    assert len({received.event["id"] for received in tries}) == 1
    (delivery,) = settled(fresh, 1)
    attempts = delivery["attempts"]
    assert [attempt["number"] for attempt in attempts] == [1, 2, 3, 4, 5]
    assert [attempt["status_code"] for attempt in attempts] == [500, 302, None, 404, 204]
    assert "RemoteProtocolError" in attempts[2]["error"]
    assert all(attempt["duration_ms"] > 0 for attempt in attempts)


@pytest.mark.usefixtures("endpoint")
def test_each_pause_is_twice_as_long(
    fresh: Api, client: stripe.StripeClient, receiver: Receiver
) -> None:
    answers = iter([500, 500, 500, 200])
    receiver.answer = lambda _: next(answers)
    client.v1.customers.create({})
    (delivery,) = settled(fresh, 1)
    at = [attempt["at"] for attempt in delivery["attempts"]]
    pauses = [later - earlier for earlier, later in pairwise(at)]
    for pause, shortest in zip(pauses, (0.02, 0.04, 0.08), strict=True):
        assert pause >= shortest


@pytest.mark.usefixtures("endpoint")
def test_failing_delivery_holds_nobody_up(
    fresh: Api, client: stripe.StripeClient, receiver: Receiver
) -> None:
    released = threading.Event()

    def answer(event: dict[str, Any]) -> int:
        failing = event["data"]["object"]["name"] == "customer 0" and not released.is_set()
        return 500 if failing else 200

    receiver.answer = answer
    customers(client, 4)
    settled(fresh, 3)
    (failing,) = fresh.deliveries(status="owed")
    assert failing["attempts"]
    released.set()
    settled(fresh, 4)
    order = [delivery["attempts"][-1]["at"] for delivery in fresh.deliveries()]
    assert order[0] == max(order)


@pytest.mark.usefixtures("endpoint")
def test_hanging_delivery_holds_the_next_up_for_a_moment_only(
    fresh: Api, client: stripe.StripeClient, receiver: Receiver
) -> None:
    released = threading.Event()

    def answer(event: dict[str, Any]) -> int:
        if event["data"]["object"]["name"] == "customer 0":
            released.wait(timeout=10)
        return 200

    receiver.answer = answer
    customers(client, 3)
    settled(fresh, 2)
    assert len(fresh.deliveries(status="owed")) == 1
    released.set()
    settled(fresh, 3)


def test_hanging_endpoint_holds_up_neither_requests_nor_other_endpoints(
    fresh: Api, client: stripe.StripeClient, receiver: Receiver
) -> None:
    hanging = Receiver()
    released = threading.Event()

    def hang(_: dict[str, Any]) -> int:
        released.wait(timeout=10)
        return 200

    hanging.answer = hang
    for url in (hanging.url, receiver.url):
        client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
    assert customers(client, 3) == heard(receiver, 3)
    assert hanging.arrived.empty()
    released.set()
    assert heard(hanging, 3) == ["customer 0", "customer 1", "customer 2"]
    hanging.stop()
    settled(fresh, 6)


def test_endpoint_that_nobody_serves_is_tried_again(
    fresh: Api, client: stripe.StripeClient
) -> None:
    client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    client.v1.customers.create({})

    def failed_twice() -> list[dict[str, Any]]:
        (delivery,) = fresh.deliveries(status="owed")
        attempts: list[dict[str, Any]] = delivery["attempts"]
        return attempts if len(attempts) > 1 else []

    attempts = eventually(failed_twice)
    assert "ConnectError" in attempts[0]["error"]


def test_pauses_grow_to_a_minute_and_no_further() -> None:
    pauses = [deliveries.pause_seconds(attempts, 1.0) for attempts in range(1, 9)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert deliveries.pause_seconds(5000, 1.0) == 60


@pytest.mark.usefixtures("endpoint")
def test_endpoint_that_does_not_answer_in_time_is_tried_again(
    fresh: Api,
    client: stripe.StripeClient,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deliverer, "TIMEOUT_SECONDS", 0.1)
    released = threading.Event()

    def answer(_: dict[str, Any]) -> int:
        return 200 if released.wait(timeout=10) else 500

    receiver.answer = answer
    client.v1.customers.create({})
    timed_out = eventually(lambda: fresh.deliveries()[0]["attempts"])[0]
    assert (timed_out["status_code"], timed_out["error"]) == (
        None,
        "no answer within 0.1 seconds",
    )
    assert timed_out["duration_ms"] >= 100
    released.set()
    settled(fresh, 1)


def test_delivery_is_abandoned_after_three_days(
    stage: Stage, receiver: Receiver, tmp_path: Path
) -> None:
    state = tmp_path / "stripe.sqlite"
    receiver.answer = lambda _: 500
    with stage.play(state) as api:
        api.control("POST", "webhooks", {"paused": True})
        api.client().v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
        customers(api.client(), 1)
    store = Store(state)
    with store.transaction() as tx:
        tx.execute("UPDATE deliveries SET created = created - ?", 3 * clock.DAY)
    store.close()
    with stage.play(state) as api:
        api.control("DELETE", "webhooks")
        (abandoned,) = settled(api, 1, "abandoned")
        assert len(abandoned["attempts"]) == 1
        assert abandoned["next_attempt_at"] is None


@pytest.mark.parametrize("away", ["delete", "disable"])
def test_delivery_to_an_endpoint_that_went_away_is_dropped(
    fresh: Api, client: stripe.StripeClient, receiver: Receiver, away: str
) -> None:
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    fresh.control("POST", "webhooks", {"paused": True})
    client.v1.customers.create({})
    if away == "delete":
        client.v1.webhook_endpoints.delete(endpoint.id)
    else:
        client.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    fresh.control("DELETE", "webhooks")
    settled(fresh, 1, "dropped")
    assert receiver.arrived.empty()


@pytest.mark.usefixtures("endpoint")
def test_duplicates_are_the_same_event(
    fresh: Api, client: stripe.StripeClient, receiver: Receiver
) -> None:
    fresh.control("POST", "webhooks", {"duplicates": 3})
    client.v1.customers.create({})
    assert len({receiver.next()["id"] for _ in range(3)}) == 1
    deliveries = settled(fresh, 3)
    assert [delivery["copy"] for delivery in deliveries] == [1, 2, 3]
    assert receiver.arrived.empty()


@pytest.mark.usefixtures("endpoint")
def test_delay_holds_deliveries_back(
    fresh: Api, client: stripe.StripeClient, receiver: Receiver
) -> None:
    fresh.control("POST", "webhooks", {"delay_seconds": 0.3})
    created = client.v1.customers.create({})
    assert receiver.arrived.empty()
    assert receiver.next()["data"]["object"]["id"] == created.id
    (delivery,) = settled(fresh, 1)
    assert delivery["attempts"][0]["at"] - delivery["created"] >= 0.3


@pytest.mark.usefixtures("endpoint")
def test_pause_holds_everything_until_it_ends(
    fresh: Api, client: stripe.StripeClient, receiver: Receiver
) -> None:
    fresh.control("POST", "webhooks", {"paused": True})
    names = customers(client, 3)
    assert len(fresh.deliveries(status="owed")) == 3
    assert receiver.arrived.empty()
    fresh.control("POST", "webhooks", {"paused": False})
    assert heard(receiver, 3) == names


def shuffled(api: Api, receiver: Receiver, seed: int, count: int = 16) -> list[str]:
    """Return the order in which held and shuffled events arrive."""
    api.control("POST", "webhooks", {"reorder": True, "seed": seed, "paused": True})
    names = customers(api.client(), count)
    api.control("POST", "webhooks", {"paused": False})
    order = heard(receiver, count)
    assert sorted(order) == sorted(names)
    return order


@pytest.mark.usefixtures("endpoint")
def test_reordering_depends_on_the_seed_alone(fresh: Api, receiver: Receiver) -> None:
    first = shuffled(fresh, receiver, seed=7)
    assert first != sorted(first, key=lambda name: int(name.split()[1]))
    assert shuffled(fresh, receiver, seed=7) == first
    assert shuffled(fresh, receiver, seed=8) != first


@pytest.mark.usefixtures("endpoint")
def test_reordering_without_a_pause_loses_nothing(
    fresh: Api, client: stripe.StripeClient, receiver: Receiver
) -> None:
    fresh.control("POST", "webhooks", {"reorder": True, "seed": 1})
    names = customers(client, 10)
    assert sorted(heard(receiver, 10)) == sorted(names)


def test_behaviour_is_shown_and_reset(fresh: Api) -> None:
    normal = {
        "duplicates": 1,
        "delay_seconds": 0.0,
        "reorder": False,
        "seed": 0,
        "paused": False,
    }
    assert fresh.control("GET", "webhooks") == normal
    changed = fresh.control("POST", "webhooks", {"duplicates": 2, "paused": True})
    assert (
        fresh.control("GET", "webhooks")
        == changed
        == normal
        | {
            "duplicates": 2,
            "paused": True,
        }
    )
    fresh.control("DELETE", "webhooks")
    assert fresh.control("GET", "webhooks") == normal


@pytest.mark.usefixtures("endpoint")
def test_event_is_delivered_again_on_request(
    fresh: Api, client: stripe.StripeClient, receiver: Receiver
) -> None:
    client.v1.customers.create({})
    event = receiver.next()
    settled(fresh, 1)
    assert fresh.control("POST", "deliveries/resend", {"event": event["id"]}) == {"owed": 1}
    assert receiver.next()["id"] == event["id"]
    settled(fresh, 2)


@pytest.mark.usefixtures("endpoint")
def test_log_is_filtered(fresh: Api, client: stripe.StripeClient, receiver: Receiver) -> None:
    customer = client.v1.customers.create({})
    client.v1.customers.delete(customer.id)
    created, deleted = receiver.next(), receiver.next()
    settled(fresh, 2)
    by_event = fresh.deliveries(event=created["id"])
    by_type = fresh.deliveries(type="customer.deleted")
    assert [delivery["type"] for delivery in by_event] == ["customer.created"]
    assert [delivery["event"] for delivery in by_type] == [deleted["id"]]
    assert fresh.deliveries(status="abandoned") == []
