"""PaymentIntents: created, changed, confirmed, cancelled; what each status allows."""

from typing import Any

import pytest
import stripe

from tests.local.stripe.stripe_harness import (
    PUBLISHABLE_KEY,
    Api,
    error_of,
    events_about,
    order,
    types_about,
)


@pytest.fixture
def intent(client: stripe.StripeClient) -> stripe.PaymentIntent:
    """Return a new intent that waits for a payment method."""
    return client.v1.payment_intents.create(order())


def test_new_intent_waits_for_a_payment_method(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({})
    made = client.v1.payment_intents.create(
        order(
            customer=customer.id,
            description="Order 42",
            metadata={"order": "42"},
            receipt_email="ada@example.com",
            setup_future_usage="off_session",
            statement_descriptor_suffix="ORDER42",
            transfer_group="order-42",
        )
    )
    kept = client.v1.payment_intents.retrieve(made.id)
    assert kept.to_dict() == made.to_dict()
    assert (kept.status, kept.amount, kept.amount_received) == (
        "requires_payment_method",
        2000,
        0,
    )
    assert (kept.customer, kept.description, kept.transfer_group) == (
        customer.id,
        "Order 42",
        "order-42",
    )
    assert kept.client_secret is not None
    assert kept.client_secret.startswith(f"{kept.id}_secret_")
    assert types_about(client, kept.id) == ["payment_intent.created"]


def test_stripe_chooses_methods_unless_they_are_listed(client: stripe.StripeClient) -> None:
    made = client.v1.payment_intents.create({"amount": 2000, "currency": "usd"}).to_dict()
    assert made["automatic_payment_methods"] == {"allow_redirects": "always", "enabled": True}
    assert made["payment_method_types"] == ["card"]
    listed = client.v1.payment_intents.create(
        order(allowed_payment_method_types=["paypal", "card"])
    ).to_dict()
    assert listed["automatic_payment_methods"] is None
    assert listed["allowed_payment_method_types"] == ["paypal", "card"]
    assert listed["payment_method_types"] == ["card"]


def test_choice_by_stripe_can_be_declined(client: stripe.StripeClient) -> None:
    made = client.v1.payment_intents.create(
        {"amount": 2000, "currency": "usd", "automatic_payment_methods": {"enabled": False}}
    )
    assert made.automatic_payment_methods is None


def test_new_api_versions_do_not_take_payment_method_types(client: stripe.StripeClient) -> None:
    parameters: Any = {"amount": 2000, "currency": "usd", "payment_method_types": ["card"]}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create(parameters)
    assert refused.value.code == "payment_method_types_no_longer_supported"


@pytest.mark.parametrize("version", [{}, {"Stripe-Version": "2026-08-26.dahlia"}])
def test_old_api_versions_take_payment_method_types(api: Api, version: dict[str, str]) -> None:
    form = "amount=2000&currency=usd&payment_method_types[]=card"
    made = api.http("POST", "/v1/payment_intents", form, **version).json()
    assert (made["automatic_payment_methods"], made["payment_method_types"]) == (None, ["card"])
    unknown = api.http("POST", "/v1/payment_intents", form.replace("card", "gold"), **version)
    assert unknown.json()["error"]["param"] == "payment_method_types[0]"


def test_capture_is_automatic_and_asynchronous_by_default(intent: stripe.PaymentIntent) -> None:
    assert intent.capture_method == "automatic_async"


@pytest.mark.parametrize(
    ("parameters", "code", "param"),
    [
        ({"currency": "usd"}, "parameter_missing", "amount"),
        ({"amount": 2000}, "parameter_missing", "currency"),
        ({"amount": 49, "currency": "usd"}, "amount_too_small", "amount"),
        ({"amount": 100_000_000, "currency": "usd"}, "amount_too_large", "amount"),
        ({"amount": 0, "currency": "usd"}, "parameter_invalid_integer", "amount"),
        ({"amount": 2000, "currency": "zzz"}, None, "currency"),
        (order(payment_method="pm_no"), "resource_missing", "payment_method"),
        (
            order(allowed_payment_method_types=["paypal"]),
            None,
            "allowed_payment_method_types",
        ),
        (order(return_url="https://example.com"), None, "return_url"),
        (order(off_session=True), None, "off_session"),
        (
            order(automatic_payment_methods={"enabled": True}),
            None,
            "automatic_payment_methods",
        ),
    ],
)
def test_bad_intent_is_not_made(
    client: stripe.StripeClient, parameters: Any, code: str | None, param: str
) -> None:
    newest = client.v1.payment_intents.list({"limit": 1}).data
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create(parameters)
    assert refused.value.http_status == 400
    assert (refused.value.code, refused.value.param) == (code, param)
    assert client.v1.payment_intents.list({"limit": 1}).data == newest


def test_smallest_amount_is_told_in_the_currency(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=r"at least £0\.30 gbp"):
        client.v1.payment_intents.create({"amount": 29, "currency": "gbp"})


def test_confirmed_intent_is_paid(client: stripe.StripeClient) -> None:
    made = client.v1.payment_intents.create(
        order(
            description="Order 42",
            metadata={"order": "42"},
            payment_method="pm_card_visa",
            receipt_email="ada@example.com",
            shipping={"name": "Ada", "address": {"line1": "1 Main St"}},
            statement_descriptor_suffix="ORDER42",
            transfer_group="order-42",
        )
    )
    assert made.status == "requires_confirmation"
    paid = client.v1.payment_intents.confirm(made.id, {"expand": ["latest_charge"]})
    assert (paid.status, paid.amount_received, paid.amount_capturable) == ("succeeded", 2000, 0)
    charge = paid.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.status, charge.paid, charge.captured, charge.disputed) == (
        "succeeded",
        True,
        True,
        False,
    )
    assert (charge.amount, charge.amount_captured, charge.amount_refunded) == (2000, 2000, 0)
    assert charge.to_dict()["metadata"] == {"order": "42"}
    assert (charge.description, charge.receipt_email, charge.transfer_group) == (
        "Order 42",
        "ada@example.com",
        "order-42",
    )
    assert charge.calculated_statement_descriptor == "RIDENDINE* ORDER42"
    assert charge.receipt_url is not None
    assert charge.outcome is not None
    assert charge.outcome.type == "authorized"
    assert types_about(client, made.id) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.updated",
    ]


