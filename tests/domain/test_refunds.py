"""What can be refunded, what it is worth, and what needs no person."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import refunds
from domain.ledger import Bearer
from domain.order_status import OrderStatus
from domain.pricing import Rates, price
from domain.refunds import (
    BORNE_BY,
    Amount,
    CannotBeRefunded,
    Dish,
    Objection,
    Reason,
    RefundKind,
    Rules,
)

S = OrderStatus
GOLDEN = price([(1000, 2)], Rates(), 2.0)
DOSA = Dish(UUID(int=1), 1000, 2)


def objection(raised: pytest.ExceptionInfo[CannotBeRefunded]) -> Objection:
    return raised.value.why


def test_one_of_two_dishes_is_worth_its_price_and_its_tax() -> None:
    assert refunds.of_items(GOLDEN, [DOSA], {DOSA.id: 1}) == Amount(1080, 80)


def test_a_dish_is_worth_less_its_part_of_the_discount() -> None:
    bill = price([(1000, 2)], Rates(), 2.0, discount_cents=300)
    assert refunds.of_items(bill, [DOSA], {DOSA.id: 1}) == Amount(930, 80)


def test_what_was_not_ordered_or_was_asked_back_already_is_refused() -> None:
    with pytest.raises(CannotBeRefunded) as unknown:
        refunds.of_items(GOLDEN, [DOSA], {uuid4(): 1})
    assert objection(unknown) is Objection.UNKNOWN_ITEM

    with pytest.raises(CannotBeRefunded) as too_many:
        refunds.of_items(GOLDEN, [Dish(DOSA.id, 1000, 2, asked_before=1)], {DOSA.id: 2})
    assert objection(too_many) is Objection.ABOVE_WHAT_IS_LEFT


@given(
    lines=st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 9)), min_size=1, max_size=6),
    discount=st.integers(0, 10_000),
    seed=st.randoms(use_true_random=False),
)
def test_dishes_asked_back_one_by_one_sum_to_exactly_what_all_are_worth(
    lines: list[tuple[int, int]], discount: int, seed: object
) -> None:
    bill = price(lines, Rates(), 2.0, discount_cents=discount)
    dishes = [Dish(UUID(int=n), cents, quantity) for n, (cents, quantity) in enumerate(lines)]
    single = [dish.id for dish in dishes for _ in range(dish.quantity)]
    seed.shuffle(single)  # type: ignore[attr-defined]

    asked: dict[UUID, int] = {}
    cents = tax = 0
    for item_id in single:
        known = [Dish(d.id, d.price_cents, d.quantity, asked.get(d.id, 0)) for d in dishes]
        amount = refunds.of_items(bill, known, {item_id: 1})
        assert amount.tax_cents >= 0
        cents, tax = cents + amount.cents, tax + amount.tax_cents
        asked[item_id] = asked.get(item_id, 0) + 1

    assert cents == bill.subtotal_cents + bill.tax_cents - bill.discount_cents
    assert tax == bill.tax_cents


@given(parts=st.lists(st.integers(1, 3000), max_size=20), tip=st.integers(0, 1000))
def test_no_parts_come_to_more_than_the_payment_and_the_last_takes_the_tax_that_is_left(
    parts: list[int], tip: int
) -> None:
    bill = price([(1000, 2)], Rates(), 2.0, tip_cents=tip)
    left = Amount(bill.total_cents, bill.tax_cents)
    for cents in [*parts, None]:
        asked = refunds.of_cents(bill, cents, left)
        if not left.cents or asked.cents > left.cents:
            with pytest.raises(CannotBeRefunded) as refused:
                refunds.within(asked, left)
            assert objection(refused) is Objection.ABOVE_WHAT_IS_LEFT
            continue
        given_back = refunds.within(asked, left)
        assert 0 <= given_back.tax_cents <= given_back.cents
        left = Amount(left.cents - given_back.cents, left.tax_cents - given_back.tax_cents)
        assert left.cents >= 0 <= left.tax_cents
    assert left == Amount(0, 0)


@pytest.mark.parametrize("status", OrderStatus)
def test_only_what_was_delivered_is_refunded_by_request(status: S) -> None:
    may = {
        RefundKind.COMPLAINT: {S.DELIVERED},
        RefundKind.ADMIN: {S.DELIVERED, S.DISPUTED},
    }
    for kind, states in may.items():
        if status in states:
            refunds.check_state(kind, status)
        else:
            with pytest.raises(CannotBeRefunded) as refused:
                refunds.check_state(kind, status)
            assert objection(refused) is Objection.NOT_REFUNDABLE


def test_a_refunded_order_whose_refund_failed_owes_the_customer_still() -> None:
    refunds.check_state(RefundKind.ADMIN, S.REFUNDED, has_failed=True)
    with pytest.raises(CannotBeRefunded):
        refunds.check_state(RefundKind.COMPLAINT, S.REFUNDED, has_failed=True)


def test_a_complaint_comes_within_its_window() -> None:
    delivered, day = datetime(2026, 1, 31, 18, tzinfo=UTC), timedelta(hours=24)
    refunds.check_window(delivered, delivered + day, day)
    with pytest.raises(CannotBeRefunded) as late:
        refunds.check_window(delivered, delivered + day + timedelta(seconds=1), day)
    assert objection(late) is Objection.COMPLAINT_TOO_LATE


@pytest.mark.parametrize(
    ("cents", "before", "at_once"),
    [(1, 0, True), (1500, 1, True), (1501, 0, False), (1500, 2, False), (1, 99, False)],
)
def test_a_small_sum_is_granted_at_once_a_few_times(cents: int, before: int, at_once: bool) -> None:
    assert refunds.is_granted_at_once(Rules(), cents, before) is at_once


def test_every_reason_is_borne_by_somebody() -> None:
    assert set(BORNE_BY) == set(Reason)
    assert BORNE_BY[Reason.MISSING_ITEM] is Bearer.CHEF
    assert BORNE_BY[Reason.LATE] is Bearer.DRIVER
    assert BORNE_BY[Reason.OTHER] is Bearer.PLATFORM
