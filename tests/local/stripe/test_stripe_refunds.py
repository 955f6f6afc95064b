"""Refunds: whole, in parts, refused, delayed, failed."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from local.stripe import clock, timers
from local.stripe.catalog import TIMER_ACTIONS
from local.stripe.store import Store
from tests.local.stripe.stripe_harness import Api, Stage, error_of, events_about, types_about


@pytest.fixture
def paid(api: Api) -> stripe.PaymentIntent:
    """Return an intent that was paid."""
    intent: stripe.PaymentIntent = api.paid()
    return intent


def charge_of(client: stripe.StripeClient, intent: stripe.PaymentIntent) -> stripe.Charge:
    """Return the charge of an intent."""
    return client.v1.charges.retrieve(str(intent.latest_charge))


def test_whole_charge_is_refunded(client: stripe.StripeClient, paid: stripe.PaymentIntent) -> None:
    refund = client.v1.refunds.create(
        {
            "payment_intent": paid.id,
            "reason": "requested_by_customer",
            "metadata": {"order": "42"},
        }
    )
    assert (refund.amount, refund.status, refund.reason) == (
        2000,
        "succeeded",
        "requested_by_customer",
    )
    assert (refund.payment_intent, refund.charge) == (paid.id, paid.latest_charge)
    assert client.v1.refunds.retrieve(refund.id).to_dict() == refund.to_dict()
    charge = charge_of(client, paid)
    assert (charge.amount_refunded, charge.refunded) == (2000, True)
    created, refunded = events_about(client, paid.id)[-2:]
    assert (created["type"], refunded["type"]) == ("refund.created", "charge.refunded")
    assert refunded["data"]["previous_attributes"] == {"amount_refunded": 0, "refunded": False}


def test_charge_is_refunded_in_parts(
    client: stripe.StripeClient, paid: stripe.PaymentIntent
) -> None:
    first = client.v1.refunds.create({"payment_intent": paid.id, "amount": 500})
    second = client.v1.refunds.create({"charge": str(paid.latest_charge), "amount": 700})
    charge = charge_of(client, paid)
    assert (charge.amount_refunded, charge.refunded) == (1200, False)
    last = client.v1.refunds.create({"payment_intent": paid.id})
    assert last.amount == 800
    assert charge_of(client, paid).refunded
    made = [last.id, second.id, first.id]
    by_intent = client.v1.refunds.list({"payment_intent": paid.id})
    assert [refund.id for refund in by_intent.data] == made
    by_charge = client.v1.refunds.list({"charge": str(paid.latest_charge)})
    assert [refund.id for refund in by_charge.data] == made


def test_more_than_was_paid_is_not_refunded(
    client: stripe.StripeClient, paid: stripe.PaymentIntent
) -> None:
    client.v1.refunds.create({"payment_intent": paid.id, "amount": 1000})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": paid.id, "amount": 1001})
    assert refused.value.user_message == (
        "Refund amount ($10.01) is greater than unrefunded amount on charge ($10.00)"
    )
    assert (refused.value.http_status, refused.value.param) == (400, "amount")
    assert charge_of(client, paid).amount_refunded == 1000


def test_refunded_charge_is_not_refunded_again(
    client: stripe.StripeClient, paid: stripe.PaymentIntent
) -> None:
    client.v1.refunds.create({"payment_intent": paid.id})
    with pytest.raises(stripe.InvalidRequestError, match="already been refunded") as refused:
        client.v1.refunds.create({"payment_intent": paid.id})
    assert refused.value.code == "charge_already_refunded"
    assert len(client.v1.refunds.list({"payment_intent": paid.id}).data) == 1


@pytest.mark.parametrize(
    ("parameters", "code", "status"),
    [
        ({}, "parameter_missing", 400),
        ({"payment_intent": "pi_no"}, "resource_missing", 404),
        ({"charge": "ch_no"}, "resource_missing", 404),
        ({"charge": "ch_no", "amount": 0}, "parameter_invalid_integer", 400),
        ({"charge": "ch_no", "reason": "expired_uncaptured_charge"}, None, 400),
    ],
)
def test_bad_refund_is_refused(
    client: stripe.StripeClient, parameters: Any, code: str | None, status: int
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create(parameters)
    assert (refused.value.code, refused.value.http_status) == (code, status)


def test_unpaid_intent_is_not_refunded(client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create({"amount": 2000, "currency": "usd"})
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        client.v1.refunds.create({"payment_intent": intent.id})


def test_failed_charge_is_not_refunded(api: Api, client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError) as declined:
        api.paid(card="pm_card_chargeDeclined")
    charge_id = error_of(declined)["charge"]
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        client.v1.refunds.create({"charge": charge_id})


def test_refund_takes_metadata_later(
    client: stripe.StripeClient, paid: stripe.PaymentIntent
) -> None:
    refund = client.v1.refunds.create({"payment_intent": paid.id})
    changed = client.v1.refunds.update(refund.id, {"metadata": {"note": "late"}})
    assert changed.to_dict()["metadata"] == {"note": "late"}
    assert types_about(client, refund.id) == [
        "refund.created",
        "refund.updated",
        "charge.refund.updated",
    ]


def test_refund_to_a_card_cannot_be_cancelled(
    client: stripe.StripeClient, paid: stripe.PaymentIntent
) -> None:
    refund = client.v1.refunds.create({"payment_intent": paid.id})
    with pytest.raises(stripe.InvalidRequestError, match="cannot cancel a refund"):
        client.v1.refunds.cancel(refund.id)
    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"


def test_charge_shows_its_refunds_on_request(
    client: stripe.StripeClient, paid: stripe.PaymentIntent
) -> None:
    refund = client.v1.refunds.create({"payment_intent": paid.id, "amount": 500})
    plain = client.v1.charges.retrieve(str(paid.latest_charge))
    assert "refunds" not in plain.to_dict()
    expanded = client.v1.charges.retrieve(str(paid.latest_charge), {"expand": ["refunds"]})
    assert expanded.refunds is not None
    assert [shown.id for shown in expanded.refunds.data] == [refund.id]
    more = client.raw_request("get", f"/v1/charges/{paid.latest_charge}/refunds?limit=5")
    assert refund.id in str(more.data)


def test_refund_of_a_slow_card_is_pending_at_first(api: Api, client: stripe.StripeClient) -> None:
    intent = api.paid(card="pm_card_pendingRefund")
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    assert charge_of(client, intent).refunded
    settled = api.control("POST", f"refunds/{refund.id}/settle", {"outcome": "succeeded"})
    assert settled["status"] == "succeeded"
    assert "pending_reason" not in client.v1.refunds.retrieve(refund.id).to_dict()
    assert types_about(client, refund.id) == [
        "refund.created",
        "refund.updated",
        "charge.refund.updated",
    ]


@pytest.mark.parametrize("card", ["pm_card_pendingRefund", "pm_card_refundFail"])
def test_failed_refund_returns_the_money(api: Api, client: stripe.StripeClient, card: str) -> None:
    intent = api.paid(card=card)
    refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    settled = api.control("POST", f"refunds/{refund.id}/settle", {"outcome": "failed"})
    assert settled["status"] == "failed"
    failed = client.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    charge = charge_of(client, intent)
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    booked = client.v1.balance_transactions.list({"source": refund.id}).data
    assert [(entry.type, entry.net) for entry in booked] == [
        ("refund_failure", 500),
        ("refund", -500),
    ]
    assert failed.failure_balance_transaction == booked[0].id
    assert types_about(client, refund.id) == [
        "refund.created",
        "refund.updated",
        "charge.refund.updated",
        "refund.failed",
    ]


def test_refund_that_fails_later_has_succeeded_at_first(
    api: Api, client: stripe.StripeClient
) -> None:
    intent = api.paid(card="pm_card_refundFail")
    assert client.v1.refunds.create({"payment_intent": intent.id}).status == "succeeded"


def test_failed_refund_has_failed_for_good(api: Api, client: stripe.StripeClient) -> None:
    refund = client.v1.refunds.create({"payment_intent": api.paid().id})
    api.control("POST", f"refunds/{refund.id}/settle", {"outcome": "failed"})
    with pytest.raises(httpx.HTTPStatusError) as refused:
        api.control("POST", f"refunds/{refund.id}/settle", {"outcome": "succeeded"})
    assert refused.value.response.status_code == 400
    assert client.v1.refunds.retrieve(refund.id).status == "failed"


def test_charge_can_be_refunded_again_after_a_failure(
    api: Api, client: stripe.StripeClient, paid: stripe.PaymentIntent
) -> None:
    refund = client.v1.refunds.create({"payment_intent": paid.id})
    api.control("POST", f"refunds/{refund.id}/settle", {"outcome": "failed"})
    assert client.v1.refunds.create({"payment_intent": paid.id}).amount == 2000


@pytest.mark.parametrize(
    ("card", "outcome"),
    [("pm_card_pendingRefund", "succeeded"), ("pm_card_refundFail", "failed")],
)
def test_slow_refund_settles_by_itself(
    stage: Stage, tmp_path: Path, card: str, outcome: str
) -> None:
    state = tmp_path / "stripe.sqlite"
    with stage.play(state) as api:
        intent = api.paid(card=card)
        refund = api.client().v1.refunds.create({"payment_intent": intent.id})
    store = Store(state)
    timers.run_due(store, TIMER_ACTIONS, clock.now() + clock.DAY)
    with store.transaction() as tx:
        assert (tx.get(refund.id) or {})["status"] == outcome
    store.close()
