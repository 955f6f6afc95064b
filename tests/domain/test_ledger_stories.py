"""Whole stories of money by the rules alone: whatever happens in whatever order, heard of late,
twice or after something else, the books say where every cent is.

Stripe is a few lists here: what it holds is counted from them, never from the books.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID, uuid5

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain import bearing, ledger, refunds
from domain.cancellation import Fault, settle
from domain.ledger import Account, Bearer, Event, Movement, Sale, balances, payable, reverse
from domain.order_status import TRANSITIONS, OrderStatus
from domain.payees import PayeeKind
from domain.pricing import Rates, price, with_tip
from domain.promo import Basket, DiscountType, Promo, judge
from domain.refunds import Amount, CannotBeRefunded, RefundKind

S = OrderStatus
_NAMES = UUID(int=0)
_CHEF, _DRIVER = UUID(int=1), UUID(int=2)
_PAYEES = (payable(PayeeKind.CHEF, _CHEF), payable(PayeeKind.DRIVER, _DRIVER))
_NOW = datetime(2026, 1, 31, tzinfo=UTC)
_ON = {
    S.PAYMENT_CONFIRMED: S.ACCEPTED,
    S.ACCEPTED: S.PREPARING,
    S.PREPARING: S.READY_FOR_PICKUP,
    S.READY_FOR_PICKUP: S.ASSIGNED_TO_DRIVER,
    S.ASSIGNED_TO_DRIVER: S.PICKED_UP,
    S.PICKED_UP: S.IN_TRANSIT,
    S.IN_TRANSIT: S.DELIVERED,
}
_PROMO = Promo("TEN", DiscountType.PERCENT, 1000, "usd", min_order_cents=1000)
_EXPENSES = (
    Account.PROMO_EXPENSE,
    Account.DRIVER_BONUSES,
    Account.REFUND_LOSSES,
    Account.DISPUTE_LOSSES,
)
_REFUNDS = {Event.REFUND, Event.REFUND_FAILED}


@dataclass
class Asked:
    """A refund that was granted."""

    amount: Amount
    bearer: Bearer
    is_made: bool = False


@dataclass
class Back:
    """A refund at Stripe."""

    id: str
    cents: int
    asked: Asked | None = None
    failed: bool = False


@dataclass
class Case:
    """A dispute at Stripe."""

    id: str
    cents: int
    fault: Bearer
    won: bool | None = None
    is_known_to_be_lost: bool = False


@dataclass
class Story:
    """An order, and its payment as Stripe has it."""

    sale: Sale
    manual: bool
    status: OrderStatus = S.PENDING
    held: int = 0
    authorised: int = 0
    captured: int = 0
    kept: int = 0
    tips: list[int] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    refunds: list[Back] = field(default_factory=list)
    disputes: list[Case] = field(default_factory=list)

    @property
    def refunded(self) -> int:
        return sum(back.cents for back in self.refunds if not back.failed)

    @property
    def taken(self) -> int:
        return sum(case.cents for case in self.disputes if not case.won)

    @property
    def refundable(self) -> int:
        return 0 if self.taken else self.captured - self.refunded


@dataclass
class Payout:
    """A payee's money on its way: `state` is one of claimed, transferred, paid, failed."""

    id: UUID
    account: str
    cents: int
    postings: frozenset[tuple[str, int]]
    state: str = "claimed"


