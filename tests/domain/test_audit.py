"""What a payee should have been paid comes to the same as setting postings aside one by one."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain import audit
from domain.audit import IN_FLIGHT, Entry, Taken
from domain.ledger import Event

BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)
STEP = 2 * IN_FLIGHT

earnings = st.tuples(st.just("book"), st.integers(-5000, 5000).filter(bool))
# A payout of all that was booked before so many steps ago.
claims = st.tuples(st.just("pay"), st.integers(0, 4))
returns = st.tuples(st.just("return"), st.integers(0, 9))
stories = st.lists(st.one_of(earnings, claims, returns), max_size=40)


@dataclass
class Books:
    """A payee's account, and payouts that take what is in no live one, entry by entry."""

    now: datetime = BEGINNING
    entries: list[Entry] = field(default_factory=list)
    payouts: list[Taken] = field(default_factory=list)
    cut_offs: dict[UUID, datetime] = field(default_factory=dict)

    def play(self, story: Sequence[tuple[str, int]]) -> None:
        for deed, number in story:
            self.now += STEP
            if deed == "book":
                self._book(number, Event.EARNED)
            elif deed == "pay":
                self._pay(self.now - number * STEP)
            elif self.payouts:
                self._return(number % len(self.payouts))

    def open(self, cut_off: datetime) -> list[Entry]:
        taken = frozenset[UUID]().union(*(payout.live_items for payout in self.payouts))
        return [
            e
            for e in self.entries
            if e.event is Event.EARNED and e.booked_at < cut_off and e.id not in taken
        ]

    def _book(self, cents: int, event: Event) -> None:
        number = UUID(int=len(self.entries))
        self.entries.append(Entry(number, cents, event, self.now, f"RND-{number.int}"))

    def _pay(self, cut_off: datetime) -> None:
        found = self.open(cut_off)
        cents = sum(entry.cents for entry in found)
        if cents < 1:
            return
        items = frozenset(entry.id for entry in found)
        payout = Taken(UUID(int=len(self.payouts)), cents, self.now, None, items, items)
        self.payouts.append(payout)
        self.cut_offs[payout.payout_id] = cut_off
        # Money that reaches the bank is on the account, too, and nobody has earned it.
        self._book(-cents, Event.PAYOUT_PAID)

    def _return(self, number: int) -> None:
        payout = self.payouts[number]
        if payout.returned_at is None:
            self.payouts[number] = replace(
                payout, returned_at=self.now, live_items=frozenset[UUID]()
            )
            self._book(payout.cents, Event.PAYOUT_RETURNED)


def told(story: Sequence[tuple[str, int]]) -> Books:
    books = Books()
    books.play(story)
    return books


@given(stories)
def test_every_payout_took_what_was_owed(story: Sequence[tuple[str, int]]) -> None:
    books = told(story)
    for payout in books.payouts:
        due = audit.owed_to(payout, books.entries, books.payouts, books.cut_offs[payout.payout_id])

        assert due.cents == payout.cents
        assert audit.misplaced(payout, books.entries, due.entries) == ([], [])
        assert audit.twice(payout, books.entries, books.payouts) == []


@given(stories, st.integers(0, 4))
def test_what_is_owed_now_is_what_no_live_payout_has(
    story: Sequence[tuple[str, int]], ago: int
) -> None:
    books = told(story)
    cut_off = books.now - ago * STEP

    now = books.now + STEP
    due = audit.owed(books.entries, books.payouts, cut_off=cut_off, at=now)

    assert due.cents == sum(entry.cents for entry in books.open(cut_off))
    assert list(due.entries) == books.open(cut_off)


@given(stories, st.data())
def test_an_entry_that_a_payout_lost_is_named(
    story: Sequence[tuple[str, int]], data: st.DataObject
) -> None:
    books = told([*story, ("book", 50_000 * 40), ("pay", 0)])
    payout = books.payouts[-1]
    lost = data.draw(st.sampled_from([e for e in books.entries if e.id in payout.items]))
    less = replace(payout, items=payout.items - {lost.id}, live_items=payout.live_items - {lost.id})
    payouts = [*books.payouts[:-1], less]

    due = audit.owed_to(less, books.entries, payouts, books.cut_offs[payout.payout_id])

    assert due.cents == payout.cents
    assert audit.misplaced(less, books.entries, due.entries) == ([], [lost])


@given(stories)
def test_an_entry_that_is_paid_twice_is_named_and_not_owed(
    story: Sequence[tuple[str, int]],
) -> None:
    books = told([*story, ("book", 50_000 * 40), ("pay", 0), ("book", 700), ("pay", 0)])
    first, second = books.payouts[-2:]
    again = next(iter(sorted(first.items)))
    cents = next(e.cents for e in books.entries if e.id == again)
    more = replace(
        second,
        cents=second.cents + cents,
        items=second.items | {again},
        live_items=second.live_items | {again},
    )
    payouts = [*books.payouts[:-1], more]

    due = audit.owed_to(more, books.entries, payouts, books.cut_offs[second.payout_id])

    assert due.cents == second.cents
    assert [e.id for e in audit.twice(more, books.entries, payouts)] == [again]
    assert [e.id for e in audit.misplaced(more, books.entries, due.entries)[0]] == [again]


def test_what_was_committed_after_the_claim_is_left_to_the_next() -> None:
    first = Entry(UUID(int=1), 1601, Event.EARNED, BEGINNING, "RND-1")
    late = Entry(UUID(int=2), 500, Event.EARNED, BEGINNING + timedelta(minutes=5), "RND-2")
    claimed_at = late.booked_at + timedelta(seconds=1)
    items = frozenset({first.id})
    payout = Taken(UUID(int=1), 1601, claimed_at, None, items, items)

    due = audit.owed_to(payout, [first, late], [payout], claimed_at + timedelta(hours=1))

    assert (due.cents, due.entries) == (1601, (first,))
