"""The life of one order, from placing to its end, as one durable workflow.

Requests that may be refused are updates, facts are signals, questions are queries. Races have one
answer each, given by the door in `Steps`, through which one change goes at a time:

- cancel against accept: whoever comes through the door first; the other is refused with the state
  that has come of it.
- payment against expiry: whichever comes first. A payment that comes after the order was cancelled
  goes back in full, and the order stays cancelled.
- two drivers accepting: only he who holds the live offer can, and one UPDATE decides for all.
- an update while the workflow ends: it is answered before the end; after the end there is nobody to
  ask, and the facade says where the order stands.
- the same command twice: it has the same update id, so it gets the same answer, with one effect.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from workflows import estimates
from workflows.aftermath import Aftermath
from workflows.complaints import Complaints
from workflows.delivery import DriverSearch
from workflows.overrides import Overrides
from workflows.payment import OrderPayment
from workflows.phases import DEADLINE, Phases
from workflows.steps import Steps
from workflows.tips import Tips

with workflow.unsafe.imports_passed_through():
    from domain import order_status
    from domain.notifications import Alert
    from domain.order_status import ENDED, ON_THE_WAY, Actor, IllegalTransition, OrderStatus
    from domain.placing import Obstacle
    from domain.promo import Reason
    from domain.proof import ProofKind
    from schema.messages.dispatch import (
        Delivery,
        DriverCommand,
        DriverNews,
        OfferAnswer,
        OperatorAssign,
    )
    from schema.messages.money import (
        DisputeClosed,
        DisputeOpened,
        PaymentFailed,
        PaymentSucceeded,
        RefundSettled,
    )
    from schema.messages.order import (
        Changes,
        Command,
        OperatorCancel,
        Order,
        OrderStart,
        Placed,
        ReadyIn,
        StatusView,
        Who,
    )


@workflow.defn
class OrderWorkflow(Aftermath, Overrides):
    """One order: placed, paid, accepted, cooked, handed to a driver, delivered."""

    @workflow.init
    def __init__(self, start: OrderStart) -> None:
        self._city = start.terms.city
        self._steps = Steps(start.order_id)
        self._payment = OrderPayment(self._steps, start.terms)
        self._search = DriverSearch(self._steps, start.terms)
        self._tips = Tips(self._steps, self._payment, start.terms)
        self._complaints = Complaints(self._steps, self._payment)
        self._phases = Phases(self._steps, self._payment, self._search, self._tips, start.terms)
        self._taken_up = start.placing is None
        # Why the order could not be written or read: a kind, words, and what else there is to say.
        self._unplaceable: tuple[str, str, Mapping[str, Any] | None] | None = None
        self._near_door = False

    @workflow.run
    async def run(self, start: OrderStart) -> StatusView:
        """Live until the order is delivered, or cancelled and its money where it belongs."""
        try:
            await self._begin(start)
            while not self._is_over:
                await self._phases.pass_through()
                if self._steps.status in ENDED:
                    await self._steps.all_announced()
                    await workflow.wait_condition(workflow.all_handlers_finished)
        except BaseException as error:
            if is_cancelled_exception(error) and self._steps.has_begun:
                await asyncio.shield(self._stop())
            raise
        self._steps.say(f"Over: {self._steps.status}")
        return self._steps.view()

    async def _begin(self, start: OrderStart) -> None:
        try:
            if start.placing is not None:
                await self._steps.begin(start.placing)
            else:
                await self._steps.take_up()
        except FailureError as error:
            self._unplaceable = _why_unplaceable(error)
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise

    @property
    def _is_unplaceable(self) -> bool:
        return self._unplaceable is not None

    @property
    def _is_over(self) -> bool:
        owes = self._steps.status is OrderStatus.CANCELLED and self._payment.unsettled
        owed = owes or self._tips.is_owed
        return self._steps.status in ENDED and not owed and workflow.all_handlers_finished()

    async def _stop(self) -> None:
        """The run was cancelled, in the Temporal UI say: so is the order, and money goes back."""
        # A step that a lost task had recorded may be the end already: that is as good.
        async with self._steps.noting():
            for by in (Who(role=Actor.ADMIN), DEADLINE):
                if OrderStatus.CANCELLED in order_status.allowed(self._steps.status, by.role):
                    await self._steps.cancel(by, "stopped_by_operations")
        if self._steps.status is OrderStatus.CANCELLED:
            # Whatever was under way has been cancelled with the run.
            self._payment.unsettled = True
            await self._payment.settle()

    # Questions

    @workflow.query
    def status(self) -> StatusView:
        """Where the order stands and what it waits for."""
        return self._steps.view()

    # Requests

    @workflow.update
    async def place(self) -> Placed:
        """Answer once the order is written down and waits for its payment."""
        payment = self._payment
        await workflow.wait_condition(
            lambda: payment.opened is not None or payment.unavailable or self._is_unplaceable
        )
        if payment.opened is None:
            if self._unplaceable:
                raise self._steps.refusal(*self._unplaceable)
            raise self._steps.refusal(
                "PaymentUnavailable",
                "the payment could not be opened, so the order is cancelled: place another one",
            )
        order = self._steps.order
        return Placed(
            order_number=order.number or "",
            status=order.status,
            price=order.price,
            client_secret=payment.opened.client_secret,
            promo_code=order.promo_code,
        )

    @place.validator
    def _may_place(self) -> None:
        if self._taken_up:
            raise self._steps.refusal("PlacedBefore", "this order was placed long ago")

    @workflow.update
    async def accept(self, ask: ReadyIn) -> StatusView:
        """The chef takes the order on, and promises when it will be ready."""
        async with self._steps.deciding():
            self._steps.must_allow(OrderStatus.ACCEPTED, ask.by)
            await self._payment.capture()
            await self._steps.move(
                OrderStatus.ACCEPTED, ask.by, changes=lambda order: self._promise(order, ask)
            )
        return self._steps.view()

    @accept.validator
    def _may_accept(self, ask: ReadyIn) -> None:
        self._steps.must_allow(OrderStatus.ACCEPTED, ask.by)

    @workflow.update
    async def reject(self, ask: Command) -> StatusView:
        """The chef does not take the order on."""
        async with self._steps.deciding():
            # Once it is accepted, a chef who will not cook has to say so by a cancel.
            self._may_reject(ask)
            await self._steps.cancel(ask.by, ask.reason or "rejected_by_chef")
        return self._steps.view()

    @reject.validator
    def _may_reject(self, ask: Command) -> None:
        self._steps.must_allow(OrderStatus.CANCELLED, ask.by)
        if self._steps.status is not OrderStatus.PAYMENT_CONFIRMED:
            raise self._steps.refused(
                IllegalTransition(self._steps.status, OrderStatus.CANCELLED, ask.by.role)
            )

    @workflow.update
    async def start(self, ask: ReadyIn) -> StatusView:
        """The chef begins to cook."""

        def promised_anew(order: Order) -> Changes:
            if ask.ready_in_minutes is not None:
                return self._promise(order, ask)
            if ask.expected_minutes is None:
                return Changes()
            return estimates.if_otherwise(order, self._promise(order, ask), self._city)

        async with self._steps.deciding():
            await self._steps.move(OrderStatus.PREPARING, ask.by, changes=promised_anew)
        return self._steps.view()

    @start.validator
    def _may_start(self, ask: ReadyIn) -> None:
        self._steps.must_allow(OrderStatus.PREPARING, ask.by)

    @workflow.update
    async def ready(self, ask: Command) -> StatusView:
        """The food is ready: a driver is looked for."""
        async with self._steps.deciding():
            await self._steps.move(
                OrderStatus.READY_FOR_PICKUP,
                ask.by,
                changes=lambda order: estimates.ready(order, workflow.now(), self._city),
            )
        return self._steps.view()

    @ready.validator
    def _may_be_ready(self, ask: Command) -> None:
        self._steps.must_allow(OrderStatus.READY_FOR_PICKUP, ask.by)

    @workflow.update
    async def accept_offer(self, answer: OfferAnswer) -> StatusView:
        """A driver takes the order, and all others that he was offered with it."""
        await self._search.accept(answer)
        return self._steps.view()

    @accept_offer.validator
    def _may_accept_offer(self, answer: OfferAnswer) -> None:
        self._search.must_be_open(answer)

    @workflow.update
    async def drop_out(self, ask: DriverCommand) -> StatusView:
        """The driver gives the order back before picking it up: another is looked for."""
        await self._search.drop_out(ask)
        return self._steps.view()

    @drop_out.validator
    def _may_drop_out(self, ask: DriverCommand) -> None:
        self._must_be_with(ask.driver_id)
        self._search.must_have_driver(ask)

    @workflow.update
    async def pick_up(self, ask: DriverCommand) -> StatusView:
        """The driver has the food."""
        async with self._steps.deciding():
            await self._steps.move(
                OrderStatus.PICKED_UP,
                ask.by,
                changes=lambda order: estimates.picked_up(order, workflow.now(), self._city),
            )
        return self._steps.view()

    @pick_up.validator
    def _may_pick_up(self, ask: DriverCommand) -> None:
        self._must_have_it(ask, OrderStatus.PICKED_UP)

    @workflow.update
    async def in_transit(self, ask: DriverCommand) -> StatusView:
        """The driver is on the way to the customer."""
        async with self._steps.deciding():
            await self._steps.move(
                OrderStatus.IN_TRANSIT,
                ask.by,
                changes=lambda order: estimates.left(order, workflow.now(), self._city),
            )
        return self._steps.view()

    @in_transit.validator
    def _may_be_in_transit(self, ask: DriverCommand) -> None:
        self._must_have_it(ask, OrderStatus.IN_TRANSIT)

    @workflow.update
    async def deliver(self, ask: Delivery) -> StatusView:
        """The order is at the door, with what proves it."""
        async with self._steps.deciding():
            await self._steps.move(
                OrderStatus.DELIVERED, ask.by, changes=lambda _: Changes(proof=ask.proof)
            )
        return self._steps.view()

    @deliver.validator
    def _may_deliver(self, ask: Delivery) -> None:
        self._must_have_it(ask, OrderStatus.DELIVERED)
        if self._steps.order.proof_kind is not ProofKind.NONE and "kind" not in (ask.proof or {}):
            raise self._steps.refusal("ProofRequired", "nothing proves the delivery")

    @workflow.update
    async def cancel(self, ask: Command) -> StatusView:
        """The customer changes his mind, or the chef cannot finish."""
        async with self._steps.deciding():
            await self._steps.cancel(ask.by, ask.reason or f"cancelled_by_{ask.by.role}")
        return self._steps.view()

    @cancel.validator
    def _may_cancel(self, ask: Command) -> None:
        self._steps.must_allow(OrderStatus.CANCELLED, ask.by)

    @workflow.update
    async def operator_assign(self, ask: OperatorAssign) -> StatusView:
        """An operator gives the order to a driver by hand."""
        await self._search.assign_by_hand(ask)
        return self._steps.view()

    @operator_assign.validator
    def _may_operator_assign(self, ask: OperatorAssign) -> None:
        self._search.may_be_assigned(ask)

    @workflow.update
    async def operator_unassign(self, ask: Command) -> StatusView:
        """An operator takes the order from its driver before he has it: another is looked for."""
        await self._search.unassign(ask)
        return self._steps.view()

    @operator_unassign.validator
    def _may_operator_unassign(self, ask: Command) -> None:
        self._search.must_have_driver(ask)

    @workflow.update
    async def operator_cancel(self, ask: OperatorCancel) -> StatusView:
        """An operator ends the order and says whose fault it is."""
        async with self._steps.deciding():
            await self._steps.cancel(ask.by, ask.reason or "operator", ask.fault)
        return self._steps.view()

    @operator_cancel.validator
    def _may_operator_cancel(self, ask: OperatorCancel) -> None:
        self._steps.must_allow(OrderStatus.CANCELLED, ask.by)

    @workflow.update
    async def catch_up(self) -> StatusView:
        """Adopt what the database knows and the history does not; the facade saw it ahead."""
        if not await self._has_begun():
            raise self._steps.refusal("Unplaceable", "the order cannot be read")
        async with self._steps.deciding():
            await self._steps.catch_up()
        return self._steps.view()

    # Facts

    @workflow.signal
    async def payment_succeeded(self, fact: PaymentSucceeded) -> None:
        """Stripe: the order is paid for, or the card's word is given."""
        if not await self._has_begun():
            return
        await self._payment.succeeded(fact)

    @workflow.signal
    async def payment_failed(self, fact: PaymentFailed) -> None:
        """Stripe: a card was refused."""
        if not await self._has_begun():
            return
        await self._payment.failed(fact)

    @workflow.signal
    async def refund_settled(self, fact: RefundSettled) -> None:  # noqa: ARG002 - Stripe is asked
        """Stripe: a refund stands otherwise than before."""
        if not await self._has_begun():
            return
        if self._steps.status is OrderStatus.CANCELLED:
            self._payment.unsettled = True
        else:
            await self._payment.look()

    @workflow.signal
    async def driver_found(self, news: DriverNews) -> None:
        """Dispatch: a driver has taken the order, by another one that he was offered with it."""
        if not await self._has_begun():
            return
        await self._search.found(news)

    @workflow.signal
    async def driver_dark(self, news: DriverNews) -> None:
        """Dispatch: the driver cannot be seen any more, and has not picked up yet."""
        if not await self._has_begun():
            return
        await self._search.lose(news)

    @workflow.signal
    async def driver_near_door(self) -> None:
        """The driver's phone: he is almost there."""
        if not await self._has_begun():
            return
        if self._steps.status in ON_THE_WAY and not self._near_door:
            self._near_door = True
            expected = estimates.near_door(workflow.now(), self._city)
            self._steps.learn(estimated_delivery_at=expected)
            await self._steps.alarm(Alert.DRIVER_NEAR, key="near", delivery_at=expected)

    @workflow.signal
    async def dispute_opened(self, fact: DisputeOpened) -> None:
        """Stripe: the customer's bank wants the money of an order back."""
        if not await self._has_begun():
            return
        await self._payment.disputed(fact)

    @workflow.signal
    async def dispute_closed(self, fact: DisputeClosed) -> None:
        """Stripe: the bank has decided."""
        if not await self._has_begun():
            return
        await self._payment.dispute_ended(fact)

    def _promise(self, order: Order, ask: ReadyIn) -> Changes:
        expected = ask.expected_minutes or ask.ready_in_minutes or order.prep_minutes
        promised = estimates.cooking(order, workflow.now(), self._city, expected)
        said = {"said_minutes": ask.ready_in_minutes, "kitchen_load": ask.kitchen_load}
        return promised.model_copy(update=said)

    def _must_have_it(self, ask: DriverCommand, to: OrderStatus) -> None:
        self._must_be_with(ask.driver_id)
        self._steps.must_allow(to, ask.by)

    def _must_be_with(self, driver_id: UUID) -> None:
        if self._steps.has_begun and self._steps.order.driver_id != driver_id:
            raise self._steps.refusal("NotTheDriver", "the order is with another driver")


def _why_unplaceable(error: FailureError) -> tuple[str, str, Mapping[str, Any] | None]:
    """What the customer is told of an order that could not be begun."""
    # A local activity's failure comes as it is, not wrapped as a remote one's.
    if isinstance(error, ApplicationError) and error.type and error.type in {*Reason, *Obstacle}:
        return error.type, error.message, error.details[0] if error.details else None
    return "Unplaceable", "the order refers to what is gone", None
