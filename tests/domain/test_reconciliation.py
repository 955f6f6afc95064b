"""Each transaction has one movement at most, each movement one transaction, in whatever order."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger import Event
from domain.order_status import OrderStatus
from domain.reconciliation import (
    CaseKind,
    Entry,
    Finding,
    PaidOrder,
    Remedy,
    Transaction,
    match,
    meaning,
    missing,
    unexplained,
)

BEGINNING = datetime(2026, 1, 31, tzinfo=UTC)
ORDER = UUID(int=7)

# What a transaction is of, and the event that it is: the sign says in or out.
KINDS = (
    ("charge", "ch", Event.CAPTURE, 1),
    ("charge", "ch", Event.TIP, 1),
    ("refund", "re", Event.REFUND, -1),
    ("refund_failure", "re", Event.REFUND_FAILED, 1),
    ("transfer", "tr", Event.TRANSFER, -1),
    ("transfer_refund", "trr", Event.TRANSFER_REVERSED, 1),
    ("adjustment", "du", Event.DISPUTE_OPENED, -1),
    ("adjustment", "du", Event.DISPUTE_WON, 1),
)


def transaction(
    number: int, kind: str, source: str | None, cents: int, intent: str | None = None
) -> Transaction:
    return Transaction(
        id=f"txn_{number}",
        type=kind,
        amount_cents=cents,
        fee_cents=0,
        currency="usd",
        source_id=source,
        payment_intent_id=intent,
        created_at=BEGINNING + timedelta(seconds=number % 3),
    )


def both(number: int, kind: int, cents: int) -> tuple[Transaction, Entry]:
    """A transaction and the movement of the same money."""
    name, prefix, event, sign = KINDS[kind]
    source, intent = f"{prefix}_{number}", f"pi_{number}"
    return (
        transaction(number, name, source, sign * cents, intent),
        Entry(
            movement_id=UUID(int=number),
            event=event,
            cents=sign * cents,
            currency="usd",
            stripe_id=intent if name == "charge" else source,
            order_id=ORDER,
        ),
    )


@st.composite
def halves(draw: st.DrawFn) -> tuple[list[Transaction], list[Entry], set[int]]:
    """Some of both sides of some money, some of it twice, shuffled, and the numbers of what is on
    both sides.
    """
    count = draw(st.integers(0, 12))
    pairs = [
        both(
            number,
            draw(st.integers(0, len(KINDS) - 1)),
            draw(st.integers(1, 3)),
        )
        for number in range(count)
    ]
    numbers = st.sets(st.integers(0, count - 1)) if count else st.just(set[int]())
    theirs, ours = draw(numbers), draw(numbers)
    twice, again = draw(numbers), draw(numbers)
    transactions = [pairs[n][0] for n in [*theirs, *(theirs & twice)]]
    entries = [pairs[n][1] for n in [*ours, *(ours & again)]]
    return (
        draw(st.permutations(transactions)),
        draw(st.permutations(entries)),
        theirs & ours,
    )


@given(halves())
def test_what_is_on_both_sides_is_matched_once_and_the_rest_is_the_difference(
    sides: tuple[list[Transaction], list[Entry], set[int]],
) -> None:
    transactions, entries, on_both = sides

    found = match(transactions, entries)

    assert found.differing == []
    assert {(t.id, e.movement_id) for t, e in found.pairs} == {
        (f"txn_{n}", UUID(int=n)) for n in on_both
    }
    assert len(found.pairs) == len(on_both)
    assert Counter(t.id for t in found.transactions) == Counter(
        {t.id for t in transactions} - {f"txn_{n}" for n in on_both}
    )
    assert Counter(e.movement_id for e in found.entries) == Counter(
        {e.movement_id for e in entries} - {UUID(int=n) for n in on_both}
    )


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2), st.integers(1, 3)), max_size=10),
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2), st.integers(1, 3)), max_size=10),
    st.randoms(use_true_random=False),
)
def test_nothing_is_matched_twice_or_lost_even_where_ids_repeat(
    theirs: list[tuple[int, int, int]], ours: list[tuple[int, int, int]], chance: object
) -> None:
    """Several transactions and movements may be about the same object of Stripe's."""
    transactions = []
    for number, (kind, about, cents) in enumerate(theirs):
        name, prefix, _, sign = KINDS[kind]
        transactions.append(
            transaction(number, name, f"{prefix}_{about}", sign * cents, f"pi_{about}")
        )
    entries = []
    for number, (kind, about, cents) in enumerate(ours):
        other = both(about, kind, cents)[1]
        entries.append(Entry(UUID(int=number), *_rest(other)))
    found = match(transactions, entries)
    chance.shuffle(transactions)  # type: ignore[attr-defined]
    chance.shuffle(entries)  # type: ignore[attr-defined]

    assert match(transactions, entries) == found
    used = [*found.pairs, *found.differing]
    assert sorted([p.transaction.id for p in used] + [t.id for t in found.transactions]) == sorted(
        t.id for t in transactions
    )
    assert sorted(
        [p.entry.movement_id for p in used] + [e.movement_id for e in found.entries]
    ) == sorted(e.movement_id for e in entries)
    for pair in found.pairs:
        assert pair.transaction.amount_cents == pair.entry.cents
    # No transaction and movement are left that would have fitted.
    left = {(e.event, e.stripe_id) for e in found.entries}
    for one in found.transactions:
        means = meaning(one)
        assert means is not None
        assert not any((event, means.stripe_id) in left for event in means.events)