def test_asynchronous_capture_books_the_money_after_the_fact(
    api: Api, client: stripe.StripeClient
) -> None:
    paid = api.paid()
    succeeded, updated = events_about(client, str(paid.latest_charge))
    assert succeeded["data"]["object"]["balance_transaction"] is None
    assert updated["data"]["object"]["balance_transaction"].startswith("txn_")
    assert updated["data"]["previous_attributes"] == {"balance_transaction": None}


def test_synchronous_capture_books_the_money_at_once(api: Api, client: stripe.StripeClient) -> None:
    paid = api.paid(capture_method="automatic")
    (succeeded,) = events_about(client, str(paid.latest_charge))
    assert succeeded["data"]["object"]["balance_transaction"].startswith("txn_")


def test_payment_method_is_given_on_confirmation(
    client: stripe.StripeClient, intent: stripe.PaymentIntent
) -> None:
    paid = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert paid.status == "succeeded"
    method = client.v1.payment_methods.retrieve(str(paid.payment_method))
    assert method.customer is None


def test_payment_method_is_made_on_confirmation(
    client: stripe.StripeClient, intent: stripe.PaymentIntent
) -> None:
    data: Any = {"type": "card", "card": {"token": "tok_mastercard"}}
    paid = client.v1.payment_intents.confirm(
        intent.id, {"payment_method_data": data, "expand": ["payment_method"]}
    )
    assert isinstance(paid.payment_method, stripe.PaymentMethod)
    assert paid.payment_method.card is not None
    assert paid.payment_method.card.brand == "mastercard"


