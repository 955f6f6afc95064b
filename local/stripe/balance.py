"""The account's balance, and the transactions that make it."""

from local.stripe import clock, money, paging
from local.stripe.errors import InvalidRequest
from local.stripe.operations import Operation, retrieving
from local.stripe.paging import DATED_PAGE
from local.stripe.params import Params, Spec, text
from local.stripe.resources import BALANCE_TRANSACTION
from local.stripe.store import StripeObject, Transaction

PATH = "/v1/balance_transactions"
LIST: Spec = {**DATED_PAGE, "currency": text, "payout": text, "source": text, "type": text}

SETTLEMENT_SECONDS = 2 * clock.DAY

# What reports call a kind of transaction, where they have a name of their own for it.
REPORTING_CATEGORIES = {
    "payment": "charge",
    "payment_refund": "refund",
    "payout_cancel": "payout_reversal",
    "payout_failure": "payout_reversal",
    "transfer_refund": "transfer_reversal",
}


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
        "reporting_category": category or REPORTING_CATEGORIES.get(kind, kind),
        "source": source["id"],
        "status": "pending",
        "type": kind,
    }
    tx.insert(transaction)
    tx.execute(
        "INSERT INTO funds (account, currency, available_on, net) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET net = net + excluded.net",
        tx.account,
        currency,
        available_on if available_on > clock.now() else 0,
        amount - fee,
    )
    return transaction


def available(tx: Transaction, currency: str) -> int:
    """Return what the account has available, in the currency's smallest unit."""
    return _sums(tx, "<=").get(currency, 0)


def total(tx: Transaction, currency: str) -> int:
    """Return what the account has, available or not yet, in the currency's smallest unit."""
    return available(tx, currency) + _sums(tx, ">").get(currency, 0)


def is_empty(tx: Transaction) -> bool:
    """Tell whether the account has nothing, and owes nothing, in any currency."""
    return not any(_sums(tx, "<=").values()) and not any(_sums(tx, ">").values())


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
        "available": _entries(_sums(tx, "<=")),
        "livemode": False,
        "pending": _entries(_sums(tx, ">")),
    }


def _sums(tx: Transaction, comparison: str) -> dict[str, int]:
    """Return what is (`<=`) or will be (`>`) available, by currency."""
    rows = tx.execute(
        "SELECT currency, SUM(net) FROM funds "  # noqa: S608
        f"WHERE account = ? AND available_on {comparison} ? GROUP BY currency",
        tx.account,
        clock.now(),
    )
    return dict(rows.fetchall())


def _entries(sums: dict[str, int]) -> list[StripeObject]:
    """Return amounts as a balance shows them; usd is never left out."""
    return [
        {"amount": amount, "currency": currency, "source_types": {"card": amount}}
        for currency, amount in ({"usd": 0} | sums).items()
    ]


def _list(tx: Transaction, params: Params) -> StripeObject:
    if tx.own(params.get("payout", "")) is not None:
        # Nothing but Stripe's own schedule says which transactions a payout is made of.
        raise InvalidRequest(
            "Balance transaction history can only be filtered on automatic transfers, not manual.",
            param="payout",
        )
    filters = ("currency", "payout", "source", "type")
    wanted = [paging.equals(name, params[name]) for name in filters if name in params]
    return paging.page(tx, BALANCE_TRANSACTION, PATH, params, wanted)


OPERATIONS = (
    Operation("GET", "/v1/balance", _balance),
    Operation("GET", PATH, _list, LIST),
    retrieving(BALANCE_TRANSACTION, PATH),
)
