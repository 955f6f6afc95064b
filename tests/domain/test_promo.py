"""What a promo code is worth, and each reason why it is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import promo
from domain.cancellation import COOKED
from domain.order_status import TRANSITIONS, OrderStatus
from domain.pricing import Rates, price
from domain.promo import Basket, DiscountType, Promo, Reason, judge, normalised, worth

NOW = datetime(2026, 1, 31, 18, tzinfo=UTC)
TEN_PERCENT = Promo("WELCOME10", DiscountType.PERCENT, 1_000, "usd")
FIVE_OFF = Promo("FIVEOFF", DiscountType.FIXED, 500, "usd")
GOLDEN = Basket(2_000, "usd", "austin", NOW)

cents = st.integers(min_value=0, max_value=10_000_000)
limits = st.none() | st.integers(min_value=1, max_value=5)
moments = st.none() | st.integers(-3, 3).map(lambda hours: NOW + timedelta(hours=hours))
terms = {
    "currency": st.sampled_from(["usd", "eur"]),
    "market": st.sampled_from([None, "austin", "berlin"]),
    "min_order_cents": cents,
    "max_discount_cents": st.none() | st.integers(min_value=1, max_value=10_000),
    "max_uses": limits,
    "max_uses_per_customer": limits,
    "starts_at": moments,
    "expires_at": moments,
    "is_active": st.booleans(),
    "uses": st.integers(0, 5),
}
promos = st.builds(
    Promo,
    code=st.just("ANY"),
    discount_type=st.just(DiscountType.PERCENT),
    discount_value=st.integers(1, 10_000),
    **terms,
) | st.builds(
    Promo,
    code=st.just("ANY"),
    discount_type=st.just(DiscountType.FIXED),
    discount_value=st.integers(1, 100_000),
    **terms,
)
baskets = st.builds(
    Basket,
    subtotal_cents=cents,
    currency=st.sampled_from(["usd", "eur"]),
    market=st.sampled_from(["austin", "berlin"]),
    at=st.just(NOW),
)


def test_a_percentage_of_the_food_halves_rounded_up() -> None:
    assert worth(TEN_PERCENT, 2_000) == 200
    assert worth(TEN_PERCENT, 1_994) == 199
    assert worth(TEN_PERCENT, 1_995) == 200


def test_so_many_cents_and_never_more_than_the_food() -> None:
    assert worth(FIVE_OFF, 2_000) == 500
    assert worth(FIVE_OFF, 300) == 300


def test_a_percentage_may_have_a_cap() -> None:
    assert worth(replace(TEN_PERCENT, max_discount_cents=150), 2_000) == 150


def test_a_code_is_the_same_however_it_is_written() -> None:
    assert normalised("  wElcome10\t") == "WELCOME10"


def test_a_code_that_applies_says_what_it_does() -> None:
    verdict = judge("WELCOME10", TEN_PERCENT, GOLDEN, used_by_customer=0)

    assert (verdict.discount_cents, verdict.reason) == (200, None)
    assert verdict.words == "10 % off the food"


def test_a_code_that_nobody_made_is_unknown() -> None:
    verdict = judge("NOBODYS", None, GOLDEN, used_by_customer=0)

    assert (verdict.discount_cents, verdict.reason) == (0, Reason.UNKNOWN)


@pytest.mark.parametrize(
    ("changes", "used", "reason"),
    [
        ({"is_active": False}, 0, Reason.INACTIVE),
        ({"starts_at": NOW + timedelta(seconds=1)}, 0, Reason.NOT_STARTED),
        ({"starts_at": NOW}, 0, None),
        ({"expires_at": NOW}, 0, Reason.EXPIRED),
        ({"expires_at": NOW + timedelta(seconds=1)}, 0, None),
        ({"market": "berlin"}, 0, Reason.WRONG_MARKET),
        ({"market": "austin"}, 0, None),
        ({"currency": "eur"}, 0, Reason.WRONG_CURRENCY),
        ({"min_order_cents": 2_001}, 0, Reason.BELOW_MINIMUM),
        ({"min_order_cents": 2_000}, 0, None),
        ({"discount_value": 2}, 0, Reason.BELOW_MINIMUM),
        ({"max_uses": 3, "uses": 3}, 0, Reason.USED_UP),
        ({"max_uses": 3, "uses": 2}, 0, None),
        ({"max_uses_per_customer": 2}, 2, Reason.USED_BY_YOU),
        ({"max_uses_per_customer": 2}, 1, None),
        ({"max_uses": 1, "uses": 1, "max_uses_per_customer": 1}, 1, Reason.USED_BY_YOU),
    ],
    ids=str,
)
def test_each_limit_holds_at_its_edge(
    changes: dict[str, object], used: int, reason: Reason | None
) -> None:
    terms = replace(TEN_PERCENT, **changes)

    # Two basis points of 2000 cents are 0.4 cents: nothing.
    assert judge("WELCOME10", terms, GOLDEN, used_by_customer=used).reason is reason


@given(promos, baskets, st.integers(0, 5))
def test_a_code_takes_something_off_or_says_why_not_and_never_more_than_the_food(
    any_promo: Promo, basket: Basket, used: int
) -> None:
    verdict = judge("ANY", any_promo, basket, used_by_customer=used)

    assert 0 <= verdict.discount_cents <= basket.subtotal_cents
    assert (verdict.discount_cents == 0) == (verdict.reason is not None)
    assert verdict.words
    if any_promo.max_discount_cents is not None:
        assert verdict.discount_cents <= any_promo.max_discount_cents


@given(promos, cents, cents)
def test_more_food_never_makes_a_code_worth_less(any_promo: Promo, one: int, other: int) -> None:
    less, more = sorted((one, other))

    assert worth(any_promo, less) <= worth(any_promo, more)


@given(promos, st.integers(1, 100_000), cents)
def test_a_code_is_the_platforms_expense(any_promo: Promo, food: int, tip: int) -> None:
    off = worth(any_promo, food)
    without = price([(food, 1)], Rates(), 3.0, tip_cents=tip)
    with_it = price([(food, 1)], Rates(), 3.0, tip_cents=tip, discount_cents=off)

    assert with_it.total_cents == without.total_cents - off
    assert with_it.chef_earning_cents == without.chef_earning_cents
    assert with_it.driver_earning_cents == without.driver_earning_cents
    assert with_it.tax_cents == without.tax_cents


def test_a_use_is_given_back_wherever_an_order_can_be_cancelled_before_cooking() -> None:
    cancellable = {s for s, to in TRANSITIONS.items() if OrderStatus.CANCELLED in to}

    assert cancellable - COOKED == promo.GIVEN_BACK_FROM