def test_confirmation_without_a_payment_method_is_refused(
    client: stripe.StripeClient, intent: stripe.PaymentIntent
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method") as refused:
        client.v1.payment_intents.confirm(intent.id)
    error = error_of(refused)
    assert error["code"] == "payment_intent_unexpected_state"
    assert error["payment_intent"]["id"] == intent.id


def test_confirmation_wants_a_return_url_if_methods_may_redirect(
    client: stripe.StripeClient,
) -> None:
    parameters: Any = {
        "amount": 2000,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "confirm": True,
    }
    newest = client.v1.payment_intents.list({"limit": 1}).data
    with pytest.raises(stripe.InvalidRequestError, match="you must provide a `return_url`"):
        client.v1.payment_intents.create(parameters)
    assert client.v1.payment_intents.list({"limit": 1}).data == newest
    for remedy in (
        {"return_url": "https://example.com/thanks"},
        {"automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}},
        {"allowed_payment_method_types": ["card"]},
    ):
        paid = client.v1.payment_intents.create(parameters | remedy)
        assert paid.status == "succeeded"


def test_decline_leaves_the_intent_open_for_another_card(
    client: stripe.StripeClient, intent: stripe.PaymentIntent
) -> None:
    declined_card = "pm_card_visa_chargeDeclinedInsufficientFunds"
    with pytest.raises(stripe.CardError) as declined:
        client.v1.payment_intents.confirm(intent.id, {"payment_method": declined_card})
    error = error_of(declined)
    open_intent = client.v1.payment_intents.retrieve(intent.id)
    assert error["payment_intent"] == open_intent.to_dict()
    assert (open_intent.status, open_intent.payment_method) == ("requires_payment_method", None)
    assert open_intent.latest_charge == error["charge"]
    assert open_intent.last_payment_error is not None
    assert open_intent.last_payment_error.decline_code == "insufficient_funds"
    assert open_intent.last_payment_error.payment_method is not None
    paid = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert (paid.status, paid.last_payment_error) == ("succeeded", None)
    assert types_about(client, intent.id) == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.updated",
    ]
    charges = client.v1.charges.list({"payment_intent": intent.id}).data
    assert [charge.status for charge in charges] == ["succeeded", "failed"]


def test_intent_that_is_declined_at_once_exists(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError) as declined:
        client.v1.payment_intents.create(
            order(payment_method="pm_card_chargeDeclined", confirm=True)
        )
    made = error_of(declined)["payment_intent"]
    assert client.v1.payment_intents.retrieve(made["id"]).to_dict() == made


def test_open_intent_can_be_changed(
    client: stripe.StripeClient, intent: stripe.PaymentIntent
) -> None:
    customer = client.v1.customers.create({})
    changed = client.v1.payment_intents.update(
        intent.id,
        {
            "amount": 3000,
            "customer": customer.id,
            "description": "Order 43",
            "metadata": {"order": "43"},
            "transfer_group": "order-43",
            "payment_method": "pm_card_visa",
        },
    )
    assert (changed.amount, changed.customer, changed.transfer_group, changed.status) == (
        3000,
        customer.id,
        "order-43",
        "requires_confirmation",
    )
    paid = client.v1.payment_intents.confirm(intent.id)
    assert paid.amount_received == 3000


def test_changed_amount_must_not_be_too_small(
    client: stripe.StripeClient, intent: stripe.PaymentIntent
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.update(intent.id, {"amount": 49})
    assert refused.value.code == "amount_too_small"
    assert client.v1.payment_intents.retrieve(intent.id).amount == 2000


def test_paid_intent_keeps_its_amount_but_not_its_metadata(
    api: Api, client: stripe.StripeClient
) -> None:
    paid = api.paid()
    changed = client.v1.payment_intents.update(
        paid.id, {"metadata": {"note": "late"}, "description": "later"}
    )
    assert changed.description == "later"
    with pytest.raises(stripe.InvalidRequestError, match="amount could not be updated") as refused:
        client.v1.payment_intents.update(paid.id, {"amount": 3000, "metadata": {"note": "no"}})
    assert refused.value.code == "payment_intent_unexpected_state"
    kept = client.v1.payment_intents.retrieve(paid.id)
    assert (kept.amount, kept.to_dict()["metadata"]) == (2000, {"note": "late"})


def test_transfer_group_is_set_once(client: stripe.StripeClient) -> None:
    made = client.v1.payment_intents.create(order(transfer_group="order-42"))
    client.v1.payment_intents.update(made.id, {"transfer_group": "order-42"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.update(made.id, {"transfer_group": "order-43"})
    assert refused.value.param == "transfer_group"
    assert client.v1.payment_intents.retrieve(made.id).transfer_group == "order-42"


def test_paid_intent_is_not_paid_twice(api: Api, client: stripe.StripeClient) -> None:
    paid = api.paid()
    with pytest.raises(stripe.InvalidRequestError, match="already succeeded") as refused:
        client.v1.payment_intents.confirm(paid.id, {"payment_method": "pm_card_visa"})
    assert refused.value.code == "payment_intent_unexpected_state"
    assert len(client.v1.charges.list({"payment_intent": paid.id}).data) == 1


def test_open_intent_is_cancelled(
    client: stripe.StripeClient, intent: stripe.PaymentIntent
) -> None:
    cancelled = client.v1.payment_intents.cancel(
        intent.id, {"cancellation_reason": "requested_by_customer"}
    )
    assert (cancelled.status, cancelled.cancellation_reason) == (
        "canceled",
        "requested_by_customer",
    )
    assert cancelled.canceled_at is not None
    assert types_about(client, intent.id) == [
        "payment_intent.created",
        "payment_intent.canceled",
    ]


@pytest.mark.parametrize("verb", ["cancel", "confirm", "capture"])
def test_cancelled_intent_is_over(
    client: stripe.StripeClient, intent: stripe.PaymentIntent, verb: str
) -> None:
    client.v1.payment_intents.cancel(intent.id)
    with pytest.raises(stripe.InvalidRequestError, match="status of canceled") as refused:
        getattr(client.v1.payment_intents, verb)(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"


def test_paid_intent_cannot_be_cancelled(api: Api, client: stripe.StripeClient) -> None:
    paid = api.paid()
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded") as refused:
        client.v1.payment_intents.cancel(paid.id)
    assert refused.value.code == "payment_intent_unexpected_state"
    assert client.v1.payment_intents.retrieve(paid.id).status == "succeeded"


def test_intents_are_listed_by_customer(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({})
    mine = [client.v1.payment_intents.create(order(customer=customer.id)).id for _ in range(2)]
    client.v1.payment_intents.create(order())
    listed = client.v1.payment_intents.list({"customer": customer.id}).data
    assert [intent.id for intent in listed] == mine[::-1]


def test_card_is_saved_for_later_if_the_intent_says_so(
    api: Api, client: stripe.StripeClient
) -> None:
    customer = client.v1.customers.create({})
    paid = api.paid(customer=customer.id, setup_future_usage="off_session")
    (saved,) = client.v1.customers.payment_methods.list(customer.id).data
    assert saved.id == paid.payment_method
    later = api.paid(card=saved.id, customer=customer.id, off_session=True)
    assert later.status == "succeeded"


def test_browser_sees_its_intent_and_not_the_merchants_business(
    api: Api, client: stripe.StripeClient
) -> None:
    made = client.v1.payment_intents.create(order(metadata={"margin": "40"}))
    browser = api.client(PUBLISHABLE_KEY)
    secret = str(made.client_secret)
    seen = browser.v1.payment_intents.retrieve(made.id, {"client_secret": secret}).to_dict()
    assert seen["amount"] == 2000
    assert seen.keys().isdisjoint({"metadata", "customer", "latest_charge", "transfer_group"})


def test_browser_confirms_its_intent(api: Api, client: stripe.StripeClient) -> None:
    made = client.v1.payment_intents.create(order())
    shown: Any = {"client_secret": made.client_secret, "payment_method": "pm_card_visa"}
    paid = api.client(PUBLISHABLE_KEY).v1.payment_intents.confirm(made.id, shown)
    assert (paid.status, "metadata" in paid.to_dict()) == ("succeeded", False)
    assert client.v1.payment_intents.retrieve(made.id).status == "succeeded"


def test_browser_is_told_of_a_decline_without_the_merchants_business(
    api: Api, intent: stripe.PaymentIntent
) -> None:
    shown: Any = {
        "client_secret": intent.client_secret,
        "payment_method": "pm_card_chargeDeclined",
    }
    with pytest.raises(stripe.CardError) as declined:
        api.client(PUBLISHABLE_KEY).v1.payment_intents.confirm(intent.id, shown)
    assert "metadata" not in error_of(declined)["payment_intent"]


@pytest.mark.parametrize("secret", [None, "pi_1_secret_wrong"])
def test_browser_without_the_client_secret_gets_nothing(
    api: Api, client: stripe.StripeClient, intent: stripe.PaymentIntent, secret: str | None
) -> None:
    browser = api.client(PUBLISHABLE_KEY)
    shown: Any = {} if secret is None else {"client_secret": secret}
    for attempt in (browser.v1.payment_intents.retrieve, browser.v1.payment_intents.confirm):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            attempt(intent.id, shown)
        assert refused.value.param == "client_secret"
    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_payment_method"


@pytest.mark.parametrize("verb", ["update", "cancel", "capture"])
def test_browser_may_only_retrieve_and_confirm(
    api: Api, intent: stripe.PaymentIntent, verb: str
) -> None:
    with pytest.raises(stripe.PermissionError):
        getattr(api.client(PUBLISHABLE_KEY).v1.payment_intents, verb)(intent.id)
