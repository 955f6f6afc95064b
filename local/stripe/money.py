"""Amounts, always in the smallest unit of their currency (cents for usd)."""

from local.stripe.errors import InvalidParameter
from local.stripe.forms import FormValue
from local.stripe.params import text

# The smallest charge Stripe takes in each currency it settles, in the currency's smallest unit.
MINIMUM_CHARGE = {
    "usd": 50,
    "aed": 200,
    "aud": 50,
    "brl": 50,
    "cad": 50,
    "chf": 50,
    "czk": 1500,
    "dkk": 250,
    "eur": 50,
    "gbp": 30,
    "hkd": 400,
    "huf": 17500,
    "inr": 50,
    "jpy": 50,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "nzd": 50,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "sgd": 50,
    "thb": 1000,
}
MAXIMUM_CHARGE = 99_999_999

ZERO_DECIMAL = {"jpy"}
SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}

FEE_PER_MILLE = 29
FIXED_FEE = 30


def currency(param: str, value: FormValue) -> str:
    """Read a currency."""
    code = text(param, value).lower()
    if code not in MINIMUM_CHARGE:
        raise InvalidParameter(
            f"Invalid currency: {code}. Stripe currently supports these currencies: "
            f"{', '.join(MINIMUM_CHARGE)}",
            param=param,
        )
    return code


def check_charge(amount: int, currency_code: str) -> None:
    """Refuse an amount too small or too large to be charged."""
    smallest = MINIMUM_CHARGE[currency_code]
    if amount < smallest:
        raise InvalidParameter(
            f"Amount must be at least {spoken(smallest, currency_code)} {currency_code}",
            code="amount_too_small",
            param="amount",
        )
    if amount > MAXIMUM_CHARGE:
        raise InvalidParameter(
            f"Amount must be no more than {spoken(MAXIMUM_CHARGE, currency_code)}",
            code="amount_too_large",
            param="amount",
        )


def processing_fee(amount: int) -> int:
    """Return what Stripe keeps of a charge: 2.9 % and 30 cents, half a cent rounded up."""
    return (amount * FEE_PER_MILLE + 500) // 1000 + FIXED_FEE


def spoken(amount: int, currency_code: str) -> str:
    """Return an amount as Stripe's messages spell it: `$20.00`."""
    number = f"{amount:,}" if currency_code in ZERO_DECIMAL else f"{amount / 100:,.2f}"
    symbol = SYMBOLS.get(currency_code)
    return f"{symbol}{number}" if symbol else f"{number} {currency_code.upper()}"
