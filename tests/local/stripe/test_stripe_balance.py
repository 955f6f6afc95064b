"""The balance: fees, what is pending, what is available, to the cent."""

import pytest
import stripe

from local.stripe import clock
from tests.local.stripe.stripe_harness import Api


@pytest.mark.parametrize(
    ("amount", "fee"),
    [
        (50, 31),  # 1.45 and 30
        (100, 33),  # 2.90 and 30
        (500, 45),  # 14.50 and 30: half a cent goes up
        (2000, 88),  # 58.00 and 30
        (2660, 107),  # 77.14 and 30
        (99_999_999, 2_900_030),
    ],
)
def test_charge_is_booked_less_stripes_fee(api: Api, amount: int, fee: int) -> None:
    intent = api.paid(amount, expand=["latest_charge.balance_transaction"], description="Order 42")
    booked = intent.latest_charge.balance_transaction
    assert (booked.amount, booked.fee, booked.net) == (amount, fee, amount - fee)
    assert (booked.type, booked.reporting_category, booked.description) == (
        "charge",
        "charge",
        "Order 42",
    )
    assert [(detail.amount, detail.type) for detail in booked.fee_details] == [(fee, "stripe_fee")]


def test_money_is_pending_for_two_days(api: Api) -> None:
    booked = api.paid(
        expand=["latest_charge.balance_transaction"]
    ).latest_charge.balance_transaction
    assert booked.status == "pending"
    assert booked.available_on % clock.DAY == 0
    assert clock.DAY < booked.available_on - booked.created <= 2 * clock.DAY


def test_money_of_one_test_card_is_available_at_once(api: Api) -> None:
    intent = api.paid(card="pm_card_bypassPending", expand=["latest_charge.balance_transaction"])
    assert intent.latest_charge.balance_transaction.status == "available"


def test_refund_is_booked_without_giving_the_fee_back(
    api: Api, client: stripe.StripeClient
) -> None:
    intent = api.paid(expand=["latest_charge.balance_transaction"])
    refund = client.v1.refunds.create(
        {"payment_intent": intent.id, "amount": 500, "expand": ["balance_transaction"]}
    )
    booked = refund.balance_transaction
    assert isinstance(booked, stripe.BalanceTransaction)
    assert (booked.amount, booked.fee, booked.net, booked.type) == (-500, 0, -500, "refund")
    charged = intent.latest_charge.balance_transaction
    assert booked.available_on == charged.available_on


def test_balance_is_the_sum_of_its_transactions(fresh: Api) -> None:
    client = fresh.client()
    empty = client.v1.balance.retrieve()
    assert [(entry.amount, entry.currency) for entry in empty.available] == [(0, "usd")]
    assert [(entry.amount, entry.currency) for entry in empty.pending] == [(0, "usd")]
    fresh.paid(2000)
    later = fresh.paid(1000)
    fresh.paid(3000, "pm_card_bypassPending")
    fresh.paid(2000, currency="eur")
    client.v1.refunds.create({"payment_intent": later.id, "amount": 400})
    balance = client.v1.balance.retrieve()
    assert {entry.currency: entry.amount for entry in balance.available} == {"usd": 2883}
    assert {entry.currency: entry.amount for entry in balance.pending} == {
        "usd": 1912 + 941 - 400,
        "eur": 1912,
    }


def test_failed_and_held_payments_are_not_in_the_balance(fresh: Api) -> None:
    client = fresh.client()
    fresh.paid(capture_method="manual")
    with pytest.raises(stripe.CardError):
        fresh.paid(card="pm_card_chargeDeclined")
    assert client.v1.balance_transactions.list().data == []
    assert client.v1.balance.retrieve().pending[0].amount == 0


def test_transactions_are_listed_by_what_they_are(fresh: Api) -> None:
    client = fresh.client()
    intent = fresh.paid()
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    listed = client.v1.balance_transactions.list({"type": "refund"}).data
    assert [entry.source for entry in listed] == [refund.id]
    listed = client.v1.balance_transactions.list({"source": str(intent.latest_charge)}).data
    assert [entry.type for entry in listed] == ["charge"]
    assert client.v1.balance_transactions.list({"currency": "eur"}).data == []
    assert client.v1.balance_transactions.list({"payout": "po_no"}).data == []
    (entry,) = client.v1.balance_transactions.list(
        {"type": "refund", "expand": ["data.source.charge"]}
    ).data
    assert isinstance(entry.source, stripe.Refund)
    assert isinstance(entry.source.charge, stripe.Charge)
