"""A story of money: orders in one house, what people and banks do to them, and what is to be so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import stripe
from uuid_utils.compat import uuid7

from domain.cancellation import Fault, settle
from domain.ledger import Account, Bearer
from domain.order_status import TRANSITIONS, OrderStatus
from domain.payees import PayeeKind
from domain.payouts import PayoutStatus
from domain.refunds import RefundKind
from schema.messages.disputes import DisputeRef
from schema.messages.money import OpenPayment, PaymentRef, PaymentStatus, Settling
from schema.messages.order import CaptureMethod, Order, TipToCharge
from schema.messages.payouts import Payout, PayoutStart, PayoutStep
from schema.messages.refund import Begin, GiveBack, RefundAsk, RefundTerms
from schema.tables.columns import now
from tests.activities.money_house import House, Weather
from tests.books import books

S = OrderStatus
_ON = {
    S.PAYMENT_CONFIRMED: S.ACCEPTED,
    S.ACCEPTED: S.PREPARING,
    S.PREPARING: S.IN_TRANSIT,
    S.IN_TRANSIT: S.DELIVERED,
}
_CANCELLABLE = frozenset(s for s in S if S.CANCELLED in TRANSITIONS[s])
PLATFORMS = list(Fault).index(Fault.PLATFORM)
_REASONS = ["fraudulent", "product_unacceptable", "product_not_received"]


@dataclass
class Story:
    """Two orders of one house, and what befalls them."""

    house: House
    placed: list[UUID] = field(default_factory=list)

    async def begin(self, manual: bool, tip_cents: int, steps: int) -> None:
        """An order is placed, and (`steps` not below nothing) paid for, and goes its way so far."""
        house = self.house
        placing = house.world.placing(tip_cents=tip_cents)
        order = await house.run(house.orders.begin_order, lambda _: placing)
        assert order is not None
        asked = OpenPayment(
            order_id=order.id,
            order_number=order.number or "",
            customer_id=order.customer_id,
            amount_cents=order.price.total_cents,
            currency="usd",
            capture_method=CaptureMethod.MANUAL if manual else CaptureMethod.AUTOMATIC,
        )
        opened = await house.run(house.payments.open_payment, lambda _: asked)
        if opened is not None:
            self.placed.append(order.id)
            house.secrets[order.id] = opened.client_secret
        if steps >= 0:
            await self.pay(await house.order(order.id))
        if steps > 0:
            await self.go_on(await house.order(order.id), steps)

    async def pay(self, order: Order, _: int = 0) -> None:
        intent = await self._intent(order)
        if intent.status == "requires_payment_method":
            await self.house.wallet.pay(self.house.secrets[order.id], "pm_card_bypassPending")
        if order.status is S.PENDING:
            received = (await self._intent(order)).amount_received
            await self.house.move(order, S.PAYMENT_CONFIRMED, captured_cents=received)

    async def go_on(self, order: Order, how_far: int) -> None:
        for _ in range(1 + (how_far - 1) % 4):
            order = await self.house.order(order.id)
            to = _ON.get(order.status)
            if to is None:
                return
            ref = self._ref(order)
            if to is S.ACCEPTED and not order.captured_cents:
                captured = await self.house.run(
                    self.house.payments.capture_payment, lambda _, ref=ref: ref
                )
                if captured is None:
                    await self.cancel(order, 0)
                    return
            await self.house.move(order, to, **(self._drive(order) if to is S.IN_TRANSIT else {}))

    def _drive(self, order: Order) -> dict[str, Any]:
        """Each order has a driver of its own, and the second one nobody takes without a bonus."""
        which = self.placed.index(order.id)
        return {
            "driver_id": self.house.world.drivers[which].id,
            "driver_bonus_cents": 300 * which,
        }

    async def cancel(self, order: Order, whose: int) -> None:
        if order.status not in _CANCELLABLE:
            return
        fault = list(Fault)[whose % 4]
        kept = settle(order.status, fault, order.price, order.driver_bonus_cents)
        await self.house.move(
            order,
            S.CANCELLED,
            kept_cents=kept.kept_cents,
            chef_earning_cents=kept.chef_cents,
            driver_earning_cents=kept.driver_cents,
            driver_bonus_cents=kept.bonus_cents,
        )
        await self.look(await self.house.order(order.id))

    async def look(self, order: Order, _: int = 0) -> None:
        """What an order does when it hears of its payment: an ended one sees to its money."""
        keep = order.kept_cents or 0 if order.status is S.CANCELLED else None
        settled = await self.house.run(
            self.house.payments.settle_payment,
            lambda refused: Settling(
                **dict(self._ref(order)), keep_cents=keep, reason="look", refused_before=refused
            ),
        )
        if (
            settled is not None
            and order.status is S.DELIVERED
            and settled.refunded_cents == settled.captured_cents > 0
        ):
            await self.house.move(order, S.REFUNDED)

    async def refund(self, order: Order, cents: int) -> None:
        ask = RefundAsk(
            id=uuid7(),
            order_id=order.id,
            kind=RefundKind.ADMIN,
            asked_by=self.house.world.admin.user_id,
            bearer=list(Bearer)[cents % 3],
            reason="quality",
            amount_cents=cents,
        )
        begin = Begin(ask=ask, terms=RefundTerms(), at=now())
        if await self.house.run(self.house.refunds.begin_refund, lambda _: begin) is not None:
            await self.house.run(
                self.house.refunds.give_back,
                lambda refused: GiveBack(request_id=ask.id, refused_before=refused),
            )

    async def refund_in_the_dashboard(self, order: Order, cents: int) -> None:
        intent = str(order.payment_intent_id)
        try:
            await self.house.stripe.refund(intent, cents, reason="by hand", key=f"hand-{uuid7()}")
        except stripe.InvalidRequestError:
            return  # so much is not left, or the bank has it
        await self.look(order)

    async def fail_a_refund(self, order: Order, which: int) -> None:
        made = [r for r in await self._refunds(order) if r.status == "succeeded"]
        if made:
            refund = made[which % len(made)]
            await self.house.control(f"refunds/{refund.id}/settle", {"outcome": "failed"})
            await self.look(order)

    async def tip(self, order: Order, cents: int) -> None:
        if order.status is S.DELIVERED:
            tip = TipToCharge(
                order_id=order.id,
                order_number=order.number or "",
                payment_intent_id=str(order.payment_intent_id),
                tip_cents=order.price.tip_cents + max(50, cents),
            )
            await self.house.run(self.house.tips.charge_tip, lambda _: tip)

    async def dispute(self, order: Order, cents: int) -> None:
        body: dict[str, Any] = {
            "payment_intent": order.payment_intent_id,
            "reason": _REASONS[cents % 3],
            "inquiry": cents % 7 == 0,
        }
        if cents % 2:
            body["amount"] = cents
        refused = await self.house.http.post("/_control/disputes", json=body)
        if refused.is_success:
            await self._look_at_disputes(order)

    async def decide(self, order: Order, how: int) -> None:
        for dispute in await self._disputes(order):
            if dispute.status not in {"won", "lost", "warning_closed"}:
                outcome = ["won", "lost", "escalated"][how % 3]
                path = f"disputes/{dispute.id}/decide"
                await self.house.http.post(f"/_control/{path}", json={"outcome": outcome})
        await self._look_at_disputes(order)

    async def pay_out(self, _: Order, how: int) -> None:
        """A day's payout of everybody; the bank says yes, no, nothing yet, or no later on."""
        house, terms = self.house, self.house.terms()
        payees = [(PayeeKind.CHEF, house.world.chef.id)]
        payees += [(PayeeKind.DRIVER, driver.id) for driver in house.world.drivers]
        for kind, payee_id in payees:
            start = PayoutStart(terms=terms, kind=kind, payee_id=payee_id)
            claimed = await house.run(house.payouts.claim_payout, lambda _, start=start: start)
            assert claimed is not None
            if claimed.payout is not None:
                outcomes = [("paid",), ("failed",), (), ("paid", "failed")][how % 4]
                await self._move_on(claimed.payout, outcomes)

    async def _move_on(self, payout: Payout, outcomes: tuple[str, ...]) -> None:
        house = self.house
        await house.control(f"accounts/{payout.account_id}/payouts", {"outcome": "held"})
        for step in (house.payouts.make_transfer, house.payouts.pay_out):
            moved = await house.run(step, self._step(payout))
            if moved is None:
                return
            payout = moved
        for outcome in outcomes:
            path = f"payouts/{payout.payout_id}/settle"
            await house.control(path, {"outcome": outcome})
            seen = await house.run(house.payouts.look_at_payout, self._step(payout))
            assert seen is not None
            payout = seen
        if payout.status is PayoutStatus.RETURNING:
            await house.run(house.payouts.fetch_back, self._step(payout))

    def _step(self, payout: Payout) -> Any:
        return lambda refused: PayoutStep(payout=payout, tried=refused, refused_before=refused)

    async def _look_at_disputes(self, order: Order) -> None:
        for dispute in await self._disputes(order):
            ref = DisputeRef(dispute_id=dispute.id)
            await self.house.run(self.house.disputes.look_at_dispute, lambda _, ref=ref: ref)
        await self.look(await self.house.order(order.id))

    async def _intent(self, order: Order) -> stripe.PaymentIntent:
        return await self.house.stripe.intent(str(order.payment_intent_id))

    async def _refunds(self, order: Order) -> list[stripe.Refund]:
        intent = await self._intent(order)
        # Money that was only held and let go shows up as a refund too.
        return await self.house.stripe.refunds(intent.id) if intent.amount_received else []

    async def _disputes(self, order: Order) -> list[stripe.Dispute]:
        listed = await self.house.stripe.client.v1.disputes.list_async(
            {"payment_intent": str(order.payment_intent_id)}
        )
        return list(listed.data)

    def _ref(self, order: Order) -> PaymentRef:
        return PaymentRef(order_id=order.id, payment_intent_id=str(order.payment_intent_id))

    # What is to be so

    async def books_are_sound(self) -> None:
        """What holds at every moment."""
        house = self.house
        uneven = "SELECT 1 FROM ledger_postings GROUP BY movement_id HAVING sum(amount_cents) <> 0"
        assert await house.sql(uneven) == []
        bounds = (
            "SELECT 1 FROM payments WHERE refunded_cents NOT BETWEEN 0 AND captured_cents"
            " OR captured_cents > amount_cents"
        )
        assert await house.sql(bounds) == []
        twice = (
            "SELECT 1 FROM payout_items WHERE released_at IS NULL"
            " GROUP BY posting_id HAVING count(*) > 1"
        )
        assert await house.sql(twice) == []
        owed = await house.sql(_OWED)
        assert [row for row in owed if row.balance != row.unclaimed + row.under_way] == []
        taken = await house.sql(_TAKEN)
        assert taken == [], "an order took what it had not given"

    async def end(self) -> None:
        """All is heard of and fees are booked: where every cent is that came in."""
        house, house.weather = self.house, Weather()
        for order_id in self.placed:
            await self._look_at_disputes(await house.order(order_id))
            await self._payment_is_as_stripe_has_it(await house.order(order_id))
        report = await house.reconcile()
        balances = await house.balances()
        assert report.opened == 0
        for usd in report.balances:
            assert usd.difference_cents == usd.unmatched_cents == 0
            assert usd.clearing_cents == usd.stripe_cents
        money = await self._moved()
        assert balances.get(Account.STRIPE_CLEARING, 0) == sum(money.values())
        # What is on its way to a bank is owed still.
        owed = -sum(cents for account, cents in balances.items() if ":" in account)
        in_banks = -money["payouts"] - balances.get(Account.PAYOUTS_IN_TRANSIT, 0)
        platform = -sum(balances.get(account, 0) for account in _PLATFORM)
        tax, deposits = (
            -balances.get(account, 0)
            for account in (Account.TAX_PAYABLE, Account.CUSTOMER_DEPOSITS)
        )
        gone_back, fees = -money["refunds"] - money["disputes"], -money["fees"]
        assert money["charges"] == owed + in_banks + platform + tax + fees + gone_back + deposits

    async def _payment_is_as_stripe_has_it(self, order: Order) -> None:
        intent = await self._intent(order)
        if order.status in {S.CANCELLED, S.DELIVERED, S.REFUNDED}:
            assert intent.status != "requires_capture"
        (payment,) = await self.house.sql(
            "SELECT * FROM payments WHERE order_id = :order_id", order_id=order.id
        )
        theirs = {
            refund.id: (refund.amount, refund.status) for refund in await self._refunds(order)
        }
        given = sum(cents for cents, status in theirs.values() if status == "succeeded")
        assert (payment.captured_cents, payment.refunded_cents) == (intent.amount_received, given)
        assert (payment.status == PaymentStatus.CAPTURED) == bool(intent.amount_received)
        ours = await self.house.sql(
            "SELECT stripe_refund_id, amount_cents, status FROM refunds WHERE order_id = :order_id",
            order_id=order.id,
        )
        assert {row[0]: (row[1], row[2]) for row in ours} == theirs
        lost = sum(d.amount for d in await self._disputes(order) if d.status == "lost")
        owed = 0
        if order.status is S.CANCELLED:
            owed = max(0, intent.amount_received - (order.kept_cents or 0) - given - lost)
        elif order.status not in {S.DELIVERED, S.REFUNDED}:
            owed = intent.amount_received
        booked = await books(self.house.database, order.id)
        assert -booked.get(Account.CUSTOMER_DEPOSITS, 0) == owed

    async def _moved(self) -> Mapping[str, int]:
        """What moved on the balance by Stripe's own list, in cents."""
        listed = await self.house.stripe.client.v1.balance_transactions.list_async({"limit": 100})
        cents = dict.fromkeys(("charges", "refunds", "disputes", "payouts", "fees"), 0)
        async for moved in listed.auto_paging_iter():
            cents[_KINDS[moved.type]] += moved.amount
            cents["fees"] -= moved.fee
        return cents


