"""Bank accounts of connected accounts: where payouts go."""

from local.stripe.errors import InvalidParameter
from local.stripe.forms import FormValue
from local.stripe.money import currency
from local.stripe.params import Params, Required, Spec, mapping, one_of, text
from local.stripe.resources import EXTERNAL_ACCOUNT, random_text
from local.stripe.store import StripeObject, Transaction

BANK_ACCOUNT: Spec = {
    "account_holder_name": text,
    "account_holder_type": one_of("company", "individual"),
    "account_number": Required(text),
    "country": Required(text),
    "currency": currency,
    "object": one_of("bank_account"),
    "routing_number": text,
}

# https://docs.stripe.com/connect/testing: the bank that takes every payout, and those that fail.
TEST_NUMBER = "000123456789"
TEST_ROUTING_NUMBER = "110000000"
FAILING_NUMBERS = {
    "000111111113": "account_closed",
    "000111111116": "no_account",
    "000222222227": "insufficient_funds",
    "000333333335": "debit_not_authorized",
    "000444444440": "invalid_currency",
}
TEST_TOKEN_PREFIX = "btok_us"  # noqa: S105


def bank_account(param: str, value: FormValue) -> Params:
    """Read a bank account, or the token of one."""
    if not isinstance(value, str):
        given: Params = mapping(BANK_ACCOUNT)(param, value)
        return given
    if not text(param, value).startswith(TEST_TOKEN_PREFIX):
        raise InvalidParameter(f"No such token: '{value}'", code="resource_missing", param=param)
    return {"account_number": TEST_NUMBER, "country": "US", "currency": "usd"}


def add(tx: Transaction, account: StripeObject, given: Params | None = None) -> StripeObject:
    """Make a bank account, Stripe's test bank unless told otherwise, the one of `account`.

    Returns the list of its external accounts.
    """
    known = given or {"account_number": TEST_NUMBER}
    number: str = known["account_number"]
    bank = {
        "id": EXTERNAL_ACCOUNT.new_id(),
        "object": EXTERNAL_ACCOUNT.name,
        "account": account["id"],
        "account_holder_name": known.get("account_holder_name"),
        "account_holder_type": known.get("account_holder_type"),
        "account_type": None,
        "available_payout_methods": ["standard", "instant"],
        "bank_name": "STRIPE TEST BANK",
        "country": known.get("country", account["country"]),
        "currency": known.get("currency", account["default_currency"]),
        "default_for_currency": True,
        "fingerprint": random_text(16),
        "last4": number[-4:],
        "metadata": {},
        "routing_number": known.get("routing_number", TEST_ROUTING_NUMBER),
        "status": "new",
    }
    with tx.acting_for(account["id"]):
        tx.insert(bank, failure_code=FAILING_NUMBERS.get(number))
    return listed(account["id"], bank)


def listed(account_id: str, *banks: StripeObject) -> StripeObject:
    """Return the list of external accounts that an account shows."""
    return {
        "object": "list",
        "data": list(banks),
        "has_more": False,
        "url": f"/v1/accounts/{account_id}/external_accounts",
    }
