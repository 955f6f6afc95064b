"""Payment methods: made of test cards, saved to customers, used up."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from tests.local.stripe.stripe_harness import Api, events_about

NEXT_YEAR = datetime.now(UTC).year + 1


def card(number: str, **more: Any) -> Any:
    """Return the parameters of a card."""
    details = {"number": number, "exp_month": 12, "exp_year": NEXT_YEAR, "cvc": "123"}
    return {"type": "card", "card": details | more}


@pytest.fixture
def customer(client: stripe.StripeClient) -> stripe.Customer:
    """Return a new customer."""
    return client.v1.customers.create({})


def test_card_is_made_of_a_number(client: stripe.StripeClient) -> None:
    parameters = card("4000 0566 5566 5556")
    parameters["billing_details"] = {"name": "Ada", "address": {"postal_code": "12345"}}
    made = client.v1.payment_methods.create(parameters)
    assert made.card is not None
    assert (made.card.brand, made.card.funding, made.card.last4) == ("visa", "debit", "5556")
    assert (made.card.exp_month, made.card.exp_year) == (12, NEXT_YEAR)
    assert made.billing_details.name == "Ada"
    assert made.customer is None
    kept = client.v1.payment_methods.retrieve(made.id)
    assert kept.to_dict() == made.to_dict()


def test_same_number_has_the_same_fingerprint(client: stripe.StripeClient) -> None:
    first, again, other = (
        client.v1.payment_methods.create(card(number)).card
        for number in ("4242424242424242", "4242424242424242", "5555555555554444")
    )
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_card_is_made_of_a_token(client: stripe.StripeClient) -> None:
    made = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_amex"}})
    assert made.card is not None
    assert (made.card.brand, made.card.last4) == ("amex", "0005")


def test_unknown_token_is_refused(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such token: 'tok_no'"):
        client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_no"}})


def test_test_name_makes_a_new_payment_method_each_time(client: stripe.StripeClient) -> None:
    first = client.v1.payment_methods.retrieve("pm_card_visa")
    second = client.v1.payment_methods.retrieve("pm_card_visa")
    assert first.id != second.id
    assert client.v1.payment_methods.retrieve(first.id).to_dict() == first.to_dict()


@pytest.mark.parametrize(
    ("parameters", "code", "param"),
    [
        (card("4242424242424241"), "incorrect_number", "number"),
        (card("4242 4242 4241"), "incorrect_number", "number"),
        (card("not a number"), "incorrect_number", "number"),
        (card("4242424242424242", exp_month=13), "invalid_expiry_month", "exp_month"),
        (card("4242424242424242", exp_year=2020), "invalid_expiry_year", "exp_year"),
        (card("4242424242424242", cvc="12"), "invalid_cvc", "cvc"),
        (card("4111111111111111"), "card_declined", None),
    ],
)
def test_bad_card_is_a_card_error(
    client: stripe.StripeClient, parameters: Any, code: str, param: str | None
) -> None:
    with pytest.raises(stripe.CardError) as refused:
        client.v1.payment_methods.create(parameters)
    assert (refused.value.http_status, refused.value.code) == (402, code)
    assert refused.value.param == param


@pytest.mark.parametrize("left_out", ["number", "exp_month", "exp_year"])
def test_incomplete_card_is_refused(client: stripe.StripeClient, left_out: str) -> None:
    parameters = card("4242424242424242")
    del parameters["card"][left_out]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_methods.create(parameters)
    assert (refused.value.code, refused.value.param) == ("parameter_missing", f"card[{left_out}]")


def test_attached_method_is_the_customers(
    client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    saved = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    assert saved.customer == customer.id
    again = client.v1.payment_methods.attach(saved.id, {"customer": customer.id})
    assert again.to_dict() == saved.to_dict()
    for listed in (
        client.v1.customers.payment_methods.list(customer.id, {"type": "card"}),
        client.v1.payment_methods.list({"customer": customer.id, "type": "card"}),
    ):
        assert [method.id for method in listed.data] == [saved.id]


def test_attached_method_cannot_go_to_another_customer(
    client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    saved = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    other = client.v1.customers.create({})
    with pytest.raises(stripe.InvalidRequestError, match="already been attached"):
        client.v1.payment_methods.attach(saved.id, {"customer": other.id})
    assert client.v1.payment_methods.retrieve(saved.id).customer == customer.id


def test_detached_method_is_nobodys_for_good(
    client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    saved = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    assert client.v1.payment_methods.detach(saved.id).customer is None
    assert client.v1.customers.payment_methods.list(customer.id).data == []
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        client.v1.payment_methods.attach(saved.id, {"customer": customer.id})
    with pytest.raises(stripe.InvalidRequestError, match="not attached to a customer"):
        client.v1.payment_methods.detach(saved.id)
    attached, detached = events_about(client, saved.id)
    assert (attached["type"], detached["type"]) == (
        "payment_method.attached",
        "payment_method.detached",
    )
    assert detached["data"]["previous_attributes"] == {"customer": customer.id}


def test_card_that_declines_cannot_be_attached(
    client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    with pytest.raises(stripe.CardError, match="insufficient funds"):
        client.v1.payment_methods.attach(
            "pm_card_visa_chargeDeclinedInsufficientFunds", {"customer": customer.id}
        )
    assert client.v1.customers.payment_methods.list(customer.id).data == []


def test_saved_method_can_be_changed(
    client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    saved = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    changed = client.v1.payment_methods.update(
        saved.id,
        {
            "billing_details": {"email": "ada@example.com"},
            "card": {"exp_year": NEXT_YEAR + 2},
            "metadata": {"a": "1"},
        },
    )
    assert changed.billing_details.email == "ada@example.com"
    assert changed.card is not None
    assert (changed.card.exp_year, changed.card.last4) == (NEXT_YEAR + 2, "4242")
    assert changed.to_dict()["metadata"] == {"a": "1"}


def test_method_that_is_not_saved_cannot_be_changed(client: stripe.StripeClient) -> None:
    method = client.v1.payment_methods.create(card("4242424242424242"))
    with pytest.raises(stripe.InvalidRequestError, match="must save this PaymentMethod"):
        client.v1.payment_methods.update(method.id, {"metadata": {"a": "1"}})


def test_method_used_without_a_customer_is_used_up(api: Api, client: stripe.StripeClient) -> None:
    method = client.v1.payment_methods.create(card("4242424242424242"))
    api.paid(card=method.id)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        api.paid(card=method.id)


def test_saved_method_can_be_used_again(
    api: Api, client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    saved = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    for _ in range(2):
        paid = api.paid(card=saved.id, customer=customer.id)
        assert (paid.status, paid.payment_method) == ("succeeded", saved.id)


def test_saved_method_pays_for_its_customer_only(
    api: Api, client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    saved = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    with pytest.raises(stripe.InvalidRequestError, match="belongs to the Customer"):
        api.paid(card=saved.id)
