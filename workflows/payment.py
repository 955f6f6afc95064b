"""An order's payment: asked for, confirmed by Stripe, captured, and given back when it must be."""

import asyncio
from collections.abc import Collection
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from workflows.options import AT_ONCE, DATABASE, HOWEVER_LONG, SOON, stripe_call
from workflows.search import TOTAL_CENTS
from workflows.steps import Steps, until

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from activities.payments import PaymentActivities
    from domain.notifications import Alert
    from domain.order_status import Actor, OrderStatus
    from domain.pricing import Price, with_tip
    from schema.messages.money import (
        DisputeClosed,
        DisputeOpened,
        NewAmount,
        OpenedPayment,
        OpenPayment,
        PaymentFailed,
        PaymentRef,
        PaymentSucceeded,
        Settled,
        Settling,
    )
    from schema.messages.order import Changes, NewPrice, Order, Terms, Who

STRIPE = Who(role=Actor.STRIPE)

_UNCAPTURED = frozenset({OrderStatus.PENDING, OrderStatus.PAYMENT_CONFIRMED})

# What Stripe refuses today (too little on the account, say) it may grant tomorrow.
_ASK_AGAIN = timedelta(days=1)


class OrderPayment:
    """The money side of an order."""

    MOST_TIP_CHANGES = 20

    def __init__(self, steps: Steps, terms: Terms) -> None:
        self._steps = steps
        self._terms = terms
        self._refusals: set[str] = set()
        self._tips_changed = 0
        self._refused_settlements = 0
        self._open_disputes: set[str] = set()
        self._ended_disputes: set[str] = set()
        # What is written down of the payment is what was seen last.
        self._looking = asyncio.Lock()
        # Each amount that Stripe was asked to change the payment to.
        self._asked_for: dict[int, Price] = {}
        self.opened: OpenedPayment | None = None
        self.unavailable = False
        # An ended order's money is looked at once, and again whenever Stripe has news of it.
        self.unsettled = True

    @property
    def is_open(self) -> bool:
        """Whether Stripe knows of the payment."""
        return self._steps.has_begun and self._steps.order.payment_intent_id is not None

    async def open(self) -> None:
        """Ask Stripe for the payment; an order that cannot be paid for is cancelled."""
        order = self._steps.order
        try:
            self.opened = await workflow.execute_activity_method(
                PaymentActivities.open_payment,
                OpenPayment(
                    order_id=order.id,
                    order_number=order.number or "",
                    customer_id=order.customer_id,
                    amount_cents=order.price.total_cents,
                    currency=order.price.currency,
                    capture_method=self._terms.capture_method,
                ),
                summary=f"ask Stripe for {order.price.total_cents} {order.price.currency} cents",
                **stripe_call(within=self._terms.payment_deadline),
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("no payment for %s: %s", order.number, error)
            self.unavailable = True
            await self._give_up("payment_unavailable", {OrderStatus.PENDING})
        else:
            self._steps.learn(payment_intent_id=self.opened.payment_intent_id)

    async def succeeded(self, fact: PaymentSucceeded) -> None:
        """Stripe has the money, or (with manual capture) the card's word for it.

        A payment that arrives for an order that was cancelled in the meantime goes back.
        """
        # It may be heard of before we have written down which payment it is.
        await workflow.wait_condition(
            lambda: (
                self.is_open or self.unavailable or self._steps.status is not OrderStatus.PENDING
            )
        )
        async with self._steps.noting():
            captured = fact.amount_cents if fact.captured else 0
            if self._steps.status is OrderStatus.CANCELLED:
                self._steps.learn(captured_cents=captured)
                self.unsettled = True
            elif self._steps.status is OrderStatus.PENDING:
                if fact.amount_cents != self._steps.order.price.total_cents:
                    await self._reconcile(fact.amount_cents)
                if fact.amount_cents < self._steps.order.price.total_cents:
                    return
                await self._steps.move(
                    OrderStatus.PAYMENT_CONFIRMED,
                    STRIPE,
                    changes=lambda _: Changes(captured_cents=captured),
                )

    async def _reconcile(self, cents: int) -> None:
        """Stripe has another amount than the order: a tip explains it, or somebody must look."""
        price = self._asked_for.get(cents)
        if price is not None:
            # The change had worked, and its answer was lost on the way.
            await self._write_price(price)
        else:
            await self._steps.alarm(Alert.PAYMENT_MISMATCH, amount_cents=cents)

    async def failed(self, fact: PaymentFailed) -> None:
        """A card was refused: the customer may try another, a few times.

        A payment that is over for good ends an order that was only authorised, too.
        """
        self._refusals.add(fact.event_id)
        if fact.final:
            await self._give_up(f"payment_failed: {fact.reason}", _UNCAPTURED)
        elif len(self._refusals) >= self._terms.payment_attempts:
            await self._give_up(f"payment_failed: {fact.reason}", {OrderStatus.PENDING})

    async def capture(self) -> None:
        """Charge what was authorised. Raises a refusal when the bank does not give it any more."""
        order = self._steps.order
        if order.captured_cents:
            return
        try:
            captured = await workflow.execute_activity_method(
                PaymentActivities.capture_payment,
                self._ref(order),
                summary=f"capture {order.price.total_cents} {order.price.currency} cents",
                **stripe_call(within=SOON),
            )
        except ActivityError as error:
            await self._steps.cancel(STRIPE, "payment_not_captured")
            raise self._steps.refusal(
                "PaymentNotCaptured", "the payment could not be captured; the order is cancelled"
            ) from error
        self._steps.learn(captured_cents=captured)

    @property
    def tip_is_settled(self) -> bool:
        """Whether the tip has been changed as often as anybody may need to.

        Temporal takes 2000 updates of a workflow; the others are for bringing the order home.
        """
        return self._tips_changed >= self.MOST_TIP_CHANGES

    async def change_tip(self, tip_cents: int) -> None:
        """Let the payment be for another tip, as long as it is not made. Raises a refusal after."""
        order = self._steps.order
        price = with_tip(order.price, tip_cents)
        self._tips_changed += 1
        self._asked_for[price.total_cents] = price
        try:
            await workflow.execute_activity_method(
                PaymentActivities.change_amount,
                NewAmount(
                    **dict(self._ref(order)),
                    amount_cents=price.total_cents,
                    step=f"{workflow.info().run_id}:{self._tips_changed}",
                ),
                summary=f"ask for {price.total_cents} {price.currency} cents instead",
                **stripe_call(within=AT_ONCE),
            )
        except ActivityError as error:
            # Not heard of in time, it may have worked: what is paid in the end will tell.
            raise self._steps.refusal(
                "TipLocked", "the payment does not take another amount now"
            ) from error
        await self._write_price(price)

    async def _write_price(self, price: Price) -> None:
        await workflow.execute_local_activity_method(
            OrderActivities.set_price,
            NewPrice(order_id=self._steps.order.id, price=price),
            summary="write the new price",
            **DATABASE,
        )
        self._steps.learn(price=price)
        workflow.upsert_search_attributes([TOTAL_CENTS.value_set(price.total_cents)])

    async def settle(self) -> None:
        """See an ended order's money to where it belongs; ops is told where that fails."""
        while self.unsettled:
            self.unsettled = False
            settled = await self._settle(self._steps.order.kept_cents or 0)
            if settled is None:
                self._refused_settlements += 1
                await self._steps.alarm(Alert.REFUND_FAILED, reason="refused_by_stripe")
                again = workflow.now() + _ASK_AGAIN
                self._steps.say(f"Stripe refuses the refund; asked again at {again:%H:%M} UTC")
                await until(lambda: self.unsettled, again, "ask for the refund again")
                self.unsettled = True
                continue
            if settled.failed_cents:
                await self._steps.alarm(Alert.REFUND_FAILED, amount_cents=settled.failed_cents)
            if not settled.pending_cents:
                return
            due = workflow.now() + self._terms.refund_overdue
            self._steps.say(f"Waiting for the bank to refund {settled.pending_cents} cents")
            if not await until(lambda: self.unsettled, due, "refund overdue"):
                await self._steps.alarm(Alert.REFUND_OVERDUE, amount_cents=settled.pending_cents)

    @property
    def is_disputed(self) -> bool:
        """Whether the customer's bank has taken the money, and not decided yet."""
        known = {*self._open_disputes, *self._steps.order.disputes_open}
        return bool(known - self._ended_disputes)

    async def look(self, reason: str = "refunded_at_stripe") -> None:
        """Write down what Stripe says of the payment; a delivered order may be refunded by it."""
        # Stripe may take its time: the order goes on meanwhile.
        settled = await self._settle(None)
        async with self._steps.noting():
            refundable = {OrderStatus.DELIVERED, OrderStatus.DISPUTED}
            if settled is None or self._steps.status not in refundable:
                return
            if settled.refunded_cents == settled.captured_cents > 0:
                await self._steps.move(OrderStatus.REFUNDED, Who(role=Actor.ADMIN), reason=reason)

    async def disputed(self, fact: DisputeOpened) -> None:
        """The customer's bank wants the money back, or only asks."""
        async with self._steps.noting():
            if fact.dispute_id in {*self._ended_disputes, *self._steps.order.disputes_over}:
                # Told by an attempt that was thought to have failed.
                return
            if not fact.inquiry:
                self._open_disputes.add(fact.dispute_id)
            if self._steps.status is OrderStatus.DELIVERED and not fact.inquiry:
                await self._steps.move(OrderStatus.DISPUTED, STRIPE, reason=fact.reason)
            else:
                # No money has moved yet, or the order is one that cannot become disputed.
                await self._steps.alarm(Alert.DISPUTE, key=fact.dispute_id, reason=fact.reason)

    async def dispute_ended(self, fact: DisputeClosed) -> None:
        """The bank has decided who keeps the money."""
        self._ended_disputes.add(fact.dispute_id)
        async with self._steps.noting():
            if self._steps.status is OrderStatus.CANCELLED:
                # What the bank had taken and gave again is the customer's.
                self.unsettled = True
            elif self._steps.status is OrderStatus.DELIVERED and not fact.won:
                # It was still under way when the dispute was opened.
                await self._steps.move(OrderStatus.DISPUTED, STRIPE, reason=fact.dispute_id)
            if self._steps.status is OrderStatus.DISPUTED:
                if fact.won and (self.is_disputed or await self._steps.open_complaints()):
                    return
                verdict = OrderStatus.DELIVERED if fact.won else OrderStatus.REFUNDED
                await self._steps.move(verdict, STRIPE, reason=fact.dispute_id)

    async def _settle(self, keep_cents: int | None) -> Settled | None:
        order = self._steps.order
        if order.payment_intent_id is None:
            return Settled(captured_cents=0, refunded_cents=0, pending_cents=0, failed_cents=0)
        what = "look at the payment" if keep_cents is None else f"keep {keep_cents} cents"
        try:
            async with self._looking:
                settled = await workflow.execute_activity_method(
                    PaymentActivities.settle_payment,
                    Settling(
                        **dict(self._ref(order)),
                        keep_cents=keep_cents,
                        reason=order.status.value,
                        refused_before=self._refused_settlements,
                    ),
                    summary=what,
                    **stripe_call(within=HOWEVER_LONG),
                )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.error("payment of %s not settled: %s", order.number, error)
            return None
        self._steps.learn(
            captured_cents=settled.captured_cents, refunded_cents=settled.refunded_cents
        )
        return settled

    async def _give_up(self, reason: str, statuses: Collection[OrderStatus]) -> None:
        async with self._steps.noting():
            if self._steps.status in statuses and not self._steps.order.captured_cents:
                await self._steps.cancel(STRIPE, reason)

    def _ref(self, order: Order) -> PaymentRef:
        if order.payment_intent_id is None:
            raise ApplicationError("the order has no payment", type="NoPayment")
        return PaymentRef(order_id=order.id, payment_intent_id=order.payment_intent_id)
