"""Saved cards: kept with a first payment, charged again while the customer is away."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.local.stripe.stripe_harness import (
    PUBLISHABLE_KEY,
    Api,
    Stage,
    error_of,
    order,
    types_about,
)

FOR_LATER: Any = {"setup_future_usage": "off_session"}


@pytest.fixture
def customer(client: stripe.StripeClient) -> stripe.Customer:
    """Return a new customer."""
    return client.v1.customers.create({})


def saved_by(client: stripe.StripeClient, customer: stripe.Customer) -> list[str]:
    """Return the ids of the cards that a customer saved."""
    return [method.id for method in client.v1.customers.payment_methods.list(customer.id).data]


def test_browser_saves_a_card_that_it_makes(
    api: Api, client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    intent = client.v1.payment_intents.create(order(customer=customer.id, **FOR_LATER))
    browser = api.client(PUBLISHABLE_KEY)
    card: Any = {"number": "5555555555554444", "cvc": "123", "exp_month": 1}
    card["exp_year"] = datetime.now(UTC).year + 1
    made = browser.v1.payment_methods.create({"type": "card", "card": card})
    shown: Any = {"client_secret": intent.client_secret, "payment_method": made.id}
    assert browser.v1.payment_intents.confirm(intent.id, shown).status == "succeeded"
    assert saved_by(client, customer) == [made.id]
    assert "payment_method.attached" in types_about(client, made.id)
    later = api.paid(700, made.id, customer=customer.id, off_session=True)
    assert (later.status, later.amount_received, later.payment_method) == (
        "succeeded",
        700,
        made.id,
    )


def test_browser_saves_a_test_card(
    api: Api, client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    intent = client.v1.payment_intents.create(order(customer=customer.id, **FOR_LATER))
    shown: Any = {"client_secret": intent.client_secret, "payment_method": "pm_card_visa"}
    paid = api.client(PUBLISHABLE_KEY).v1.payment_intents.confirm(intent.id, shown)
    assert saved_by(client, customer) == [paid.payment_method]


def test_browser_may_choose_to_save_on_confirmation(
    api: Api, client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    intent = client.v1.payment_intents.create(order(customer=customer.id))
    shown: Any = {"client_secret": intent.client_secret, "payment_method": "pm_card_visa"}
    paid = api.client(PUBLISHABLE_KEY).v1.payment_intents.confirm(intent.id, shown | FOR_LATER)
    assert saved_by(client, customer) == [paid.payment_method]


def test_browser_may_not_look_at_saved_cards(api: Api, customer: stripe.Customer) -> None:
    browser = api.client(PUBLISHABLE_KEY)
    with pytest.raises(stripe.PermissionError):
        browser.v1.customers.payment_methods.list(customer.id)
    with pytest.raises(stripe.PermissionError):
        browser.v1.payment_methods.retrieve("pm_card_visa")


def test_card_is_saved_only_if_asked(
    api: Api, client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    api.paid(customer=customer.id)
    assert saved_by(client, customer) == []


def test_declined_card_is_not_saved(
    api: Api, client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    with pytest.raises(stripe.CardError):
        api.paid(card="pm_card_chargeDeclined", customer=customer.id, **FOR_LATER)
    assert saved_by(client, customer) == []


def test_card_is_saved_once_its_holder_is_authenticated(
    api: Api, client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    waiting = api.paid(card="pm_card_authenticationRequired", customer=customer.id, **FOR_LATER)
    assert saved_by(client, customer) == []
    api.control("POST", f"payment_intents/{waiting.id}/authenticate", {"outcome": "succeed"})
    assert saved_by(client, customer) == [waiting.payment_method]


def test_card_kept_without_a_customer_can_be_saved_afterwards(
    api: Api, client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    paid = api.paid(**FOR_LATER)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        api.paid(card=paid.payment_method)
    client.v1.payment_methods.attach(paid.payment_method, {"customer": customer.id})
    later = api.paid(card=paid.payment_method, customer=customer.id, off_session=True)
    assert later.status == "succeeded"
    client.v1.payment_methods.detach(paid.payment_method)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        client.v1.payment_methods.attach(paid.payment_method, {"customer": customer.id})


def test_customers_card_is_shown_to_be_theirs(
    client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    saved = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    shown = client.v1.customers.payment_methods.retrieve(customer.id, saved.id)
    assert shown.to_dict() == saved.to_dict()
    stranger = client.v1.customers.create({})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.customers.payment_methods.retrieve(stranger.id, saved.id)
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


@pytest.fixture
def cautious(api: Api, client: stripe.StripeClient, customer: stripe.Customer) -> str:
    """Return a saved card whose bank wants its holder at every payment."""
    first = api.paid(card="pm_card_authenticationRequired", customer=customer.id, **FOR_LATER)
    api.control("POST", f"payment_intents/{first.id}/authenticate", {"outcome": "succeed"})
    (saved,) = saved_by(client, customer)
    return saved


def test_card_that_wants_its_holder_is_not_charged_in_their_absence(
    api: Api, client: stripe.StripeClient, customer: stripe.Customer, cautious: str
) -> None:
    with pytest.raises(stripe.CardError) as declined:
        api.paid(500, cautious, customer=customer.id, off_session=True)
    error = error_of(declined)
    assert (declined.value.http_status, error["code"]) == (402, "authentication_required")
    assert error["payment_method"]["id"] == cautious
    intent = client.v1.payment_intents.retrieve(error["payment_intent"]["id"])
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == "authentication_required"
    assert types_about(client, intent.id) == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
    ]


def test_holder_comes_back_and_pays_what_was_declined(
    api: Api, client: stripe.StripeClient, customer: stripe.Customer, cautious: str
) -> None:
    with pytest.raises(stripe.CardError) as declined:
        api.paid(500, cautious, customer=customer.id, off_session=True)
    intent = error_of(declined)["payment_intent"]
    shown: Any = {"client_secret": intent["client_secret"], "payment_method": cautious}
    waiting = api.client(PUBLISHABLE_KEY).v1.payment_intents.confirm(intent["id"], shown)
    assert waiting.status == "requires_action"
    api.control("POST", f"payment_intents/{waiting.id}/authenticate", {"outcome": "succeed"})
    paid = client.v1.payment_intents.retrieve(waiting.id)
    assert (paid.status, paid.amount_received) == ("succeeded", 500)


def test_saved_card_may_fail_at_the_second_charge(
    api: Api, client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    saved = client.v1.payment_methods.attach(
        "pm_card_chargeCustomerFail", {"customer": customer.id}
    )
    with pytest.raises(stripe.CardError) as declined:
        api.paid(card=saved.id, customer=customer.id, off_session=True)
    assert declined.value.code == "card_declined"
    assert error_of(declined)["payment_intent"]["status"] == "requires_payment_method"
    assert saved_by(client, customer) == [saved.id]


def test_nothing_is_set_up_in_the_holders_absence(
    api: Api, client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    saved = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    with pytest.raises(stripe.InvalidRequestError, match="cannot set up future usages"):
        api.paid(card=saved.id, customer=customer.id, off_session=True, **FOR_LATER)
    assert client.v1.charges.list({"customer": customer.id}).data == []


@pytest.mark.parametrize(
    ("card", "status"), [("pm_card_visa", 200), ("pm_card_chargeCustomerFail", 402)]
)
def test_second_charge_happens_once_for_a_key(
    api: Api, client: stripe.StripeClient, customer: stripe.Customer, card: str, status: int
) -> None:
    saved = client.v1.payment_methods.attach(card, {"customer": customer.id})
    form = (
        f"amount=500&currency=usd&customer={customer.id}&payment_method={saved.id}"
        "&off_session=true&confirm=true&allowed_payment_method_types[]=card"
    )
    key = {"Idempotency-Key": f"tip-{saved.id}"}
    first, again = (api.http("POST", "/v1/payment_intents", form, **key) for _ in range(2))
    assert (first.status_code, again.status_code) == (status, status)
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(client.v1.charges.list({"customer": customer.id}).data) == 1


def test_saved_card_outlives_a_restart(stage: Stage, tmp_path: Path) -> None:
    state = tmp_path / "stripe.sqlite"
    with stage.play(state) as api:
        customer = api.client().v1.customers.create({})
        paid = api.paid(
            card="pm_card_authenticationRequiredOnSetup", customer=customer.id, **FOR_LATER
        )
        api.control("POST", f"payment_intents/{paid.id}/authenticate", {"outcome": "succeed"})
    with stage.play(state) as api:
        (saved,) = saved_by(api.client(), customer)
        later = api.paid(card=saved, customer=customer.id, off_session=True)
        assert (later.status, saved) == ("succeeded", paid.payment_method)
