"""The documented test cards: each does what Stripe's documentation says."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from local.stripe import cards
from tests.local.stripe.stripe_harness import Api, error_of

DECLINES = [
    ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
    ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
    ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
    ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
    ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
    (
        "pm_card_visa_chargeDeclinedVelocityLimitExceeded",
        "card_declined",
        "card_velocity_exceeded",
    ),
    ("pm_card_chargeDeclinedFraudulent", "card_declined", "fraudulent"),
    ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
]

BRANDS = [
    ("pm_card_visa", "visa", "credit", "4242"),
    ("pm_card_visa_debit", "visa", "debit", "5556"),
    ("pm_card_mastercard", "mastercard", "credit", "4444"),
    ("pm_card_mastercard_debit", "mastercard", "debit", "8210"),
    ("pm_card_mastercard_prepaid", "mastercard", "prepaid", "5100"),
    ("pm_card_amex", "amex", "credit", "0005"),
    ("pm_card_discover", "discover", "credit", "1117"),
    ("pm_card_diners", "diners", "credit", "0004"),
    ("pm_card_jcb", "jcb", "credit", "0505"),
    ("pm_card_unionpay", "unionpay", "credit", "0005"),
]


@pytest.mark.parametrize(("name", "brand", "funding", "last4"), BRANDS)
def test_card_of_each_brand_pays(api: Api, name: str, brand: str, funding: str, last4: str) -> None:
    paid = api.paid(card=name, expand=["latest_charge"])
    details = paid.latest_charge.payment_method_details.card
    assert paid.status == "succeeded"
    assert (details.brand, details.funding, details.last4) == (brand, funding, last4)


@pytest.mark.parametrize(("name", "code", "decline_code"), DECLINES)
def test_card_is_declined_for_its_reason(api: Api, name: str, code: str, decline_code: str) -> None:
    with pytest.raises(stripe.CardError) as declined:
        api.paid(card=name)
    error = error_of(declined)
    assert (declined.value.http_status, error["type"]) == (402, "card_error")
    assert (error["code"], error["decline_code"]) == (code, decline_code)
    charge = api.client().v1.charges.retrieve(error["charge"])
    assert (charge.status, charge.paid, charge.captured) == ("failed", False, False)
    assert (charge.failure_code, charge.failure_message) == (code, error["message"])


def test_fraud_is_blocked_before_the_bank_is_asked(api: Api) -> None:
    with pytest.raises(stripe.CardError) as declined:
        api.paid(card="pm_card_radarBlock")
    charge = api.client().v1.charges.retrieve(error_of(declined)["charge"])
    assert charge.outcome is not None
    assert (charge.outcome.type, charge.outcome.network_status) == (
        "blocked",
        "not_sent_to_network",
    )


def test_card_that_declines_after_attaching_can_be_attached(api: Api) -> None:
    client = api.client()
    customer = client.v1.customers.create({"payment_method": "pm_card_chargeCustomerFail"})
    (saved,) = client.v1.customers.payment_methods.list(customer.id).data
    with pytest.raises(stripe.CardError):
        api.paid(card=saved.id, customer=customer.id)


@pytest.mark.parametrize("card", cards.CARDS, ids=lambda card: card.number)
def test_every_card_number_and_token_stands_for_its_card(api: Api, card: cards.Card) -> None:
    client = api.client()
    expires = {"exp_month": 1, "exp_year": datetime.now(UTC).year + 1}
    ways: list[Any] = [{"number": card.number, **expires}]
    ways += [{"token": f"tok_{name}"} for name in card.names]
    for way in ways:
        made = client.v1.payment_methods.create({"type": "card", "card": way})
        assert made.card is not None
        assert (made.card.brand, made.card.last4) == (card.brand, card.last4)
    for name in card.names:
        made = client.v1.payment_methods.retrieve(f"pm_card_{name}")
        assert made.card is not None
        assert (made.card.brand, made.card.last4) == (card.brand, card.last4)
