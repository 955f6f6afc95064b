"""Who bears what when an order is not delivered."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cancellation import COOKED, Fault, Settlement, settle, usual_fault
from domain.order_status import ON_THE_WAY, Actor, OrderStatus
from domain.pricing import Rates, price

# The seeds' order with a tip: 2000 + 160 + 500 + 300.
BILL = price([(1000, 2)], Rates(), 2.0, tip_cents=300)

S, F = OrderStatus, Fault


@pytest.mark.parametrize(
    ("status", "fault", "kept", "chef", "driver"),
    [
        (S.PENDING, F.CUSTOMER, 0, 0, 0),
        (S.PAYMENT_CONFIRMED, F.CUSTOMER, 0, 0, 0),
        (S.PAYMENT_CONFIRMED, F.CHEF, 0, 0, 0),
        (S.ACCEPTED, F.CUSTOMER, 0, 0, 0),
        (S.ACCEPTED, F.PLATFORM, 0, 0, 0),
        (S.PREPARING, F.CUSTOMER, 2160, 1601, 0),
        (S.PREPARING, F.CHEF, 0, 0, 0),
        (S.PREPARING, F.PLATFORM, 0, 1601, 0),
        (S.READY_FOR_PICKUP, F.PLATFORM, 0, 1601, 0),
        (S.ASSIGNED_TO_DRIVER, F.DRIVER, 0, 1601, 0),
        (S.PICKED_UP, F.CUSTOMER, 2660, 1601, 500),
        (S.IN_TRANSIT, F.CUSTOMER, 2660, 1601, 500),
        (S.IN_TRANSIT, F.DRIVER, 0, 1601, 0),
        (S.IN_TRANSIT, F.CHEF, 0, 0, 500),
        (S.IN_TRANSIT, F.PLATFORM, 0, 1601, 500),
    ],
)
def test_what_is_kept_and_owed(
    status: OrderStatus, fault: Fault, kept: int, chef: int, driver: int
) -> None:
    assert settle(status, fault, BILL) == Settlement(kept, chef, driver)


@pytest.mark.parametrize(
    ("status", "fault", "bonus"),
    [
        (S.ASSIGNED_TO_DRIVER, F.PLATFORM, 0),
        (S.PICKED_UP, F.CUSTOMER, 300),
        (S.IN_TRANSIT, F.CHEF, 300),
        (S.IN_TRANSIT, F.PLATFORM, 300),
        (S.IN_TRANSIT, F.DRIVER, 0),
    ],
)
def test_a_driver_who_is_paid_for_the_way_has_his_bonus_and_the_customer_pays_no_more_for_it(
    status: OrderStatus, fault: Fault, bonus: int
) -> None:
    promised, without = settle(status, fault, BILL, 300), settle(status, fault, BILL)

    assert promised == replace(without, bonus_cents=bonus)


@given(
    st.sampled_from(OrderStatus),
    st.sampled_from(Fault),
    st.integers(0, 100_000),
    st.integers(0, 10_000),
    st.integers(0, 10_000),
)
def test_nobody_pays_for_what_is_not_his(
    status: OrderStatus, fault: Fault, food: int, tip: int, discount: int
) -> None:
    bill = price([(food, 1)], Rates(), 3.0, tip_cents=tip, discount_cents=discount)

    settlement = settle(status, fault, bill)

    assert 0 <= settlement.kept_cents <= bill.total_cents - bill.tip_cents
    if fault is not Fault.CUSTOMER or status not in COOKED:
        assert settlement.kept_cents == 0
    if status not in COOKED or fault is Fault.CHEF:
        assert settlement.chef_cents == 0
    if status not in ON_THE_WAY or fault is Fault.DRIVER:
        assert settlement.driver_cents == 0


def test_what_the_customer_pays_covers_what_chef_driver_and_tax_get() -> None:
    for status in COOKED:
        settlement = settle(status, Fault.CUSTOMER, BILL)
        owed = settlement.chef_cents + settlement.driver_cents + BILL.tax_cents
        assert settlement.kept_cents == owed + BILL.platform_fee_cents


def test_whose_fault_a_cancellation_usually_is() -> None:
    assert usual_fault(Actor.CUSTOMER) is Fault.CUSTOMER
    assert usual_fault(Actor.CHEF) is Fault.CHEF
    assert usual_fault(Actor.DISPATCH) is Fault.PLATFORM
    assert usual_fault(Actor.DEADLINE) is Fault.PLATFORM
    assert usual_fault(Actor.ADMIN) is Fault.PLATFORM
