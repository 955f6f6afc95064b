"""Events: what happened, to what, because of which request."""

from typing import get_args

import pytest
import stripe
from stripe.params import WebhookEndpointCreateParams

from local.stripe.account import API_VERSION
from tests.local.stripe.stripe_harness import Api, events_about


def test_event_is_a_snapshot(api: Api, client: stripe.StripeClient) -> None:
    paid = api.paid()
    client.v1.refunds.create({"payment_intent": paid.id})
    succeeded = next(
        event for event in events_about(client, paid.id) if event["type"] == "charge.succeeded"
    )
    assert succeeded["data"]["object"]["refunded"] is False
    again = client.v1.events.retrieve(succeeded["id"])
    assert again.to_dict() == succeeded


def test_event_tells_version_and_request(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({}, {"idempotency_key": "tells-its-request"})
    (created,) = events_about(client, customer.id)
    assert (created["api_version"], created["livemode"]) == (API_VERSION, False)
    assert created["request"]["idempotency_key"] == "tells-its-request"
    assert customer.last_response is not None
    assert created["request"]["id"] == customer.last_response.request_id


def test_events_are_listed_by_type(fresh: Api) -> None:
    client = fresh.client()
    fresh.paid()
    client.v1.customers.create({})

    def types(**parameters: object) -> list[str]:
        page = client.v1.events.list(parameters)  # type: ignore[arg-type]
        return [event.type for event in page.data]

    assert types(type="charge.succeeded") == ["charge.succeeded"]
    assert types(type="charge.*") == ["charge.updated", "charge.succeeded"]
    assert types(types=["customer.created", "payment_intent.created"]) == [
        "customer.created",
        "payment_intent.created",
    ]
    assert types(type="payout.paid") == []
    assert len(types()) == 5


def test_request_that_is_refused_leaves_no_event(fresh: Api) -> None:
    client = fresh.client()
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.create({"amount": 1, "currency": "usd"})
    assert client.v1.events.list().data == []


def test_every_event_is_of_a_type_that_stripe_has(fresh: Api) -> None:
    client = fresh.client()
    customer = client.v1.customers.create({"payment_method": "pm_card_visa"})
    (saved,) = client.v1.customers.payment_methods.list(customer.id).data
    client.v1.payment_methods.update(saved.id, {"metadata": {"a": "1"}})
    paid = fresh.paid(card="pm_card_pendingRefund")
    refund = client.v1.refunds.create({"payment_intent": paid.id})
    fresh.control("POST", f"refunds/{refund.id}/settle", {"outcome": "failed"})
    client.v1.charges.update(str(paid.latest_charge), {"metadata": {"a": "1"}})
    for _ in range(3):
        held = fresh.paid(capture_method="manual")
    fresh.control("POST", f"authorizations/{held.id}/expire")
    client.v1.payment_intents.cancel(fresh.paid(capture_method="manual").id)
    client.v1.payment_intents.capture(fresh.paid(capture_method="manual").id)
    fresh.paid(card="pm_card_authenticationRequired")
    with pytest.raises(stripe.CardError):
        fresh.paid(card="pm_card_chargeDeclined")
    disputed = fresh.paid(card="pm_card_createDispute")
    (dispute,) = client.v1.disputes.list({"payment_intent": disputed.id}).data
    client.v1.disputes.update(dispute.id, {"metadata": {"a": "1"}})
    fresh.control("POST", f"disputes/{dispute.id}/decide", {"outcome": "won"})
    client.v1.customers.update(customer.id, {"name": "Ada"})
    client.v1.customers.delete(customer.id)
    (listable,) = get_args(WebhookEndpointCreateParams.__annotations__["enabled_events"])
    seen = {event.type for event in client.v1.events.list().auto_paging_iter()}
    assert seen == {
        "charge.captured",
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.dispute.funds_reinstated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.expired",
        "charge.failed",
        "charge.refund.updated",
        "charge.refunded",
        "charge.succeeded",
        "charge.updated",
        "customer.created",
        "customer.deleted",
        "customer.updated",
        "payment_intent.amount_capturable_updated",
        "payment_intent.canceled",
        "payment_intent.created",
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "payment_intent.succeeded",
        "payment_method.attached",
        "payment_method.detached",
        "payment_method.updated",
        "refund.created",
        "refund.failed",
        "refund.updated",
    }
    assert seen <= set(get_args(listable))


def test_charge_update_is_announced(api: Api, client: stripe.StripeClient) -> None:
    charge_id = str(api.paid().latest_charge)
    client.v1.charges.update(charge_id, {"description": "Order 42", "transfer_group": "order-42"})
    *_, updated = events_about(client, charge_id)
    assert updated["type"] == "charge.updated"
    assert updated["data"]["previous_attributes"] == {
        "description": None,
        "transfer_group": None,
    }


def test_charge_keeps_its_transfer_group(api: Api, client: stripe.StripeClient) -> None:
    charge_id = str(api.paid(transfer_group="order-42").latest_charge)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.charges.update(charge_id, {"transfer_group": "order-43"})
    assert refused.value.param == "transfer_group"
