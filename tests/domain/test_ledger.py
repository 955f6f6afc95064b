"""What each event books: the worked examples of the seeds, and rules that hold for any figures."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import bearing, ledger
from domain.cancellation import Fault, settle
from domain.ledger import Account, Bearer, Event, Movement, Sale, Shares, balances, payable
from domain.order_status import OrderStatus
from domain.payees import PayeeKind
from domain.pricing import Price, Rates, price

ORDER, CHEF, DRIVER, PAYOUT = (UUID(int=n) for n in range(1, 5))
GOLDEN = Sale(ORDER, CHEF, DRIVER, price([(1000, 2)], Rates(), 3.0))
CHEF_ACCOUNT, DRIVER_ACCOUNT = payable(PayeeKind.CHEF, CHEF), payable(PayeeKind.DRIVER, DRIVER)


def _bills() -> st.SearchStrategy[Price]:
    return st.builds(
        price,
        st.lists(st.tuples(st.integers(0, 9999), st.integers(1, 5)), min_size=1, max_size=5),
        st.builds(Rates, service_fee_bps=st.integers(0, 1000)),
        st.floats(0, 15),
        tip_cents=st.integers(0, 3000),
        discount_cents=st.integers(0, 3000),
    )


sales = st.builds(
    lambda bill, bonus: replace(GOLDEN, bill=bill, bonus_cents=bonus),
    _bills(),
    st.sampled_from([0, 1, 300, 5000]),
)


def _cents(movement: Movement) -> dict[str, int]:
    return dict(balances([movement]))


def test_a_delivered_order_of_the_seeds_books_the_seeds_figures() -> None:
    paid, shared = ledger.captured(GOLDEN, 2660, "pi_1"), ledger.earned(GOLDEN)

    assert _cents(paid) == {Account.STRIPE_CLEARING: 2660, Account.CUSTOMER_DEPOSITS: -2660}
    assert _cents(shared) == {
        Account.CUSTOMER_DEPOSITS: 2660,
        Account.TAX_PAYABLE: -160,
        Account.PLATFORM_REVENUE: -399,
        CHEF_ACCOUNT: -1601,
        DRIVER_ACCOUNT: -500,
    }


def test_a_promo_code_is_the_platforms_expense() -> None:
    bill = price([(1000, 2)], Rates(), 3.0, discount_cents=300)
    shared = _cents(ledger.earned(replace(GOLDEN, bill=bill)))

    assert shared[Account.PROMO_EXPENSE] == 300
    assert shared[Account.CUSTOMER_DEPOSITS] == 2360
    assert shared[CHEF_ACCOUNT] == -1601


def test_a_bonus_is_the_platforms_expense_and_beside_the_bill() -> None:
    promised = replace(GOLDEN, bonus_cents=300)

    assert _cents(ledger.bonus(promised, 300)) == {
        Account.DRIVER_BONUSES: 300,
        DRIVER_ACCOUNT: -300,
    }
    assert ledger.earned(promised) == ledger.earned(GOLDEN)


def test_a_bonus_of_nothing_is_a_movement_of_nothing() -> None:
    assert ledger.bonus(GOLDEN, 0).postings == ()


@pytest.mark.parametrize(
    ("status", "fault", "expected"),
    [
        (OrderStatus.ACCEPTED, Fault.CUSTOMER, {}),
        (
            OrderStatus.PREPARING,
            Fault.CUSTOMER,
            {
                Account.CUSTOMER_DEPOSITS: 2160,
                Account.TAX_PAYABLE: -160,
                Account.PLATFORM_REVENUE: -399,
                CHEF_ACCOUNT: -1601,
            },
        ),
        (
            OrderStatus.IN_TRANSIT,
            Fault.DRIVER,
            {Account.REFUND_LOSSES: 1601, CHEF_ACCOUNT: -1601},
        ),
        (
            OrderStatus.IN_TRANSIT,
            Fault.PLATFORM,
            {Account.REFUND_LOSSES: 2101, CHEF_ACCOUNT: -1601, DRIVER_ACCOUNT: -500},
        ),
    ],
)
def test_a_cancelled_order_books_what_is_kept_and_owed(
    status: OrderStatus, fault: Fault, expected: dict[str, int]
) -> None:
    settlement = settle(status, fault, GOLDEN.bill)

    assert _cents(ledger.cancelled(GOLDEN, settlement)) == expected


@given(
    sales,
    st.sampled_from(list(OrderStatus)),
    st.sampled_from(list(Fault)),
)
def test_a_cancelled_order_leaves_of_its_deposit_what_is_to_go_back(
    sale: Sale, status: OrderStatus, fault: Fault
) -> None:
    settlement = settle(status, fault, sale.bill)
    books = balances(
        [
            ledger.captured(sale, sale.bill.total_cents, "pi_1"),
            ledger.cancelled(sale, settlement),
        ]
    )

    back = sale.bill.total_cents - settlement.kept_cents
    assert -books.get(Account.CUSTOMER_DEPOSITS, 0) == back
    assert sum(books.values()) == 0


@given(sales)
def test_a_delivered_order_leaves_no_deposit(sale: Sale) -> None:
    books = balances([ledger.captured(sale, sale.bill.total_cents, "pi_1"), ledger.earned(sale)])

    assert books.get(Account.CUSTOMER_DEPOSITS, 0) == 0
    assert sum(books.values()) == 0


@given(sales, st.lists(st.integers(1, 99_999), max_size=5), st.sampled_from(list(Bearer)))
def test_refunds_in_parts_take_no_more_tax_or_earning_than_there_was(
    sale: Sale, parts: list[int], bearer: Bearer
) -> None:
    bill, left, borne, taxes, movements = sale.bill, sale.bill.total_cents, 0, 0, []
    # The last one takes whatever the others have left.
    for part in [*parts, bill.total_cents]:
        cents = min(part, left)
        if not cents:
            break
        shares = ledger.refund_shares(
            bill,
            cents,
            bearer,
            tax_borne=taxes,
            bearer_borne=borne,
            bonus_cents=sale.bonus_cents,
        )
        assert shares.total == cents
        assert min(shares.tax, shares.platform, shares.chef, shares.driver) >= 0
        left, taxes, borne = left - cents, taxes + shares.tax, borne + shares.chef + shares.driver
        movements.append(ledger.refunded(sale, shares, f"re_{left}"))

    books = balances(movements)
    assert sum(books.values()) == 0
    assert books.get(Account.TAX_PAYABLE, 0) <= bill.tax_cents
    assert books.get(CHEF_ACCOUNT, 0) <= bill.chef_earning_cents
    assert books.get(DRIVER_ACCOUNT, 0) <= bill.driver_earning_cents + sale.bonus_cents
    assert books.get(Account.STRIPE_CLEARING, 0) == -bill.total_cents


def test_a_bad_dish_borne_by_the_chef_costs_him_its_price_and_nobody_owes_its_tax() -> None:
    shares = ledger.refund_shares(GOLDEN.bill, 1080, Bearer.CHEF, tax_cents=80)

    assert _cents(ledger.refunded(GOLDEN, shares, "re_1")) == {
        Account.TAX_PAYABLE: 80,
        CHEF_ACCOUNT: 1000,
        Account.STRIPE_CLEARING: -1080,
    }


@given(sales, st.integers(1, 99_999), st.sampled_from(list(Fault)), st.booleans())
def test_a_driver_bears_at_most_what_his_order_left_him_and_his_bonus_is_part_of_it(
    sale: Sale, cents: int, fault: Fault, is_delivered: bool
) -> None:
    books = [ledger.earned(sale), ledger.bonus(sale, sale.bonus_cents)]
    status = OrderStatus.DELIVERED
    if not is_delivered:
        status, settlement = (
            OrderStatus.CANCELLED,
            settle(OrderStatus.IN_TRANSIT, fault, sale.bill, sale.bonus_cents),
        )
        # As the order's row has it by then.
        bill = replace(sale.bill, driver_earning_cents=settlement.driver_cents)
        sale = replace(sale, bill=bill, bonus_cents=settlement.bonus_cents)
        books = [
            ledger.cancelled(sale, settlement),
            ledger.bonus(sale, settlement.bonus_cents),
        ]
    left = balances(books)
    earned = -left.get(DRIVER_ACCOUNT, 0)
    cents = min(cents, sale.bill.total_cents)

    shares = bearing.of_lost_dispute(sale, status, left, cents, Bearer.DRIVER)

    assert shares.total == cents
    assert shares.driver == min(earned, cents - shares.tax - shares.deposits)


@given(sales)
def test_a_payout_that_fails_leaves_the_payee_owed_as_before(sale: Sale) -> None:
    cents = sale.bill.driver_earning_cents
    there_and_back = [
        ledger.transferred(PAYOUT, cents, "usd", "tr_1"),
        ledger.paid_out(PAYOUT, DRIVER_ACCOUNT, cents, "usd"),
        ledger.payout_returned(PAYOUT, DRIVER_ACCOUNT, cents, "usd"),
        ledger.transfer_reversed(PAYOUT, cents, "usd", "trr_1"),
    ]

    assert not any(balances(there_and_back).values())
    assert len({movement.key for movement in there_and_back}) == 4


@given(sales, st.sampled_from(list(Bearer)))
def test_a_dispute_won_costs_nothing_and_a_lost_one_is_borne_once(
    sale: Sale, bearer: Bearer
) -> None:
    cents = sale.bill.total_cents
    opened = ledger.dispute_opened(sale, cents, "dp_1")
    shares = ledger.refund_shares(sale.bill, cents, bearer)
    lost = ledger.dispute_lost(sale, shares, "dp_1")

    assert not any(balances([opened, ledger.dispute_won(sale, cents, "dp_1")]).values())
    books = balances([opened] + ([lost] if lost else []))
    assert books.get(Account.DISPUTE_LOSSES, 0) == shares.platform
    assert sum(books.values()) == 0


def test_a_correction_undoes_a_movement_under_a_key_of_its_own() -> None:
    movement = ledger.earned(GOLDEN)
    undone = ledger.reverse(movement)

    assert not any(balances([movement, undone]).values())
    assert (undone.key, undone.event) == (f"order-{ORDER}:earned:reversed", Event.CORRECTION)


def test_who_bears_a_refund_of_a_deposit_is_nobody() -> None:
    refund = ledger.refunded(GOLDEN, Shares(deposits=2660), "re_1")

    assert _cents(refund) == {Account.CUSTOMER_DEPOSITS: 2660, Account.STRIPE_CLEARING: -2660}


def test_an_order_without_a_driver_cannot_owe_him() -> None:
    with pytest.raises(ValueError, match="without a driver"):
        ledger.earned(replace(GOLDEN, driver_id=None))