_KINDS = {
    "charge": "charges",
    "refund": "refunds",
    "refund_failure": "refunds",
    "adjustment": "disputes",
    "transfer": "payouts",
    "transfer_refund": "payouts",
}
_PLATFORM = (
    Account.PLATFORM_REVENUE,
    Account.PROMO_EXPENSE,
    Account.DRIVER_BONUSES,
    Account.REFUND_LOSSES,
    Account.DISPUTE_LOSSES,
    Account.STRIPE_FEES,
)
_OWED = """
    SELECT a.code,
        (SELECT coalesce(-sum(amount_cents), 0) FROM ledger_postings WHERE account = a.code)
            AS balance,
        (SELECT coalesce(-sum(p.amount_cents), 0)
            FROM ledger_postings p JOIN ledger_movements m ON m.id = p.movement_id
            WHERE p.account = a.code AND m.event NOT IN ('payout_paid', 'payout_returned')
            AND NOT EXISTS (SELECT 1 FROM payout_items i
                WHERE i.posting_id = p.id AND i.released_at IS NULL)) AS unclaimed,
        (SELECT coalesce(sum(total_paid_cents), 0) FROM payouts
            WHERE payee_id = a.payee_id AND status NOT IN ('paid', 'failed')) AS under_way
    FROM ledger_accounts a WHERE a.payee_id IS NOT NULL
"""
_TAKEN = """
    SELECT m.order_id, p.account, sum(p.amount_cents)
    FROM ledger_postings p JOIN ledger_movements m ON m.id = p.movement_id
    WHERE m.order_id IS NOT NULL
    GROUP BY 1, 2
    HAVING CASE
        WHEN p.account IN ('refund_losses', 'dispute_losses', 'promo_expense', 'driver_bonuses')
            THEN sum(p.amount_cents) < 0
        WHEN p.account LIKE '%:%' OR p.account IN ('tax_payable', 'customer_deposits')
            THEN sum(p.amount_cents) > 0
        ELSE false END
"""
