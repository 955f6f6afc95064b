"""The account's balance, and the transactions that make it."""

from local.stripe import clock, money, paging
from local.stripe.operations import Operation, retrieving
from local.stripe.params import Params, text
from local.stripe.resources import BALANCE_TRANSACTION
from local.stripe.store import StripeObject, Transaction

PATH = "/v1/balance_transactions"

SETTLEMENT_SECONDS = 2 * clock.DAY


def record(
    tx: Transaction,
    kind: str,
    amount: int,
    source: StripeObject,
    *,
    available_on: int,
    fee: int = 0,
    fee_description: str = "Stripe processing fees",
    description: str | None = None,
    category: str | None = None,
) -> StripeObject:
    """Book `amount` cents for `source`, less Stripe's fee.

    Reports count it under `category`, which for most kinds is the kind.
    """
    currency = source["currency"]
    transaction = {
        "id": BALANCE_TRANSACTION.new_id(),
        "object": BALANCE_TRANSACTION.name,
        "amount": amount,
        "available_on": available_on,
        "balance_type": "payments",
        "created": clock.now(),
        "currency": currency,
        "description": description,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [_fee_detail(fee, currency, fee_description)] if fee else [],
        "net": amount - fee,
        "reporting_category": category or kind,
        "source": source["id"],
        "status": "pending",
        "type": kind,
    }
    tx.insert(transaction)
    return transaction


def charged(tx: Transaction, charge: StripeObject, amount: int, *, at_once: bool) -> StripeObject:
    """Book what a charge brought, available two days later or at once."""
    now = clock.now()
    return record(
        tx,
        "charge",
        amount,
        charge,
        # Money becomes available at midnight UTC.
        available_on=now if at_once else (now + SETTLEMENT_SECONDS) // clock.DAY * clock.DAY,
        fee=money.processing_fee(amount),
        description=charge["description"],
    )


def present(_: Transaction, transaction: StripeObject) -> StripeObject:
    """Return a transaction as it is now: its money may have become available."""
    available = transaction["available_on"] <= clock.now()
    return transaction | {"status": "available" if available else "pending"}


def _fee_detail(fee: int, currency: str, description: str) -> StripeObject:
    return {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": description,
        "type": "stripe_fee",
    }


def _balance(tx: Transaction, _: Params) -> StripeObject:
    return {
        "object": "balance",
        "available": _sums(tx, "<="),
        "livemode": False,
        "pending": _sums(tx, ">"),
    }


def _sums(tx: Transaction, comparison: str) -> list[StripeObject]:
    """Return what is (`<=`) or will be (`>`) available in each currency; usd is never left out."""
    rows = tx.execute(
        "SELECT json_extract(body, '$.currency'), SUM(json_extract(body, '$.net')) FROM objects "  # noqa: S608
        f"WHERE object = ? AND json_extract(body, '$.available_on') {comparison} ? GROUP BY 1",
        BALANCE_TRANSACTION.name,
        clock.now(),
    )
    sums = {"usd": 0} | dict(rows.fetchall())
    return [
        {"amount": amount, "currency": currency, "source_types": {"card": amount}}
        for currency, amount in sums.items()
    ]


OPERATIONS = (
    Operation("GET", "/v1/balance", _balance),
    paging.listing(BALANCE_TRANSACTION, PATH, currency=text, payout=text, source=text, type=text),
    retrieving(BALANCE_TRANSACTION, PATH),
)