def _rest(entry: Entry) -> tuple[Event, int, str, str | None, UUID | None]:
    return entry.event, entry.cents, entry.currency, entry.stripe_id, entry.order_id


def test_the_same_payment_of_another_amount_differs_and_is_not_matched() -> None:
    charged, captured = both(1, 0, 2660)[0], both(1, 0, 2600)[1]

    found = match([charged], [captured])

    assert (found.pairs, found.differing) == ([], [(charged, captured)])
    assert (found.transactions, found.entries) == ([], [])


@pytest.mark.parametrize("kind", ["topup", "payout", "stripe_fee", "adjustment", "new_at_stripe"])
def test_what_is_no_order_s_and_no_payee_s_is_unknown(kind: str) -> None:
    moved = transaction(1, kind, "xx_1", 100)

    assert meaning(moved) is None
    assert unexplained(moved, None) == Finding(CaseKind.UNKNOWN_TRANSACTION)


@pytest.mark.parametrize(
    ("kind", "status", "finding"),
    [
        ("charge", None, Finding(CaseKind.CHARGE_WITHOUT_ORDER)),
        ("charge", "pending", Finding(CaseKind.PAYMENT_UNHEARD, Remedy.PAYMENT_SUCCEEDED)),
        ("charge", "cancelled", Finding(CaseKind.PAYMENT_UNHEARD, Remedy.PAYMENT_SUCCEEDED)),
        ("charge", "accepted", Finding(CaseKind.PAYMENT_UNHEARD, Remedy.REFUND_SETTLED)),
        ("refund", None, Finding(CaseKind.REFUND_UNKNOWN)),
        ("refund", "delivered", Finding(CaseKind.REFUND_UNKNOWN, Remedy.REFUND_SETTLED)),
        ("refund_failure", "cancelled", Finding(CaseKind.REFUND_UNKNOWN, Remedy.REFUND_SETTLED)),
        ("transfer", None, Finding(CaseKind.UNKNOWN_TRANSACTION)),
    ],
)
def test_what_is_not_booked_is_told_to_the_order_that_can_see_to_it(
    kind: str, status: str | None, finding: Finding
) -> None:
    order = PaidOrder(ORDER, OrderStatus(status)) if status else None

    assert unexplained(transaction(1, kind, "xx_1", 100, "pi_1"), order) == finding


def test_an_order_is_told_of_a_tip_that_came_but_not_of_one_that_went_back() -> None:
    order = PaidOrder(ORDER, OrderStatus.DELIVERED, of_tip=True)

    came, back = (transaction(1, kind, "xx_1", 300, "pi_1") for kind in ("charge", "refund"))

    assert unexplained(came, order) == Finding(CaseKind.PAYMENT_UNHEARD, Remedy.TIP_CHARGED)
    assert unexplained(back, order) == Finding(CaseKind.REFUND_UNKNOWN)


def test_a_movement_without_its_charge_is_not_one_without_its_transfer() -> None:
    assert missing(Event.CAPTURE) is CaseKind.ORDER_WITHOUT_CHARGE
    assert missing(Event.TRANSFER) is CaseKind.MOVEMENT_WITHOUT_TRANSACTION
