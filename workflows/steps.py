"""The one place where the state of an order changes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, ApplicationErrorCategory

from workflows.options import ANNOUNCE, DATABASE, REQUESTED
from workflows.search import DRIVER_ID, ORDER_STATUS, attributes

with workflow.unsafe.imports_passed_through():
    from activities.announce import Announcer
    from activities.orders import OrderActivities
    from domain import cancellation, order_status
    from domain.cancellation import Fault
    from domain.notifications import Alert
    from domain.order_status import IllegalTransition, OrderStatus
    from schema.messages.order import (
        Alarm,
        Changes,
        Order,
        OrderRef,
        Placing,
        Refusal,
        StatusView,
        StepsAfter,
        Transition,
        Who,
    )


def no_changes(_: Order) -> Changes:
    """What a step brings along that is nothing but a change of state."""
    return Changes()


class Steps:
    """An order's state, and how it moves on.

    A step is checked against `domain.order_status`, recorded in one database transaction under the
    next sequence number, and announced; only then does the workflow believe it. The database gives
    each number away once. Should it hold another step than ours (a workflow task was lost after its
    commit, so the history knows nothing of it), that step is adopted, since the world has seen it,
    and ours is tried anew from there.
    """

    def __init__(self, order_id: UUID) -> None:
        self._order_id = order_id
        self._order: Order | None = None
        self._late_announcements: set[asyncio.Task[None]] = set()
        self._waiting_for = ""
        self._door = asyncio.Lock()
        self._requested = False

    @property
    def has_begun(self) -> bool:
        """Whether the order is written down, so that it can move."""
        return self._order is not None

    @property
    def order(self) -> Order:
        """The order as it stands. Raises RuntimeError before it has begun."""
        if self._order is None:
            raise RuntimeError(f"order {self._order_id} has not begun")
        return self._order

    @property
    def status(self) -> OrderStatus:
        """Where the order stands."""
        return self.order.status

    async def begin(self, placing: Placing) -> None:
        """Write down a new order; its deadlines count from now."""
        order = placing.order.model_copy(update={"placed_at": workflow.now()})
        self._order = await workflow.execute_local_activity_method(
            OrderActivities.begin_order,
            placing.model_copy(update={"order": order}),
            summary="write the order",
            **DATABASE,
        )

    async def take_up(self) -> None:
        """Take up an order from where its row says it stands."""
        self._order = await workflow.execute_local_activity_method(
            OrderActivities.load_order,
            OrderRef(order_id=self._order_id),
            summary="take the order up again",
            **DATABASE,
        )
        workflow.upsert_search_attributes(
            [pair.key.value_set(pair.value) for pair in attributes(self._order)]
        )

    def must_allow(self, to: OrderStatus, by: Who) -> None:
        """Raise a refusal, for validators, unless `by` may take the order to `to` now."""
        if not self.has_begun:
            raise self.refusal("NotBegun", "the order is still being placed")
        try:
            order_status.check(self.status, to, by.role)
        except IllegalTransition as illegal:
            raise self.refused(illegal) from illegal

    def refused(self, illegal: IllegalTransition) -> ApplicationError:
        """What the caller of an update is told of a step that may not be."""
        return self.refusal("IllegalTransition", str(illegal), allowed=illegal.allowed)

    def refusal(
        self,
        kind: str,
        words: str,
        details: Mapping[str, Any] | None = None,
        *,
        allowed: Sequence[OrderStatus] = (),
    ) -> ApplicationError:
        """A refusal of a request: expected, final, no reason for an alert.

        It says how far the workflow is, so that the facade can tell when the database is further.
        """
        order = self._order
        return ApplicationError(
            words,
            Refusal(
                current=order.status if order else None,
                sequence=order.sequence if order else 0,
                allowed=list(allowed),
                details=None if details is None else dict(details),
            ),
            type=kind,
            non_retryable=True,
            category=ApplicationErrorCategory.BENIGN,
        )

    @asynccontextmanager
    async def deciding(self) -> AsyncIterator[None]:
        """The door through which one change goes at a time.

        Held from the check of a command to the record of its step: without it a customer's cancel
        could be recorded while the chef's accept is still capturing the payment. A step that may
        not be leaves it as a refusal.
        """
        async with self._door:
            self._requested = True
            try:
                yield
            except IllegalTransition as illegal:
                raise self.refused(illegal) from illegal

    @asynccontextmanager
    async def noting(self) -> AsyncIterator[None]:
        """The same door for facts and deadlines: a step that may not be any more is let be."""
        async with self._door:
            self._requested = False
            with suppress(IllegalTransition):
                yield

    async def move(
        self,
        to: OrderStatus,
        by: Who,
        *,
        reason: str | None = None,
        offer_id: UUID | None = None,
        capacity: int | None = None,
        changes: Callable[[Order], Changes] = no_changes,
    ) -> None:
        """Take the order to `to`; the caller is `deciding`. Raises IllegalTransition if it may not.

        `changes` is asked anew when a lost step had to be adopted first.
        """
        while True:
            order_status.check(self.status, to, by.role)
            step = Transition(
                order_id=self._order_id,
                sequence=self.order.sequence + 1,
                was=self.status,
                to=to,
                by=by,
                at=workflow.now(),
                reason=reason,
                offer_id=offer_id,
                capacity=capacity,
                changes=changes(self.order),
            )
            recorded = await workflow.execute_local_activity_method(
                OrderActivities.record_step,
                step,
                summary=f"record {to}",
                **(REQUESTED if self._requested else DATABASE),
            )
            self._believe(recorded.transition)
            if not recorded.announced:
                self._announce_late(recorded.transition)
            if (recorded.transition.to, recorded.transition.by) == (to, by):
                return

    async def cancel(self, by: Who, reason: str, fault: Fault | None = None) -> None:
        """End the order undelivered; `domain.cancellation` says what is kept and owed.

        The caller is `deciding`. Raises IllegalTransition when `by` may not.
        """
        whose = fault or cancellation.usual_fault(by.role)

        def settled(order: Order) -> Changes:
            settlement = cancellation.settle(
                order.status, whose, order.price, order.driver_bonus_cents
            )
            return Changes(
                kept_cents=settlement.kept_cents,
                chef_earning_cents=settlement.chef_cents,
                driver_earning_cents=settlement.driver_cents,
                driver_bonus_cents=settlement.bonus_cents,
            )

        await self.move(OrderStatus.CANCELLED, by, reason=reason, changes=settled)

    async def catch_up(self) -> None:
        """Adopt the steps that the database holds and the history does not, while `deciding`."""
        for step in await workflow.execute_local_activity_method(
            OrderActivities.steps_after,
            StepsAfter(order_id=self._order_id, sequence=self.order.sequence),
            summary="catch up with the database",
            **DATABASE,
        ):
            self._believe(step)

    async def open_complaints(self) -> list[UUID]:
        """The complaints that keep the order disputed, as the database knows them."""
        return await workflow.execute_local_activity_method(
            OrderActivities.open_complaints,
            OrderRef(order_id=self._order_id),
            summary="look for complaints",
            **DATABASE,
        )

    async def look(self) -> None:
        """Catch up, without a request that asked for it."""
        async with self.noting():
            await self.catch_up()

    async def alarm(
        self,
        alert: Alert,
        *,
        key: str = "",
        reason: str | None = None,
        amount_cents: int | None = None,
        delivery_at: datetime | None = None,
    ) -> None:
        """Tell those whom an alert concerns; once for each step of the order and `key`.

        With `delivery_at`, when he will be at the door, the driver is near it.
        """
        await workflow.execute_local_activity_method(
            OrderActivities.raise_alarm,
            Alarm(
                order_id=self._order_id,
                alert=alert,
                key=key or str(self.order.sequence),
                reason=reason,
                amount_cents=amount_cents,
                near_door_at=workflow.now() if delivery_at else None,
                estimated_delivery_at=delivery_at,
            ),
            summary=f"tell: {alert}",
            **DATABASE,
        )

    def learn(self, **news: object) -> None:
        """Believe something about the order that is not a step of its own."""
        self._order = self.order.model_copy(update=news)

    def say(self, waiting_for: str) -> None:
        """Let operators read, in the Temporal UI, what the order is waiting for."""
        self._waiting_for = waiting_for
        workflow.set_current_details(waiting_for)

    def view(self) -> StatusView:
        """Where the order stands, for the answer to a command or a query."""
        order = self.order
        returned = order.captured_cents - (order.kept_cents or 0)
        return StatusView(
            order_id=order.id,
            order_number=order.number,
            status=order.status,
            sequence=order.sequence,
            driver_id=order.driver_id,
            estimated_ready_at=order.estimated_ready_at,
            estimated_pickup_at=order.estimated_pickup_at,
            estimated_delivery_at=order.estimated_delivery_at,
            refund_cents=returned if order.status is OrderStatus.CANCELLED else None,
            waiting_for=self._waiting_for,
        )

    async def all_announced(self) -> None:
        """Wait until no announcement is owed any more, or it is too late for it."""
        await workflow.wait_condition(lambda: not self._late_announcements)

    def _believe(self, step: Transition) -> None:
        news = {
            name: value
            for name, value in step.changes
            if value is not None and name in Order.model_fields
        }
        # One that has got ready may have its driver already.
        if step.to is OrderStatus.READY_FOR_PICKUP and step.was is not OrderStatus.PREPARING:
            news |= {"driver_id": None, "driver_bonus_cents": 0}
        self.learn(**news, status=step.to, sequence=step.sequence)
        updates = [ORDER_STATUS.value_set(step.to)]
        if "driver_id" in news:
            driver_id = news["driver_id"]
            updates.append(
                DRIVER_ID.value_set(str(driver_id)) if driver_id else DRIVER_ID.value_unset()
            )
        workflow.upsert_search_attributes(updates)

    def _announce_late(self, step: Transition) -> None:
        task = asyncio.create_task(self._announce(step))
        self._late_announcements.add(task)
        task.add_done_callback(self._late_announcements.discard)

    async def _announce(self, step: Transition) -> None:
        try:
            await workflow.execute_activity_method(
                Announcer.announce, step, summary=f"announce {step.to}", **ANNOUNCE
            )
        except ActivityError as error:
            # Nobody who listens now would want it; the database has it for whoever asks.
            workflow.logger.warning("step %s never announced: %s", step.sequence, error)


async def until(condition: Callable[[], bool], moment: datetime, summary: str) -> bool:
    """Wait for `condition`, at most until `moment`; False when the moment came first."""
    left = moment - workflow.now()
    if condition() or left.total_seconds() <= 0:
        return condition()
    try:
        await workflow.wait_condition(condition, timeout=left, timeout_summary=summary)
    except TimeoutError:
        return False
    return True
