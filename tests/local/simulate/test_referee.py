"""The referee finds what is planted, and only that."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from domain.drivers import Vehicle
from domain.ledger import Account
from domain.order_status import Actor, OrderStatus
from finance.trial_balance import Balance
from local.simulate.evidence import Booked
from local.simulate.referee import AFTERWARDS, ALWAYS, Rules, Violation, holdings, judge
from schema.messages.books import Crooked, Sum
from schema.messages.dispatch import AssignmentStatus
from tests.local.simulate.evenings import DELIVERED, REJECTED, Books, minute, written_at

A, S = AssignmentStatus, OrderStatus
DRIVER = uuid4()


def good() -> Books:
    """Three orders of one driver, two of them at once, and one that the chef refused."""
    books = Books()
    for begins in (0.0, 1.0, 20.0):
        books.order(begins=begins, driver=DRIVER)
    books.order(story=REJECTED)
    return books


def judged(books: Books, *, over: bool = True, placed: tuple[str, ...] = ()) -> list[Violation]:
    return judge(books.evidence(), Rules(capacity=2, placed=placed), over=over)


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    books = good()
    assert judged(books, placed=tuple(str(order.id) for order in books.orders)) == []


def too_many_at_once(books: Books) -> None:
    books.order(begins=2.0, driver=DRIVER)


def too_many_for_a_scooter(books: Books) -> None:
    books.vehicles[DRIVER] = Vehicle.SCOOTER
    books.order(begins=2.0, driver=DRIVER)


def with_two_drivers(books: Books) -> None:
    books.offer(books.orders[0], uuid4(), A.ACCEPTED, minute(5), minute(6))


def still_with_the_last_driver(books: Books) -> None:
    """Assigned, and taken away only after the next had it."""
    order = books.orders[0]
    books.offer(order, uuid4(), A.CANCELLED, minute(4), minute(7))


def offered_to_two(books: Books) -> None:
    order = books.orders[0]
    books.offer(order, uuid4(), A.DECLINED, minute(4.2), minute(4.4))
    books.offer(order, uuid4(), A.EXPIRED, minute(4.3), minute(4.5))


def two_offers_to_one(books: Books) -> None:
    driver = uuid4()
    books.offer(books.orders[0], driver, A.DECLINED, minute(4.1), minute(4.3))
    books.offer(books.orders[1], driver, A.EXPIRED, minute(4.2), minute(4.5))


def given_back_after_the_next_had_it(books: Books) -> None:
    """While it was still cooking: no step tells of it."""
    books.offer(books.orders[0], uuid4(), A.CANCELLED, minute(3), minute(6), ended_by=Actor.DRIVER)


def an_order_stays_open(books: Books) -> None:
    books.order(story=DELIVERED[:4])


def an_illegal_step(books: Books) -> None:
    books.order(story=(*DELIVERED[:2], DELIVERED[4], *REJECTED[2:]))


def by_the_wrong_hand(books: Books) -> None:
    books.steps[2].actor = Actor.CUSTOMER


def a_gap_in_the_steps(books: Books) -> None:
    del books.steps[3]


def steps_that_lead_elsewhere(books: Books) -> None:
    books.orders[0].status = S.CANCELLED


def backwards_in_time(books: Books) -> None:
    books.steps[3].created_at -= timedelta(minutes=5)


def brought_by_a_stranger(books: Books) -> None:
    books.offers[0].status = A.EXPIRED


def a_cent_too_many(books: Books) -> None:
    sums = [Sum(account="chef", currency="usd", debit_cents=1, credit_cents=0)]
    books.balance = Balance(minute(99), sums, [])


def a_crooked_movement(books: Books) -> None:
    books.balance = Balance(minute(99), [], [Crooked(key="order-1:capture", wrong="is off")])


def a_deposit_left(books: Books) -> None:
    order = books.orders[3]
    books.booked.append(Booked(order.id, Account.CUSTOMER_DEPOSITS, -100))


def a_chef_unpaid(books: Books) -> None:
    books.booked = [one for one in books.booked if not one.account.startswith("chef:")]


def a_driver_underpaid(books: Books) -> None:
    books.orders[0].driver_earning_cents += 1


def a_refund_not_made(books: Books) -> None:
    books.kept[books.payments[books.orders[3].id]] = 2660


def a_delivery_not_paid(books: Books) -> None:
    books.kept[books.payments[books.orders[0].id]] = 0


PLANTS = [
    (too_many_at_once, "no driver over capacity"),
    (too_many_for_a_scooter, "no driver over capacity"),
    (with_two_drivers, "one driver for an order"),
    (still_with_the_last_driver, "one driver for an order"),
    (offered_to_two, "one live offer for an order and for a driver"),
    (two_offers_to_one, "one live offer for an order and for a driver"),
    (given_back_after_the_next_had_it, "one driver for an order"),
    (an_order_stays_open, "every order has ended"),
    (an_illegal_step, "every step was legal"),
    (by_the_wrong_hand, "every step was legal"),
    (a_gap_in_the_steps, "every step was legal"),
    (steps_that_lead_elsewhere, "every step was legal"),
    (backwards_in_time, "every step was legal"),
    (brought_by_a_stranger, "delivered by whom it was given to"),
    (a_cent_too_many, "the books sum to zero"),
    (a_crooked_movement, "the books sum to zero"),
    (a_deposit_left, "every order is booked in full"),
    (a_chef_unpaid, "every order is booked in full"),
    (a_driver_underpaid, "every order is booked in full"),
    (a_refund_not_made, "Stripe holds what it should"),
    (a_delivery_not_paid, "Stripe holds what it should"),
]


@pytest.mark.parametrize(("plant", "rule"), PLANTS)
def test_what_is_planted_is_found(plant: Callable[[Books], None], rule: str) -> None:
    books = good()
    plant(books)
    assert rule in {violation.rule for violation in judged(books)}


def test_an_order_that_a_customer_was_told_of_and_nobody_knows_is_found() -> None:
    (found,) = judged(good(), placed=("no-such-order",))
    assert found == (
        "nothing that was placed is lost",
        "order no-such-order was placed, and is not in the database",
    )


def test_what_must_hold_only_at_the_end_is_not_asked_for_before() -> None:
    books = good()
    an_order_stays_open(books)
    a_refund_not_made(books)
    assert judged(books, over=False) == []


def test_an_offer_that_begins_as_another_ends_is_not_a_second_one() -> None:
    books = good()
    order = books.orders[0]
    books.offer(order, uuid4(), A.DECLINED, minute(4.2), minute(4.4))
    books.offer(order, uuid4(), A.EXPIRED, minute(4.4), books.offers[0].offered_at)
    assert judged(books) == []


def test_an_offer_that_was_made_after_another_ended_may_come_from_an_earlier_look() -> None:
    books = good()
    order = books.orders[0]
    books.offer(order, uuid4(), A.DECLINED, minute(4.2), minute(4.4))
    late = books.offer(order, uuid4(), A.EXPIRED, minute(4.3), minute(4.5))
    late.id = written_at(minute(4.41))
    assert judged(books) == []


def test_a_delivery_and_the_next_order_in_the_same_second_are_not_at_once() -> None:
    books = good()
    ended = books.orders[0].delivered_at
    assert ended is not None
    since = ended - timedelta(seconds=0.5)
    order = books.order(begins=8.0, driver=DRIVER)
    books.offers[-1].responded_at = since
    assert judged(books) == []
    books.offers[-1].responded_at = since - timedelta(seconds=1)
    assert [rule for rule, _ in judged(books)] == ["no driver over capacity"]
    assert order.status is S.DELIVERED


def test_an_order_given_back_is_held_from_the_step_that_gave_it() -> None:
    books = good()
    order, lost = books.orders[0], uuid4()
    books.steps[5].created_at = minute(4.5)
    books.offer(order, lost, A.CANCELLED, minute(4.1), minute(4.6))
    (held,) = [one for one in holdings(books.evidence()) if one.driver_id == lost]
    assert (held.since, held.until) == (minute(4.5), minute(4.6))


def test_an_order_given_back_while_it_was_cooking_was_held_since_it_was_offered() -> None:
    books = good()
    order, lost, passed_over = books.orders[0], uuid4(), uuid4()
    books.offer(order, lost, A.CANCELLED, minute(3.1), minute(3.6), ended_by=Actor.DRIVER)
    books.offer(order, passed_over, A.CANCELLED, minute(3.7), minute(3.8), ended_by=Actor.ADMIN)
    held = {one.driver_id: one for one in holdings(books.evidence())}
    assert (held[lost].since, held[lost].until) == (minute(3.1), minute(3.6))
    assert passed_over not in held
    assert judged(books) == []


def test_an_offer_of_several_orders_is_one_offer_to_its_driver() -> None:
    books = good()
    driver = uuid4()
    rows = [
        books.offer(order, driver, A.DECLINED, minute(4.1), minute(4.3), stop=stop)
        for stop, order in enumerate(books.orders[:2], start=1)
    ]
    rows[1].offer_id = rows[0].offer_id
    assert judged(books) == []


def test_every_rule_has_been_planted_against() -> None:
    planted = {rule for _, rule in PLANTS} | {"nothing that was placed is lost"}
    assert planted == {*ALWAYS, *AFTERWARDS}
