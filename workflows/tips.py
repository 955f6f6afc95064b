"""An order's tip: changed until it is paid, then only raised, until a while after delivery.

What is added while the order is under way is a promise, charged when it is delivered; what is added
later is charged at once, to the card that the customer has paid with.
"""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from workflows.options import DATABASE, HOWEVER_LONG, stripe_call
from workflows.payment import OrderPayment
from workflows.search import TOTAL_CENTS
from workflows.steps import Steps

with workflow.unsafe.imports_passed_through():
    from activities.orders import OrderActivities
    from activities.tips import TipActivities
    from domain.notifications import Alert
    from domain.order_status import OrderStatus
    from domain.pricing import Price
    from schema.messages.money import TipCharged
    from schema.messages.order import ChangeTip, ChargedTip, PromisedTip, Terms, TipToCharge

_WITHOUT = frozenset({OrderStatus.CANCELLED, OrderStatus.DISPUTED, OrderStatus.REFUNDED})


class Tips:
    """The tip of one order."""

    def __init__(self, steps: Steps, payment: OrderPayment, terms: Terms) -> None:
        self._steps = steps
        self._payment = payment
        self._terms = terms
        self._charging = asyncio.Lock()
        self._raised = 0

    @property
    def is_owed(self) -> bool:
        """Whether a promised tip is to be charged now."""
        order = self._steps.order
        return order.promised_tip_cents is not None and order.status is OrderStatus.DELIVERED

    def must_be_possible(self, ask: ChangeTip) -> None:
        """Raise a refusal unless the tip may be what is asked for."""
        order, refusal = self._steps.order, self._steps.refusal
        if ask.tip_cents < 0:
            raise refusal("BadTip", "a tip is not negative")
        if order.status in _WITHOUT or (
            order.status is OrderStatus.PENDING and not self._payment.is_open
        ):
            raise refusal("TipLocked", f"the order is {order.status}")
        if self._payment.tip_is_settled or self._raised >= self._payment.MOST_TIP_CHANGES:
            raise refusal("TipLocked", "the tip has been changed too often")
        if order.status is OrderStatus.PENDING:
            return
        if ask.tip_cents < max(order.price.tip_cents, order.promised_tip_cents or 0):
            raise refusal("TipNotLowered", "the order is paid for: its tip can only be raised")
        if order.delivered_at and workflow.now() - order.delivered_at > self._terms.tip_window:
            raise refusal("TipLocked", "the order was delivered too long ago")

    async def change(self, ask: ChangeTip) -> None:
        """Let the tip be what is asked for. Raises a refusal."""
        async with self._steps.deciding():
            self.must_be_possible(ask)
            if self._steps.status is OrderStatus.PENDING:
                await self._payment.change_tip(ask.tip_cents)
                return
            self._raised += 1
            if self._steps.status is not OrderStatus.DELIVERED:
                await self._promise(ask.tip_cents)
                return
        # Stripe may take its time: what else happens to the order does not wait for it.
        try:
            await self._charge(ask.tip_cents)
        except ActivityError as error:
            raise self._steps.refusal("TipRefused", _words(error)) from error

    async def charge_promised(self) -> None:
        """Charge what was promised; the customer is told when his card does not take it."""
        promised = self._steps.order.promised_tip_cents
        if promised is None or not self.is_owed:
            return
        self._steps.say(f"Charging the promised tip of {promised} cents")
        try:
            await self._charge(promised)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            if not isinstance(error.cause, ApplicationError):
                # Stripe was away all the while: it is still owed, and asked for again.
                return
            await self._promise(None)
            await self._steps.alarm(Alert.TIP_REFUSED, key=f"tip:{promised}", reason=_words(error))

    async def heard_of(self, fact: TipCharged) -> None:
        """Write down a tip that Stripe says was charged; whoever charged it may have been stopped
        before he could. Where nobody has driven, people have to see whose money it is.
        """
        if self._steps.order.driver_id is None:
            await self._steps.alarm(
                Alert.PAYMENT_MISMATCH,
                key=fact.payment_intent_id,
                reason="tip_without_driver",
                amount_cents=fact.amount_cents,
            )
            return
        async with self._charging:
            price = await workflow.execute_local_activity_method(
                OrderActivities.note_tip,
                ChargedTip(order_id=self._steps.order.id, **dict(fact)),
                summary=f"write down a tip of {fact.amount_cents} cents",
                **DATABASE,
            )
            self._believe(price)

    async def _promise(self, tip_cents: int | None) -> None:
        await workflow.execute_local_activity_method(
            OrderActivities.promise_tip,
            PromisedTip(order_id=self._steps.order.id, tip_cents=tip_cents),
            summary="forget the promised tip"
            if tip_cents is None
            else f"promise {tip_cents} cents",
            **DATABASE,
        )
        self._steps.learn(promised_tip_cents=tip_cents)

    async def _charge(self, tip_cents: int) -> None:
        async with self._charging:
            order = self._steps.order
            if tip_cents <= order.price.tip_cents or order.payment_intent_id is None:
                return
            price = await workflow.execute_activity_method(
                TipActivities.charge_tip,
                TipToCharge(
                    order_id=order.id,
                    order_number=order.number or "",
                    payment_intent_id=order.payment_intent_id,
                    tip_cents=tip_cents,
                ),
                summary=f"charge a tip of {tip_cents} {order.price.currency} cents",
                **stripe_call(within=HOWEVER_LONG),
            )
            self._believe(price)

    def _believe(self, price: Price) -> None:
        self._steps.learn(price=price, promised_tip_cents=None)
        workflow.upsert_search_attributes([TOTAL_CENTS.value_set(price.total_cents)])


def _words(error: ActivityError) -> str:
    cause = error.cause
    return cause.message if isinstance(cause, ApplicationError) else "Stripe did not answer"