class Money(RuleBasedStateMachine):
    """A few orders, two payees, Stripe, and the books."""

    def __init__(self) -> None:
        super().__init__()
        self.books: dict[str, Movement] = {}
        self.stories: list[Story] = []
        self.payouts: list[Payout] = []
        self.fees: dict[str, int] = {}
        self.numbers = 0

    # What customers, chefs, drivers and admins do

    @precondition(lambda self: len(self.stories) < 3)
    @rule(
        lines=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 3)), min_size=1, max_size=3),
        service_bps=st.sampled_from([0, 500]),
        tip=st.sampled_from([0, 1, 300]),
        code=st.booleans(),
        manual=st.booleans(),
        bonus=st.sampled_from([0, 1, 700]),
    )
    def place(
        self,
        lines: list[tuple[int, int]],
        service_bps: int,
        tip: int,
        code: bool,
        manual: bool,
        bonus: int,
    ) -> None:
        rates, off = Rates(service_fee_bps=service_bps), 0
        if code:
            basket = Basket(sum(c * n for c, n in lines), "usd", "austin", _NOW)
            off = judge("TEN", _PROMO, basket, used_by_customer=0).discount_cents
        bill = price(lines, rates, 3.0, tip_cents=tip, discount_cents=off)
        order_id = uuid5(_NAMES, self._name("order"))
        self.stories.append(Story(Sale(order_id, _CHEF, _DRIVER, bill, bonus), manual))

    @rule(which=st.integers(0, 2))
    def pay(self, which: int) -> None:
        for story in self._some(which, S.PENDING):
            story.authorised = story.held = story.sale.bill.total_cents
            story.status = S.PAYMENT_CONFIRMED
            if not story.manual:
                self._capture(story)

    @rule(which=st.integers(0, 2), steps=st.integers(1, 7))
    def go_on(self, which: int, steps: int) -> None:
        for story in self._some(which, *_ON):
            for _ in range(steps):
                story.status = _ON.get(story.status, story.status)
                if story.status is S.ACCEPTED and story.held:
                    self._capture(story)
                if story.status is S.DELIVERED:
                    self._book(ledger.earned(story.sale))
                    self._book(ledger.bonus(story.sale, story.sale.bonus_cents))
                    self._judge_again(story)
                    return

    @rule(which=st.integers(0, 2), fault=st.sampled_from(list(Fault)))
    def cancel(self, which: int, fault: Fault) -> None:
        for story in self._some(which, *(s for s in S if S.CANCELLED in TRANSITIONS[s])):
            settlement = settle(story.status, fault, story.sale.bill, story.sale.bonus_cents)
            left = self._left(story)
            returned = bearing.returned_before_the_end(
                settlement, left, self._left(story, only=_REFUNDS)
            )
            self._book(ledger.cancelled(story.sale, settlement, returned))
            self._book(ledger.bonus(story.sale, settlement.bonus_cents))
            story.status, story.kept = S.CANCELLED, settlement.kept_cents
            self._judge_again(story)
            self._settle(story)

    @rule(
        which=st.integers(0, 2),
        cents=st.none() | st.integers(1, 5000),
        kind=st.sampled_from(list(RefundKind)),
        bearer=st.sampled_from(list(Bearer)),
    )
    def ask_for_a_refund(
        self, which: int, cents: int | None, kind: RefundKind, bearer: Bearer
    ) -> None:
        for story in self._some(which, *S):
            left = self._left_to_refund(story)
            try:
                refunds.check_state(kind, story.status)
                amount = refunds.within(refunds.of_cents(story.sale.bill, cents, left), left)
            except CannotBeRefunded:
                return
            story.asked.append(Asked(amount, bearer))

    @rule(which=st.integers(0, 2))
    def give_back(self, which: int) -> None:
        for story in self._some(which, *S):
            for asked in story.asked:
                if not asked.is_made and asked.amount.cents <= story.refundable:
                    self._refund(story, asked.amount.cents, asked)

    @rule(which=st.integers(0, 2), cents=st.integers(1, 5000))
    def refund_in_the_dashboard(self, which: int, cents: int) -> None:
        for story in self._some(which, *S):
            if cents <= story.refundable:
                self._refund(story, cents)

    @rule(which=st.integers(0, 2), cents=st.integers(50, 500))
    def tip(self, which: int, cents: int) -> None:
        for story in self._some(which, S.DELIVERED):
            bill = story.sale.bill
            story.sale = replace(story.sale, bill=with_tip(bill, bill.tip_cents + cents))
            story.tips.append(cents)
            intent = self._name("pi")
            self.fees[intent] = 30 + cents * 29 // 1000
            self._book(ledger.tipped(story.sale, cents, intent))

    # What banks do

    @rule(which=st.integers(0, 2), part=st.integers(0, 9))
    def fail_a_refund(self, which: int, part: int) -> None:
        for story in self._some(which, *S):
            if story.refunds:
                story.refunds[part % len(story.refunds)].failed = True

    @rule(
        which=st.integers(0, 2),
        cents=st.integers(1, 9999),
        fault=st.sampled_from(list(Bearer)),
    )
    def dispute(self, which: int, cents: int, fault: Bearer) -> None:
        for story in self._some(which, *S):
            if story.refundable:
                case = Case(self._name("du"), min(cents, story.refundable), fault)
                story.disputes.append(case)
                self.fees[case.id] = 1500

    @rule(which=st.integers(0, 2), won=st.booleans())
    def decide(self, which: int, won: bool) -> None:
        for story in self._some(which, *S):
            for case in story.disputes:
                # A bank may change its mind for us, never against.
                if case.won is None or won:
                    case.won = won

    # What we hear of it, in any order

    @rule(which=st.integers(0, 2), first=st.integers(0, 9))
    def hear_of_a_refund(self, which: int, first: int) -> None:
        for story in self._some(which, *S):
            if story.refunds:
                self._hear_refund(story, story.refunds[first % len(story.refunds)])

    @rule(which=st.integers(0, 2))
    def hear_of_disputes(self, which: int) -> None:
        for story in self._some(which, *S):
            self._hear_disputes(story)

    @rule(which=st.integers(0, 2))
    def look(self, which: int) -> None:
        for story in self._some(which, S.CANCELLED):
            self._settle(story)

    # Payouts

    @rule(account=st.sampled_from(_PAYEES))
    def claim(self, account: str) -> None:
        live = {p for payout in self.payouts if payout.state != "failed" for p in payout.postings}
        due = {
            (key, index): posting.cents
            for key, movement in self.books.items()
            if movement.event not in ledger.OF_PAYOUTS
            for index, posting in enumerate(movement.postings)
            if posting.account == account and (key, index) not in live
        }
        cents = -sum(due.values())
        if cents > 0:
            payout_id = uuid5(_NAMES, self._name("payout"))
            self.payouts.append(Payout(payout_id, account, cents, frozenset(due)))

    @rule(which=st.integers(0, 9), bank_takes_it=st.booleans())
    def move_a_payout_on(self, which: int, bank_takes_it: bool) -> None:
        if not self.payouts:
            return
        payout = self.payouts[which % len(self.payouts)]
        whose = (payout.id, payout.account, payout.cents, "usd")
        there = (payout.id, payout.cents, "usd")
        match payout.state:
            case "claimed":
                self._book(ledger.transferred(*there, f"tr_{payout.id}"))
                payout.state = "transferred"
            case "transferred" if bank_takes_it:
                self._book(ledger.paid_out(*whose))
                payout.state = "paid"
            case "paid" if bank_takes_it:
                return
            case "transferred" | "paid":
                if payout.state == "paid":
                    self._book(ledger.payout_returned(*whose))
                self._book(ledger.transfer_reversed(*there, f"trr_{payout.id}"))
                payout.state = "failed"

    # What holds at every moment

    @invariant()
    def every_movement_sums_to_zero(self) -> None:
        for movement in self.books.values():
            assert sum(posting.cents for posting in movement.postings) == 0

    @invariant()
    def refunded_is_within_captured_and_captured_within_authorised(self) -> None:
        for story in self.stories:
            assert 0 <= story.refunded <= story.captured <= story.authorised
            held = sum(a.amount.cents for a in story.asked if not a.is_made)
            assert held <= story.captured

    @invariant()
    def an_order_takes_from_nobody_what_it_did_not_give_him(self) -> None:
        for story in self.stories:
            left = self._left(story)
            for account in (*_PAYEES, Account.TAX_PAYABLE, Account.CUSTOMER_DEPOSITS):
                assert left.get(account, 0) <= 0, account
            for account in _EXPENSES:
                assert left.get(account, 0) >= 0, account

    @invariant()
    def a_bonus_is_the_platforms_and_is_booked_once_it_is_earned(self) -> None:
        for story in self.stories:
            spent = self._left(story).get(Account.DRIVER_BONUSES, 0)
            if story.status is S.DELIVERED:
                assert spent == story.sale.bonus_cents
            elif story.status is not S.CANCELLED:
                assert spent == 0

    @invariant()
    def what_is_owed_to_a_payee_is_in_one_live_payout_or_in_none(self) -> None:
        live = [p for payout in self.payouts if payout.state != "failed" for p in payout.postings]
        assert len(live) == len(set(live))
        for account in _PAYEES:
            own = [p for p in self.payouts if p.account == account]
            unclaimed = -sum(
                posting.cents
                for key, movement in self.books.items()
                if movement.event not in ledger.OF_PAYOUTS
                for index, posting in enumerate(movement.postings)
                if posting.account == account and (key, index) not in live
            )
            under_way = sum(p.cents for p in own if p.state in {"claimed", "transferred"})
            assert -self._balance(account) == unclaimed + under_way
        assert self._balance(Account.PAYOUTS_IN_TRANSIT) == sum(
            payout.cents for payout in self.payouts if payout.state == "transferred"
        )

    @invariant()
    def a_terminal_order_has_no_open_authorisation(self) -> None:
        for story in self.stories:
            if story.status in {S.CANCELLED, S.DELIVERED}:
                assert story.held == 0

    def teardown(self) -> None:
        """When all is heard of, every cent that came in is with somebody."""
        for story in self.stories:
            for back in story.refunds:
                self._hear_refund(story, back)
            self._hear_disputes(story)
            self._deposits_are_what_customers_are_owed(story)
        for source, cents in self.fees.items():
            self._book(ledger.fee(f"txn_{source}", cents, "usd", None, source))
        self.an_order_takes_from_nobody_what_it_did_not_give_him()
        charged = sum(story.captured + sum(story.tips) for story in self.stories)
        gone_back = sum(story.refunded + story.taken for story in self.stories)
        sent = sum(p.cents for p in self.payouts if p.state in {"transferred", "paid"})
        paid = sum(p.cents for p in self.payouts if p.state == "paid")
        fees = sum(self.fees.values())
        assert self._balance(Account.STRIPE_CLEARING) == charged - gone_back - sent - fees
        payees = paid - sum(self._balance(account) for account in _PAYEES)
        platform = -sum(
            self._balance(account)
            for account in (
                Account.PLATFORM_REVENUE,
                *_EXPENSES,
                Account.STRIPE_FEES,
            )
        )
        tax, deposits = (
            -self._balance(Account.TAX_PAYABLE),
            -self._balance(Account.CUSTOMER_DEPOSITS),
        )
        assert charged == payees + platform + tax + fees + gone_back + deposits

    def _deposits_are_what_customers_are_owed(self, story: Story) -> None:
        owed = 0
        if story.status is S.CANCELLED:
            lost = sum(case.cents for case in story.disputes if case.won is False)
            owed = max(0, story.captured - story.kept - story.refunded - lost)
        elif story.status is not S.DELIVERED:
            owed = story.captured
        assert -self._left(story).get(Account.CUSTOMER_DEPOSITS, 0) == owed

    def _some(self, which: int, *statuses: OrderStatus) -> list[Story]:
        """One of the orders that stand so, or none."""
        found = [story for story in self.stories if story.status in statuses]
        return [found[which % len(found)]] if found else []

    def _name(self, kind: str) -> str:
        self.numbers += 1
        return f"{kind}_{self.numbers}"

    def _book(self, movement: Movement) -> None:
        """Once by its key, and nothing that is nothing, as the database does."""
        if movement.postings:
            self.books.setdefault(movement.key, movement)

    def _left(self, story: Story, only: set[Event] | None = None) -> Mapping[str, int]:
        own = (m for m in self.books.values() if m.order_id == story.sale.order_id)
        return balances(m for m in own if only is None or m.event in only)

    def _balance(self, account: str) -> int:
        return balances(self.books.values()).get(account, 0)

    def _capture(self, story: Story) -> None:
        intent = self._name("pi")
        story.captured, story.held = story.held, 0
        if story.captured:
            self.fees[intent] = 30 + story.captured * 29 // 1000
        self._book(ledger.captured(story.sale, story.captured, intent))

    def _refund(self, story: Story, cents: int, asked: Asked | None = None) -> Back:
        back = Back(self._name("re"), cents, asked)
        story.refunds.append(back)
        if asked:
            asked.is_made = True
        return back

    def _hear_refund(self, story: Story, back: Back) -> None:
        """As schema.queries.bookings.refund."""
        key = f"order-{story.sale.order_id}:refund:{back.id}"
        if key not in self.books:
            asked = back.asked
            shares = bearing.of_refund(
                story.sale,
                story.status,
                self._left(story),
                back.cents,
                asked.bearer if asked else Bearer.PLATFORM,
                tax_cents=asked.amount.tax_cents if asked else None,
            )
            assert shares.total == back.cents
            self._book(ledger.refunded(story.sale, shares, back.id))
        if back.failed:
            cancelled = self._left(story, only={Event.CANCELLED})
            others = self._left(story, only=_REFUNDS)
            self._book(bearing.failed(self.books[key], story.kept, cancelled, others))

    def _hear_disputes(self, story: Story) -> None:
        """As schema.queries.bookings.dispute."""
        for case in story.disputes:
            self._book(ledger.dispute_opened(story.sale, case.cents, case.id))
            case.is_known_to_be_lost = case.won is False
            if case.won:
                self._book(ledger.dispute_won(story.sale, case.cents, case.id))
                lost = self.books.get(f"{case.id}:lost")
                if lost is not None:
                    self._book(reverse(lost))
        self._judge_again(story)

    def _judge_again(self, story: Story) -> None:
        for case in story.disputes:
            if case.is_known_to_be_lost and f"{case.id}:lost" not in self.books:
                shares = bearing.of_lost_dispute(
                    story.sale, story.status, self._left(story), case.cents, case.fault
                )
                assert shares.total == case.cents
                movement = ledger.dispute_lost(story.sale, shares, case.id)
                if movement is not None:
                    self._book(movement)

    def _settle(self, story: Story) -> None:
        """As activities.payments.settle_payment, of an order that was cancelled."""
        story.held = 0
        for back in story.refunds:
            self._hear_refund(story, back)
        heard = sum(
            c.cents for c in story.disputes if not c.won and f"{c.id}:withdrawn" in self.books
        )
        asked = sum(back.cents for back in story.refunds)
        due = story.captured - asked - heard - story.kept
        if 0 < due <= story.refundable:
            self._hear_refund(story, self._refund(story, due))

    def _left_to_refund(self, story: Story) -> Amount:
        """As schema.queries.refunds.left_of."""
        bill = story.sale.bill
        past_us = sum(b.cents for b in story.refunds if b.asked is None and not b.failed)
        failed = [b.asked for b in story.refunds if b.failed]
        held = [asked for asked in story.asked if asked not in failed]
        cents = max(
            0, story.captured - past_us - story.taken - sum(asked.amount.cents for asked in held)
        )
        tax = bill.tax_cents - sum(asked.amount.tax_cents for asked in held)
        tax -= refunds.tax_in(bill, past_us + story.taken)
        return Amount(cents, max(0, min(cents, tax)))


TestMoney = Money.TestCase
TestMoney.settings = settings(
    max_examples=80, stateful_step_count=40, deadline=None, derandomize=True
)
