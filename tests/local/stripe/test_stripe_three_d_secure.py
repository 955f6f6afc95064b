"""3-D Secure: the payment waits until its holder has proved who they are, or failed to."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import stripe

from tests.local.stripe.stripe_harness import Api, error_of

RETURN_URL = "https://shop.example.com/thanks?order=42"


def authenticate(api: Api, intent_id: str, outcome: str) -> Any:
    """Finish the authentication of an intent through the control door."""
    return api.control("POST", f"payment_intents/{intent_id}/authenticate", {"outcome": outcome})


@pytest.mark.parametrize(
    "card", ["pm_card_authenticationRequired", "pm_card_threeDSecure2Required"]
)
def test_payment_waits_for_authentication(api: Api, card: str) -> None:
    waiting = api.paid(card=card)
    assert (waiting.status, waiting.latest_charge) == ("requires_action", None)
    assert waiting.next_action.type == "use_stripe_sdk"
    event = api.client().v1.events.list({"type": "payment_intent.requires_action"}).data[0]
    assert event.data.object["id"] == waiting.id


def test_payment_with_a_return_url_redirects_to_the_bank(api: Api) -> None:
    waiting = api.paid(card="pm_card_authenticationRequired", return_url=RETURN_URL)
    redirect = waiting.next_action.redirect_to_url
    assert (waiting.next_action.type, redirect.return_url) == ("redirect_to_url", RETURN_URL)
    assert redirect.url.startswith(api.url)


def test_authenticated_payment_succeeds(api: Api) -> None:
    waiting = api.paid(card="pm_card_authenticationRequired")
    authenticate(api, waiting.id, "succeed")
    paid = api.client().v1.payment_intents.retrieve(waiting.id, {"expand": ["latest_charge"]})
    assert (paid.status, paid.next_action, paid.amount_received) == ("succeeded", None, 2000)
    assert isinstance(paid.latest_charge, stripe.Charge)
    card = paid.latest_charge.to_dict()["payment_method_details"]["card"]
    assert card["three_d_secure"]["result"] == "authenticated"


def test_failed_authentication_asks_for_another_card(api: Api) -> None:
    waiting = api.paid(card="pm_card_authenticationRequired")
    authenticate(api, waiting.id, "fail")
    failed = api.client().v1.payment_intents.retrieve(waiting.id)
    assert (failed.status, failed.payment_method, failed.latest_charge) == (
        "requires_payment_method",
        None,
        None,
    )
    assert failed.last_payment_error is not None
    assert failed.last_payment_error.code == "payment_intent_authentication_failure"
    event = api.client().v1.events.list({"type": "payment_intent.payment_failed"}).data[0]
    assert event.data.object["id"] == waiting.id
    paid = api.client().v1.payment_intents.confirm(waiting.id, {"payment_method": "pm_card_visa"})
    assert paid.status == "succeeded"


@pytest.mark.parametrize(
    ("card", "decline_code"),
    [
        ("pm_card_threeDSecureRequiredChargeDeclined", "generic_decline"),
        (
            "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
            "insufficient_funds",
        ),
    ],
)
def test_authenticated_card_may_still_be_declined(api: Api, card: str, decline_code: str) -> None:
    waiting = api.paid(card=card)
    assert waiting.status == "requires_action"
    declined = authenticate(api, waiting.id, "succeed")
    assert declined["status"] == "requires_payment_method"
    assert declined["last_payment_error"]["decline_code"] == decline_code


def test_payment_without_its_holder_is_declined(api: Api) -> None:
    with pytest.raises(stripe.CardError) as declined:
        api.paid(card="pm_card_authenticationRequired", off_session=True)
    assert declined.value.code == "authentication_required"
    assert error_of(declined)["decline_code"] == "authentication_required"
    intent = error_of(declined)["payment_intent"]
    assert intent["status"] == "requires_payment_method"


def test_payment_that_must_not_wait_is_declined(api: Api) -> None:
    with pytest.raises(stripe.CardError, match="`error_on_requires_action` was set") as declined:
        api.paid(card="pm_card_authenticationRequired", error_on_requires_action=True)
    assert declined.value.code == "authentication_required"
    assert error_of(declined)["decline_code"] == "authentication_not_handled"


def test_card_that_was_set_up_needs_no_authentication_later(api: Api) -> None:
    client = api.client()
    customer = client.v1.customers.create({})
    first = api.paid(
        card="pm_card_authenticationRequiredOnSetup",
        customer=customer.id,
        setup_future_usage="off_session",
    )
    assert first.status == "requires_action"
    authenticate(api, first.id, "succeed")
    (saved,) = client.v1.customers.payment_methods.list(customer.id).data
    later = api.paid(card=saved.id, customer=customer.id, off_session=True)
    assert later.status == "succeeded"


@pytest.mark.parametrize(
    ("request_it", "status"), [("automatic", "succeeded"), ("any", "requires_action")]
)
def test_optional_authentication_happens_on_request(api: Api, request_it: str, status: str) -> None:
    options = {"card": {"request_three_d_secure": request_it}}
    paid = api.paid(card="pm_card_threeDSecureOptional", payment_method_options=options)
    assert paid.status == status


def test_manual_confirmation_gives_the_server_the_last_word(api: Api) -> None:
    waiting = api.paid(card="pm_card_authenticationRequired", confirmation_method="manual")
    authenticated = authenticate(api, waiting.id, "succeed")
    assert (authenticated["status"], authenticated["latest_charge"]) == (
        "requires_confirmation",
        None,
    )
    paid = api.client().v1.payment_intents.confirm(waiting.id)
    assert paid.status == "succeeded"


def test_waiting_payment_can_be_cancelled(api: Api) -> None:
    waiting = api.paid(card="pm_card_authenticationRequired")
    cancelled = api.client().v1.payment_intents.cancel(waiting.id)
    assert (cancelled.status, cancelled.next_action) == ("canceled", None)


def test_payment_that_does_not_wait_cannot_be_authenticated(api: Api) -> None:
    paid = api.paid()
    with pytest.raises(httpx.HTTPStatusError) as refused:
        authenticate(api, paid.id, "succeed")
    assert refused.value.response.status_code == 409
    assert len(api.client().v1.charges.list({"payment_intent": paid.id}).data) == 1


@pytest.mark.parametrize(
    ("outcome", "status"), [("succeed", "succeeded"), ("fail", "requires_payment_method")]
)
def test_banks_page_decides_and_sends_the_customer_back(
    api: Api, outcome: str, status: str
) -> None:
    waiting = api.paid(card="pm_card_authenticationRequired", return_url=RETURN_URL)
    page = httpx.get(waiting.next_action.redirect_to_url.url)
    assert page.is_success
    assert "$20.00" in page.text
    assert page.text.count("<button") == 2
    answer = httpx.post(str(page.url), data={"outcome": outcome})
    assert answer.status_code == 303
    back = urlsplit(answer.headers["Location"])
    assert back.hostname == "shop.example.com"
    assert parse_qs(back.query) == {
        "order": ["42"],
        "payment_intent": [waiting.id],
        "payment_intent_client_secret": [waiting.client_secret],
        "source_type": ["card"],
    }
    assert api.client().v1.payment_intents.retrieve(waiting.id).status == status


def test_banks_page_without_a_return_url_says_thank_you(api: Api) -> None:
    waiting = api.paid(card="pm_card_authenticationRequired")
    page = waiting.next_action.to_dict()["use_stripe_sdk"]["stripe_js"]
    assert "Thank you" in httpx.post(page, data={"outcome": "succeed"}).text
    assert api.client().v1.payment_intents.retrieve(waiting.id).status == "succeeded"


def test_banks_page_is_closed_to_strangers(api: Api) -> None:
    waiting = api.paid(card="pm_card_authenticationRequired", return_url=RETURN_URL)
    page = waiting.next_action.redirect_to_url.url.replace(waiting.client_secret, "guess")
    assert httpx.get(page).status_code == 404
    assert httpx.post(page, data={"outcome": "succeed"}).status_code == 404
    assert api.client().v1.payment_intents.retrieve(waiting.id).status == "requires_action"
