"""Idempotency-Keys: the first answer is the only one."""

import threading
from pathlib import Path
from typing import Any

import pytest
import stripe

from local.stripe import clock
from local.stripe.store import Store
from tests.local.stripe.stripe_harness import Api, Stage, error_of, eventually, order

FORM = "amount=2000&currency=usd"
PATH = "/v1/payment_intents"


def post(api: Api, key: str, form: str = FORM, path: str = PATH, **headers: str) -> Any:
    """Send a request with an Idempotency-Key."""
    return api.http("POST", path, form, **{"Idempotency-Key": key} | headers)


def made(api: Api) -> int:
    """Return how many intents there are."""
    return len(api.client().v1.payment_intents.list({"limit": 100}).data)


def test_same_request_is_executed_once(fresh: Api) -> None:
    first, again = post(fresh, "once"), post(fresh, "once")
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Idempotency-Key"] == "once"
    assert again.headers["Original-Request"] == first.headers["Request-Id"]
    assert again.headers["Request-Id"] != first.headers["Request-Id"]
    assert made(fresh) == 1


def test_other_key_is_another_request(fresh: Api) -> None:
    assert post(fresh, "one").json()["id"] != post(fresh, "two").json()["id"]
    assert made(fresh) == 2


def test_order_of_parameters_does_not_matter(fresh: Api) -> None:
    first = post(fresh, "order", "amount=2000&currency=usd")
    again = post(fresh, "order", "currency=usd&amount=2000")
    assert first.content == again.content


def test_other_parameters_are_refused(fresh: Api) -> None:
    client = fresh.client()
    client.v1.payment_intents.create(
        {"amount": 2000, "currency": "usd"}, {"idempotency_key": "same"}
    )
    with pytest.raises(stripe.IdempotencyError, match="same parameters") as refused:
        client.v1.payment_intents.create(
            {"amount": 2001, "currency": "usd"}, {"idempotency_key": "same"}
        )
    assert refused.value.http_status == 400
    assert error_of(refused)["type"] == "idempotency_error"
    assert made(fresh) == 1


def test_other_endpoint_is_refused(fresh: Api) -> None:
    post(fresh, "same")
    refused = post(fresh, "same", "", "/v1/customers")
    assert refused.status_code == 400
    assert PATH in refused.json()["error"]["message"]
    assert fresh.client().v1.customers.list().data == []


def test_keys_belong_to_an_api_key(fresh: Api) -> None:
    mine = post(fresh, "shared")
    theirs = post(fresh, "shared", Authorization="Bearer sk_test_another_one")
    assert mine.json()["id"] != theirs.json()["id"]
    assert made(fresh) == 2


def test_key_may_have_255_characters(fresh: Api) -> None:
    assert post(fresh, "k" * 255).is_success
    assert post(fresh, "k" * 256).status_code == 400
    assert made(fresh) == 1


def test_key_means_nothing_to_get_and_delete(fresh: Api) -> None:
    client = fresh.client()
    customer = client.v1.customers.create({})
    path = f"/v1/customers/{customer.id}"
    key = {"Idempotency-Key": "not for this"}
    assert fresh.http("GET", path, **key).json()["object"] == "customer"
    assert fresh.http("DELETE", path, **key).json()["deleted"]
    assert fresh.http("GET", path, **key).json()["deleted"]
    assert fresh.http("DELETE", path, **key).status_code == 404


def test_decline_is_remembered(fresh: Api) -> None:
    client = fresh.client()
    intent = client.v1.payment_intents.create(order())

    def confirm() -> Any:
        path = f"{PATH}/{intent.id}/confirm"
        return post(fresh, "declined", "payment_method=pm_card_chargeDeclined", path)

    first, again = confirm(), confirm()
    assert (first.status_code, again.status_code) == (402, 402)
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(client.v1.charges.list({"payment_intent": intent.id}).data) == 1


def test_refusal_by_the_state_of_things_is_remembered(fresh: Api) -> None:
    refund = f"payment_intent={fresh.paid().id}"
    post(fresh, "whole refund", refund, "/v1/refunds")
    first = post(fresh, "too late", refund, "/v1/refunds")
    again = post(fresh, "too late", refund, "/v1/refunds")
    assert (first.status_code, again.status_code) == (400, 400)
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("bad", ["currency=usd", "amount=1&currency=usd", f"{FORM}&colour=red"])
def test_bad_parameters_are_not_remembered(fresh: Api, bad: str) -> None:
    assert post(fresh, "corrected", bad).status_code == 400
    assert post(fresh, "corrected").is_success
    assert made(fresh) == 1


def test_missing_api_key_is_not_remembered(fresh: Api) -> None:
    assert post(fresh, "with key", Authorization="Bearer nonsense").status_code == 401
    assert post(fresh, "with key").is_success


def test_rate_limit_is_not_remembered(fresh: Api) -> None:
    fresh.fault("POST /v1/payment_intents", "rate_limit")
    assert post(fresh, "later").status_code == 429
    assert post(fresh, "later").is_success
    assert made(fresh) == 1


def test_server_error_is_remembered(fresh: Api) -> None:
    fresh.fault("POST /v1/payment_intents", "server_error")
    first, again = post(fresh, "broken"), post(fresh, "broken")
    assert (first.status_code, again.status_code) == (500, 500)
    assert first.content == again.content
    assert first.json()["error"]["type"] == "api_error"
    assert again.headers["Idempotent-Replayed"] == "true"
    assert made(fresh) == 0
    assert post(fresh, "another").is_success


def test_key_in_use_is_refused(fresh: Api) -> None:
    fresh.fault("POST /v1/payment_intents", "slow", seconds=0.5)
    answers: list[int] = []
    slow = threading.Thread(target=lambda: answers.append(post(fresh, "busy").status_code))
    slow.start()
    eventually(lambda: fresh.control("GET", "faults") == [])
    refused = post(fresh, "busy")
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "idempotency_key_in_use"
    slow.join()
    assert answers == [200]
    assert post(fresh, "busy").headers["Idempotent-Replayed"] == "true"
    assert made(fresh) == 1


def test_sdk_retries_a_key_in_use_until_it_is_answered(fresh: Api) -> None:
    fresh.fault("POST /v1/payment_intents", "slow", seconds=0.3)
    answers: list[Any] = []
    slow = threading.Thread(target=lambda: answers.append(post(fresh, "busy").json()["id"]))
    slow.start()
    eventually(lambda: fresh.control("GET", "faults") == [])
    patient = fresh.client(max_network_retries=5)
    intent = patient.v1.payment_intents.create(
        {"amount": 2000, "currency": "usd"}, {"idempotency_key": "busy"}
    )
    slow.join()
    assert answers == [intent.id]


@pytest.mark.parametrize(("hours", "count"), [(24, 1), (49, 2)])
def test_key_is_kept_for_a_day_at_least(
    stage: Stage, tmp_path: Path, hours: int, count: int
) -> None:
    state = tmp_path / "stripe.sqlite"
    with stage.play(state) as api:
        post(api, "old")
    store = Store(state)
    with store.transaction() as tx:
        passed = hours * clock.DAY // 24
        tx.execute("UPDATE idempotency_keys SET created = created - ?", passed)
    store.close()
    with stage.play(state) as api:
        post(api, "old")
        assert made(api) == count
