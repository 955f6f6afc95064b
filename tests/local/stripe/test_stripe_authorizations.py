"""Held money: captured in whole or in part, let go, or lost to time."""

from pathlib import Path

import httpx
import pytest
import stripe

from local.stripe import clock, timers
from local.stripe.catalog import TIMER_ACTIONS
from local.stripe.store import Store
from tests.local.stripe.stripe_harness import Api, Stage, types_about


def held(api: Api, amount: int = 2000) -> stripe.PaymentIntent:
    """Return an intent whose money is held."""
    intent: stripe.PaymentIntent = api.paid(amount, capture_method="manual")
    return intent


def charge_of(client: stripe.StripeClient, intent: stripe.PaymentIntent) -> stripe.Charge:
    """Return the charge that holds, or took, the money."""
    return client.v1.charges.retrieve(str(intent.latest_charge))


def test_manual_capture_holds_the_money(api: Api, client: stripe.StripeClient) -> None:
    intent = held(api)
    assert (intent.status, intent.amount_capturable, intent.amount_received) == (
        "requires_capture",
        2000,
        0,
    )
    charge = charge_of(client, intent)
    assert (charge.status, charge.paid, charge.captured) == ("succeeded", True, False)
    assert (charge.amount_captured, charge.balance_transaction) == (0, None)
    assert types_about(client, intent.id) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
    ]


def test_held_money_is_held_for_seven_days(api: Api, client: stripe.StripeClient) -> None:
    charge = charge_of(client, held(api)).to_dict()
    capture_before = charge["payment_method_details"]["card"]["capture_before"]
    assert capture_before - charge["created"] == 7 * clock.DAY


def test_money_taken_at_once_has_no_deadline(api: Api, client: stripe.StripeClient) -> None:
    charge = charge_of(client, api.paid()).to_dict()
    assert "capture_before" not in charge["payment_method_details"]["card"]


def test_captured_money_is_booked(api: Api, client: stripe.StripeClient) -> None:
    intent = held(api)
    captured = client.v1.payment_intents.capture(intent.id, {"metadata": {"chef": "accepted"}})
    assert (captured.status, captured.amount_capturable, captured.amount_received) == (
        "succeeded",
        0,
        2000,
    )
    assert captured.to_dict()["metadata"] == {"chef": "accepted"}
    charge = charge_of(client, captured)
    assert (charge.captured, charge.amount_captured, charge.amount_refunded) == (True, 2000, 0)
    booked = client.v1.balance_transactions.retrieve(str(charge.balance_transaction))
    assert (booked.amount, booked.fee, booked.net) == (2000, 88, 1912)
    assert types_about(client, intent.id)[3:] == ["charge.captured", "payment_intent.succeeded"]


def test_partial_capture_lets_the_rest_go(api: Api, client: stripe.StripeClient) -> None:
    intent = held(api)
    captured = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 1500})
    assert (captured.amount, captured.amount_received) == (2000, 1500)
    charge = charge_of(client, captured)
    assert (charge.amount, charge.amount_captured, charge.amount_refunded, charge.refunded) == (
        2000,
        1500,
        500,
        False,
    )
    booked = client.v1.balance_transactions.retrieve(str(charge.balance_transaction))
    assert (booked.amount, booked.fee) == (1500, 74)
    (released,) = client.v1.refunds.list({"payment_intent": intent.id}).data
    assert (released.amount, released.balance_transaction) == (500, None)


def test_rest_of_a_partial_capture_cannot_be_refunded_again(
    api: Api, client: stripe.StripeClient
) -> None:
    intent = held(api)
    client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 1500})
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 1501})
    assert client.v1.refunds.create({"payment_intent": intent.id}).amount == 1500
    assert charge_of(client, intent).refunded


def test_more_than_is_held_cannot_be_captured(api: Api, client: stripe.StripeClient) -> None:
    intent = held(api)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 2001})
    assert (refused.value.code, refused.value.param) == ("amount_too_large", "amount_to_capture")
    assert client.v1.payment_intents.retrieve(intent.id).amount_capturable == 2000


def test_money_is_captured_once(api: Api, client: stripe.StripeClient) -> None:
    intent = held(api)
    client.v1.payment_intents.capture(intent.id)
    with pytest.raises(stripe.InvalidRequestError, match="already been captured") as refused:
        client.v1.payment_intents.capture(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"


def test_money_that_is_not_held_cannot_be_captured(client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create({"amount": 2000, "currency": "usd"})
    with pytest.raises(stripe.InvalidRequestError, match="status of requires_payment_method"):
        client.v1.payment_intents.capture(intent.id)


def test_held_money_cannot_be_refunded(api: Api, client: stripe.StripeClient) -> None:
    intent = held(api)
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        client.v1.refunds.create({"payment_intent": intent.id})
    assert client.v1.refunds.list({"payment_intent": intent.id}).data == []


def test_cancelling_lets_held_money_go(api: Api, client: stripe.StripeClient) -> None:
    intent = held(api)
    cancelled = client.v1.payment_intents.cancel(intent.id)
    assert (cancelled.status, cancelled.amount_capturable) == ("canceled", 0)
    charge = charge_of(client, intent)
    assert (charge.captured, charge.refunded, charge.amount_refunded) == (False, True, 2000)
    assert charge.balance_transaction is None
    assert types_about(client, intent.id)[3:] == [
        "refund.created",
        "charge.refunded",
        "payment_intent.canceled",
    ]


def test_expired_money_is_let_go(api: Api, client: stripe.StripeClient) -> None:
    intent = held(api)
    expired = api.control("POST", f"authorizations/{intent.id}/expire")
    assert (expired["status"], expired["cancellation_reason"]) == ("canceled", "automatic")
    charge = charge_of(client, intent)
    assert (charge.captured, charge.refunded) == (False, True)
    assert types_about(client, intent.id)[3:] == [
        "refund.created",
        "charge.expired",
        "payment_intent.canceled",
    ]
    (event,) = client.v1.events.list({"type": "charge.expired", "limit": 1}).data
    assert event.request is not None
    assert event.request.id is None
    with pytest.raises(stripe.InvalidRequestError, match="status of canceled"):
        client.v1.payment_intents.capture(intent.id)


def test_only_held_money_expires(api: Api) -> None:
    with pytest.raises(httpx.HTTPStatusError) as refused:
        api.control("POST", f"authorizations/{api.paid().id}/expire")
    assert refused.value.response.status_code == 409


def test_money_expires_by_itself_when_its_time_comes(stage: Stage, tmp_path: Path) -> None:
    state = tmp_path / "stripe.sqlite"
    with stage.play(state) as api:
        lost, taken = held(api), held(api)
        api.client().v1.payment_intents.capture(taken.id)
    store = Store(state)
    timers.run_due(store, TIMER_ACTIONS, clock.now() + 6 * clock.DAY)
    with store.transaction() as tx:
        assert (tx.get(lost.id) or {})["status"] == "requires_capture"
    timers.run_due(store, TIMER_ACTIONS, clock.now() + 8 * clock.DAY)
    store.close()
    with stage.play(state) as api:
        intents = api.client().v1.payment_intents
        assert intents.retrieve(lost.id).status == "canceled"
        assert intents.retrieve(taken.id).status == "succeeded"
