"""Faults: requests refused, delayed and cut off, exactly as often as asked for."""

import threading
import time
from typing import Any

import httpx
import pytest
import stripe

from tests.local.stripe.stripe_harness import Api, error_of, eventually, order

CREATION = "POST /v1/payment_intents"


def made(api: Api) -> int:
    """Return how many intents there are."""
    return len(api.client().v1.payment_intents.list({"limit": 100}).data)


def test_rate_limit_executes_nothing(fresh: Api) -> None:
    fresh.fault(CREATION, "rate_limit", times=2)
    client = fresh.client()
    for _ in range(2):
        with pytest.raises(stripe.RateLimitError) as refused:
            client.v1.payment_intents.create(order())
        assert refused.value.http_status == 429
        assert error_of(refused)["code"] == "rate_limit"
    assert made(fresh) == 0
    client.v1.payment_intents.create(order())
    assert made(fresh) == 1


def test_server_error_executes_nothing(fresh: Api) -> None:
    fresh.fault(CREATION, "server_error")
    client = fresh.client()
    with pytest.raises(stripe.APIError) as failed:
        client.v1.payment_intents.create(order())
    assert failed.value.http_status == 500
    assert made(fresh) == 0
    client.v1.payment_intents.create(order())
    assert made(fresh) == 1


def test_slow_request_is_executed_in_the_end(fresh: Api) -> None:
    fresh.fault(CREATION, "slow", seconds=0.2)
    started = time.monotonic()
    fresh.client().v1.payment_intents.create(order())
    assert time.monotonic() - started >= 0.2
    assert made(fresh) == 1


def test_slow_request_holds_up_no_other(fresh: Api) -> None:
    fresh.fault(CREATION, "slow", seconds=0.5)
    client = fresh.client()
    slow = threading.Thread(target=client.v1.payment_intents.create, args=(order(),))
    slow.start()
    eventually(lambda: fresh.control("GET", "faults") == [])
    fresh.client().v1.customers.create({})
    assert made(fresh) == 0
    slow.join()
    assert made(fresh) == 1


def test_request_dropped_before_is_not_executed(fresh: Api) -> None:
    fresh.fault(CREATION, "drop_before")
    with pytest.raises(stripe.APIConnectionError):
        fresh.client().v1.payment_intents.create(order())
    assert made(fresh) == 0


def test_request_dropped_after_is_executed(fresh: Api) -> None:
    fresh.fault(CREATION, "drop_after")
    with pytest.raises(stripe.APIConnectionError):
        fresh.client().v1.payment_intents.create(order())
    assert made(fresh) == 1


def test_dropped_connection_carries_no_byte(fresh: Api) -> None:
    fresh.fault("GET /v1/balance", "drop_after")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)) as broken:
        fresh.http("GET", "/v1/balance")
    assert "without sending a response" in str(broken.value) or "reset" in str(broken.value)


@pytest.mark.parametrize(("kind", "tries"), [("drop_after", 3), ("drop_before", 3)])
def test_retry_with_the_same_key_charges_once(fresh: Api, kind: str, tries: int) -> None:
    fresh.fault(CREATION, kind, times=tries - 1)
    persistent = fresh.client(max_network_retries=tries)
    paid = persistent.v1.payment_intents.create(
        order(payment_method="pm_card_visa", confirm=True), {"idempotency_key": "order-42"}
    )
    assert paid.status == "succeeded"
    assert made(fresh) == 1
    (charge,) = persistent.v1.charges.list().data
    assert charge.id == paid.latest_charge
    (booked,) = persistent.v1.balance_transactions.list().data
    assert booked.amount == 2000


def test_retry_with_the_same_key_refunds_once(fresh: Api) -> None:
    paid = fresh.paid()
    fresh.fault("POST /v1/refunds", "drop_after")
    refund = fresh.client(max_network_retries=2).v1.refunds.create(
        {"payment_intent": paid.id, "amount": 500}, {"idempotency_key": "refund-42"}
    )
    (kept,) = fresh.client().v1.refunds.list().data
    assert kept.id == refund.id
    assert fresh.client().v1.charges.retrieve(str(paid.latest_charge)).amount_refunded == 500


def test_retry_without_a_key_would_charge_twice(fresh: Api) -> None:
    fresh.fault(CREATION, "drop_after")
    with pytest.raises(httpx.TransportError):
        fresh.http("POST", "/v1/payment_intents", "amount=2000&currency=usd")
    fresh.http("POST", "/v1/payment_intents", "amount=2000&currency=usd")
    assert made(fresh) == 2


@pytest.mark.parametrize(
    ("match", "struck"),
    [
        ("POST /v1/refunds", False),
        ("GET /v1/payment_intents", False),
        ("POST /v1/payment_intents", True),
        ("* /v1/payment_intents", True),
        ("POST *", True),
        ("*", True),
        ("POST /v1/payment_intents/*/capture", False),
    ],
)
def test_fault_strikes_what_it_matches(fresh: Api, match: str, struck: bool) -> None:
    fresh.fault(match, "rate_limit")
    response = fresh.http("POST", "/v1/payment_intents", "amount=2000&currency=usd")
    assert (response.status_code == 429) is struck


def test_fault_strikes_a_path_with_an_id_in_the_middle(fresh: Api) -> None:
    held = fresh.paid(capture_method="manual")
    fresh.fault("POST /v1/payment_intents/*/capture", "drop_after")
    with pytest.raises(stripe.APIConnectionError):
        fresh.client().v1.payment_intents.capture(held.id)
    assert fresh.client().v1.payment_intents.retrieve(held.id).status == "succeeded"


def test_fault_spares_the_first_requests(fresh: Api) -> None:
    fresh.fault(CREATION, "rate_limit", skip=2)
    statuses = [
        fresh.http("POST", "/v1/payment_intents", "amount=2000&currency=usd").status_code
        for _ in range(4)
    ]
    assert statuses == [200, 200, 429, 200]


def test_faults_strike_in_the_order_they_were_set(fresh: Api) -> None:
    fresh.fault(CREATION, "rate_limit")
    fresh.fault(CREATION, "server_error")
    statuses = [
        fresh.http("POST", "/v1/payment_intents", "amount=2000&currency=usd").status_code
        for _ in range(3)
    ]
    assert statuses == [429, 500, 200]


def test_faults_are_shown_and_forgotten(fresh: Api) -> None:
    fresh.fault("POST /v1/refunds", "slow", seconds=2, times=3, skip=1)
    assert fresh.control("GET", "faults") == [
        {"match": "POST /v1/refunds", "kind": "slow", "times": 3, "seconds": 2.0, "skip": 1}
    ]
    assert fresh.control("DELETE", "faults") == []
    assert fresh.control("GET", "faults") == []


@pytest.mark.parametrize(
    "body",
    [
        {"match": "POST /v1/refunds"},
        {"match": "POST /v1/refunds", "kind": "meteorite"},
        {"match": "POST /v1/refunds", "kind": "slow", "times": 0},
        {"match": "POST /v1/refunds", "kind": "slow", "colour": "red"},
    ],
)
def test_bad_fault_is_refused(fresh: Api, body: Any) -> None:
    with pytest.raises(httpx.HTTPStatusError) as refused:
        fresh.control("POST", "faults", body)
    assert refused.value.response.status_code == 422
    assert fresh.control("GET", "faults") == []
