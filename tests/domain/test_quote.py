"""A quote's lines are the bill: each explained, and nothing beside them."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from domain.pricing import Rates, price
from domain.promo import Basket, DiscountType, Promo, Verdict, judge
from domain.quote import LineCode, explain

NOW = datetime(2026, 1, 31, 18, tzinfo=UTC)

dishes = st.lists(
    st.tuples(st.just("Masala Dosa"), st.integers(0, 100_000), st.integers(1, 99)),
    min_size=1,
    max_size=20,
)
rates = st.builds(
    Rates,
    tax_bps=st.integers(0, 3_000),
    service_fee_bps=st.integers(0, 2_000),
    delivery_base_cents=st.integers(0, 2_000),
)


def test_the_golden_order_explained() -> None:
    bill = price([(1000, 2)], Rates(), 6.2, tip_cents=300, discount_cents=200)
    verdict = Verdict("WELCOME10", 200, "10 % off the food")

    lines = explain([("Masala Dosa", 1000, 2)], Rates(), 6.2, bill, verdict)

    assert [(line.code, line.label, line.amount_cents, line.explanation) for line in lines] == [
        ("dish", "Masala Dosa", 2000, "2 x 1000 cents"),
        (
            "delivery",
            "Delivery",
            650,
            "500 cents for the first 5 km of 6.2 km, and 2 x 75 cents for each km begun beyond",
        ),
        ("service_fee", "Service fee", 0, "0 % of 2000 cents for the dishes"),
        ("tax", "Tax", 160, "8 % of 2000 cents for the dishes"),
        ("tip", "Tip", 300, "all of it is the driver's"),
        ("discount", "Promo code WELCOME10", -200, "10 % off the food"),
    ]


@given(dishes, rates, st.floats(0, 30), st.integers(0, 100_000), st.integers(1, 10_000))
def test_the_lines_sum_to_the_total(
    dishes: list[tuple[str, int, int]], rates: Rates, distance: float, tip: int, bps: int
) -> None:
    food = [(cents, quantity) for _, cents, quantity in dishes]
    code = Promo("ANY", DiscountType.PERCENT, bps, "usd", min_order_cents=1_000)
    basket = Basket(sum(cents * quantity for cents, quantity in food), "usd", "austin", NOW)
    verdict = judge("ANY", code, basket, used_by_customer=0)
    bill = price(food, rates, distance, tip_cents=tip, discount_cents=verdict.discount_cents)

    lines = explain(dishes, rates, distance, bill, verdict)

    assert sum(line.amount_cents for line in lines) == bill.total_cents
    assert all(line.label and line.explanation for line in lines)
    assert lines[-1].code is LineCode.DISCOUNT


def test_without_a_code_there_is_no_line_for_one() -> None:
    bill = price([(1000, 2)], Rates(), 2.0)

    lines = explain([("Masala Dosa", 1000, 2)], Rates(), 2.0, bill)

    assert LineCode.DISCOUNT not in [line.code for line in lines]
