"""Amounts are written as people and programs read them."""

import pytest

from finance.printing import decimal, money


@pytest.mark.parametrize(
    ("cents", "currency", "for_people", "for_programs"),
    [
        (0, "usd", "0.00 USD", "0.00"),
        (5, "usd", "0.05 USD", "0.05"),
        (-160_100, "usd", "-1,601.00 USD", "-1601.00"),
        (123_456_789, "eur", "1,234,567.89 EUR", "1234567.89"),
        (1601, "jpy", "1,601 JPY", "1601"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(
    cents: int, currency: str, for_people: str, for_programs: str
) -> None:
    assert (money(cents, currency), decimal(cents, currency)) == (for_people, for_programs)
