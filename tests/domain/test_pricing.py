"""What an order costs: the seeds' figures, and that the parts always are the whole."""

from hypothesis import given
from hypothesis import strategies as st

from domain.pricing import Price, Rates, delivery_fee, price, share, with_tip

cents = st.integers(min_value=0, max_value=100_000)
lines = st.lists(st.tuples(cents, st.integers(min_value=1, max_value=99)), min_size=1, max_size=20)
rates = st.builds(
    Rates,
    tax_bps=st.integers(0, 3_000),
    platform_fee_bps=st.integers(0, 5_000),
    service_fee_bps=st.integers(0, 2_000),
    delivery_base_cents=st.integers(0, 2_000),
)
kilometres = st.floats(min_value=0, max_value=30)


def test_the_seeds_golden_order() -> None:
    bill = price([(1000, 2)], Rates(), distance_km=2.0)

    assert bill == Price(
        currency="usd",
        subtotal_cents=2000,
        tax_cents=160,
        delivery_fee_cents=500,
        service_fee_cents=0,
        discount_cents=0,
        tip_cents=0,
        total_cents=2660,
        platform_fee_cents=399,
        chef_earning_cents=1601,
        driver_earning_cents=500,
    )


def test_homechefs_service_fee_is_a_rate() -> None:
    bill = price([(1000, 2)], Rates(service_fee_bps=500), distance_km=2.0)

    assert bill.service_fee_cents == 100
    assert bill.total_cents == 2760
    assert bill.platform_fee_cents == 399


def test_the_tip_is_the_drivers_whole_and_takes_no_fee() -> None:
    bill = price([(1000, 2)], Rates(), distance_km=2.0, tip_cents=300)

    assert bill.total_cents == 2960
    assert bill.platform_fee_cents == 399
    assert bill.driver_earning_cents == 800


def test_a_discount_costs_neither_chef_nor_driver() -> None:
    bill = price([(1000, 2)], Rates(), distance_km=2.0, discount_cents=500)

    assert bill.total_cents == 2160
    assert (bill.chef_earning_cents, bill.driver_earning_cents) == (1601, 500)


def test_a_chef_never_earns_less_than_nothing() -> None:
    bill = price([(50, 1)], Rates(), distance_km=2.0)

    assert bill.platform_fee_cents == 50
    assert bill.chef_earning_cents == 0


def test_halves_round_up() -> None:
    assert share(50, 1) == 0
    assert share(5_000, 1) == 1
    assert share(1_249, 800) == 100
    assert share(1_256, 800) == 100
    assert share(1_257, 800) == 101


def test_the_delivery_fee_covers_five_km_and_counts_each_km_begun_beyond() -> None:
    assert delivery_fee(0.0, Rates()) == 500
    assert delivery_fee(5.0, Rates()) == 500
    assert delivery_fee(5.01, Rates()) == 575
    assert delivery_fee(7.0, Rates()) == 650


@given(lines, rates, kilometres, cents, cents)
def test_the_parts_sum_to_the_total_and_none_is_negative(
    lines: list[tuple[int, int]], rates: Rates, distance: float, tip: int, discount: int
) -> None:
    bill = price(lines, rates, distance, tip_cents=tip, discount_cents=discount)

    parts = (
        bill.chef_earning_cents
        + bill.driver_earning_cents
        + bill.tax_cents
        + bill.platform_fee_cents
        + bill.service_fee_cents
        - bill.discount_cents
    )
    assert parts == bill.total_cents
    assert min(value for value in vars_of(bill)) >= 0


@given(lines, cents, cents)
def test_changing_the_tip_is_pricing_with_the_other_tip(
    lines: list[tuple[int, int]], before: int, after: int
) -> None:
    changed = with_tip(price(lines, Rates(), 3.0, tip_cents=before), after)

    assert changed == price(lines, Rates(), 3.0, tip_cents=after)


def vars_of(bill: Price) -> list[int]:
    return [getattr(bill, name) for name in Price.__dataclass_fields__ if name.endswith("_cents")]
