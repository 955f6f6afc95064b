"""The clock: it can be put forward, and everything but webhooks goes by it."""

import time
from pathlib import Path
from typing import Any

import pytest
import stripe

from local.stripe import clock
from tests.local.stripe.stripe_harness import Api, Receiver, Stage


def advance(api: Api, seconds: int) -> None:
    """Have time pass."""
    api.control("POST", "clock", {"advance_seconds": seconds})


def test_money_becomes_available(fresh: Api) -> None:
    fresh.paid(2000)
    advance(fresh, 2 * clock.DAY)
    balance = fresh.client().v1.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (1912, 0)
    (entry,) = fresh.client().v1.balance_transactions.list().data
    assert entry.status == "available"


def test_what_is_made_later_is_dated_later(fresh: Api) -> None:
    client = fresh.client()
    before = client.v1.customers.create({})
    advance(fresh, clock.DAY)
    after = client.v1.customers.create({})
    assert clock.DAY <= after.created - before.created < clock.DAY + 60
    assert [
        found.id for found in client.v1.customers.list({"created": {"gte": after.created}}).data
    ] == [after.id]


def test_what_falls_due_has_happened(fresh: Api) -> None:
    client = fresh.client()
    held = fresh.paid(2000, capture_method="manual")
    pending = client.v1.refunds.create(
        {"payment_intent": fresh.paid(card="pm_card_pendingRefund").id}
    )
    advance(fresh, 6 * clock.DAY)
    assert client.v1.refunds.retrieve(pending.id).status == "succeeded"
    assert client.v1.payment_intents.retrieve(held.id).status == "requires_capture"
    advance(fresh, clock.DAY)
    assert client.v1.payment_intents.retrieve(held.id).status == "canceled"


def test_idempotency_keys_grow_old(fresh: Api) -> None:
    client = fresh.client()
    key: stripe.RequestOptions = {"idempotency_key": "old"}
    first = client.v1.customers.create({}, key)
    advance(fresh, clock.DAY)
    assert client.v1.customers.create({}, key).id == first.id
    advance(fresh, clock.DAY + 1)
    assert client.v1.customers.create({}, key).id != first.id


def test_webhooks_keep_everybodys_time(fresh: Api, receiver: Receiver) -> None:
    client = fresh.client()
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    advance(fresh, 30 * clock.DAY)
    answers = [503, 200]
    receiver.answer = lambda _: answers.pop(0)
    client.v1.customers.create({})
    for _ in range(2):
        received = receiver.arrived.get(timeout=10)
        event = stripe.Webhook.construct_event(
            received.payload, received.signature, str(endpoint.secret)
        )
        signed_at = int(received.signature.partition(",")[0].removeprefix("t="))
        assert abs(signed_at - time.time()) < 60
        assert event.created - time.time() > 29 * clock.DAY


def test_clock_is_kept(stage: Stage, tmp_path: Path) -> None:
    with stage.play(tmp_path / "stripe.sqlite") as api:
        advance(api, 5)
        advance(api, clock.DAY)
        shown = api.control("GET", "clock")
        assert shown["ahead_seconds"] == clock.DAY + 5
    with stage.play(tmp_path / "stripe.sqlite") as api:
        again: Any = api.control("GET", "clock")
        assert again["ahead_seconds"] == shown["ahead_seconds"]
        assert again["now"] >= shown["now"]
        made = api.client().v1.customers.create({})
        assert made.created >= again["now"]


@pytest.mark.parametrize("seconds", [0, 1])
def test_clocks_of_two_stripes_are_apart(fresh: Api, api: Api, seconds: int) -> None:
    advance(fresh, 1000 * clock.DAY + seconds)
    made = api.client().v1.customers.create({})
    assert abs(made.created - time.time()) < clock.DAY
