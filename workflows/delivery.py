"""Finding a driver: the zone asks, the order decides (seed 000, Driver Assignment).

The order joins the dispatch of its zone when cooking starts and when its food is ready, and again
whenever no zone has looked at it for a while: one that was lost is there again by that. Drivers may
say yes before the food is ready: then the order has its driver early, and is his as soon as it is.
"""

from datetime import datetime, timedelta
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows import estimates
from workflows.options import DATABASE
from workflows.steps import Steps, until

with workflow.unsafe.imports_passed_through():
    from activities.orders import OFFER_GONE
    from activities.searching import SearchActivities
    from domain.notifications import Alert
    from domain.order_status import WANTS_DRIVER, Actor, OrderStatus
    from schema.messages.dispatch import (
        Acceptance,
        Assignment,
        DriverCommand,
        DriverNews,
        JoinDispatch,
        OfferAnswer,
        OperatorAssign,
        Release,
        Search,
        Taken,
    )
    from schema.messages.order import Changes, Command, Order, Terms, Who

_LOOK_AGAIN = timedelta(hours=1)


class DriverSearch:
    """The search for one order's driver."""

    def __init__(self, steps: Steps, terms: Terms) -> None:
        self._steps = steps
        self._terms = terms
        # Who is to bring the order once its food is ready.
        self._taken: Taken | None = None
        self._joined = False
        self._is_changed = False

    @property
    def is_due(self) -> bool:
        """Whether the order is cooking, without a driver, and its zone has not heard of it."""
        return self._steps.status is OrderStatus.PREPARING and not (self._joined or self._taken)

    async def join(self, unless_since: datetime | None = None) -> Search:
        """Have its zones look at the order, unless one has since then; how the search stands."""
        order = self._steps.order
        search = await workflow.execute_local_activity_method(
            SearchActivities.join_dispatch,
            JoinDispatch(
                order_id=order.id,
                kitchen=order.kitchen,
                at=workflow.now(),
                unless_since=unless_since,
            ),
            summary="join the dispatch of the zone",
            **DATABASE,
        )
        self._joined = True
        if search.taken is not None and self._is_open:
            self._learn(search.taken)
        return search

    async def find(self) -> None:
        """Wait until a driver has the order, it is cancelled, or nobody could be found in time.

        An operator who keeps the order back is not counted as time: it is looked for anew then.
        """
        patience = self._terms.dispatch_give_up
        alarm_at: datetime | None = workflow.now() + self._terms.dispatch_alert
        is_told = False
        while self._searching:
            if self._taken is not None:
                await self._hand_over()
                continue
            since = workflow.now()
            is_known = is_told and not self._is_changed
            self._is_changed, is_told = False, True
            search = await self.join(since - self._terms.dispatch_rejoin if is_known else None)
            if search.sequence > self._steps.order.sequence:
                # A step is there that a lost task had recorded.
                await self._steps.look()
            if self._has_moved_on:
                continue
            if search.held_until is not None and search.held_until > since:
                patience = self._terms.dispatch_give_up
                alarm_at = search.held_until + self._terms.dispatch_alert
                await self._is_kept_back(search.held_until)
                continue
            if patience <= timedelta(0):
                return
            ends = since + min(self._terms.dispatch_rejoin, patience)
            self._steps.say(f"Looking for a driver until {since + patience:%H:%M} UTC")
            if alarm_at and alarm_at <= ends and not await self._moves_on(alarm_at):
                await self._steps.alarm(Alert.DISPATCH_SLOW)
                alarm_at = None
            await self._moves_on(ends)
            patience -= workflow.now() - since

    def look_again(self) -> None:
        """Ask the database how the search stands: an operator has changed it."""
        self._is_changed = True

    def must_be_open(self, answer: OfferAnswer) -> None:
        """Raise a refusal unless the order looks for a driver, or has this one by this offer."""
        other = self._taken is not None and self._taken.offer_id != answer.offer_id
        if not self._is_open or other:
            raise self._offer_gone()

    async def accept(self, answer: OfferAnswer) -> None:
        """Give the order to the driver who says yes, with all others of his offer.

        Raises a refusal when the offer is gone.
        """
        async with self._steps.deciding():
            self.must_be_open(answer)
            try:
                if self._steps.status is OrderStatus.READY_FOR_PICKUP:
                    await self._assign(self._by(answer))
                else:
                    await self._take_early(answer)
            except ApplicationError as error:
                # A local activity's failure comes as it is, not wrapped as a remote one's.
                if error.type != OFFER_GONE:
                    raise
                raise self._offer_gone() from error

    async def found(self, news: DriverNews) -> None:
        """Look who has the order, if it does not know."""
        async with self._steps.noting():
            if self._is_open and (self._taken is None or self._taken.driver_id != news.driver_id):
                await self.join()

    async def lose(self, news: DriverNews) -> None:
        """Take the order back from a driver who cannot be seen any more."""
        async with self._steps.noting():
            if self._steps.order.driver_id == news.driver_id:
                await self._give_back(Who(role=Actor.DISPATCH), news.driver_id, "driver_dark")

    async def drop_out(self, ask: DriverCommand) -> None:
        """Take the order back from the driver who gives it back before picking it up."""
        async with self._steps.deciding():
            await self._give_back(ask.by, ask.driver_id, ask.reason)

    async def unassign(self, ask: Command) -> None:
        """Take the order back from its driver for an operator, who says why."""
        async with self._steps.deciding():
            self.must_have_driver(ask)
            driver_id = self._steps.order.driver_id
            if driver_id is not None:
                await self._give_back(ask.by, driver_id, ask.reason)

    def must_have_driver(self, ask: Command) -> None:
        """Raise a refusal unless there is a driver who can be taken off the order."""
        if not (self._steps.has_begun and self.is_early):
            self._steps.must_allow(OrderStatus.READY_FOR_PICKUP, ask.by)

    @property
    def is_early(self) -> bool:
        """Whether the order has its driver while its food is not ready yet."""
        return self._steps.status is OrderStatus.PREPARING and self._taken is not None

    async def assign_by_hand(self, ask: OperatorAssign) -> None:
        """Give the order to the driver an operator chose; a live offer to another is withdrawn."""
        async with self._steps.deciding():
            if self._steps.status is OrderStatus.PREPARING and await self._assign_early(ask):
                return
            await self._steps.move(
                OrderStatus.ASSIGNED_TO_DRIVER,
                ask.by,
                reason=ask.reason,
                changes=lambda order: self._assignment(order, ask.driver_id, None),
            )

    def may_be_assigned(self, ask: OperatorAssign) -> None:
        """Raise a refusal unless a driver can be chosen for the order."""
        if not (self._steps.has_begun and self._steps.status is OrderStatus.PREPARING):
            self._steps.must_allow(OrderStatus.ASSIGNED_TO_DRIVER, ask.by)

    async def _hand_over(self) -> None:
        """Give the order, whose food is ready, to the driver who has said yes before."""
        async with self._steps.noting():
            if not self._searching or self._taken is None:
                return
            if self._is_out_of_sight(self._taken):
                await self.join()
            try:
                await self._assign(self._taken)
            except ApplicationError as error:
                if error.type != OFFER_GONE:
                    raise
                # He has been released meanwhile.
                self._forget()

    def _is_out_of_sight(self, taken: Taken) -> bool:
        """Whether the food was so late that the zone has left off watching the driver."""
        watched_for = self._terms.dispatch_give_up
        return taken.delivery_at is None or workflow.now() > taken.delivery_at + watched_for

    async def _assign(self, to: Taken) -> None:
        await self._steps.move(
            OrderStatus.ASSIGNED_TO_DRIVER,
            Who(role=Actor.DISPATCH, id=to.user_id),
            offer_id=to.offer_id,
            capacity=self._terms.driver_capacity,
            changes=lambda order: self._assignment(order, to.driver_id, to),
        )
        self._taken = None

    async def _take_early(self, answer: OfferAnswer) -> None:
        await workflow.execute_local_activity_method(
            SearchActivities.take_offer,
            Acceptance(
                order_id=self._steps.order.id,
                offer_id=answer.offer_id,
                driver_id=answer.driver_id,
                capacity=self._terms.driver_capacity,
                at=workflow.now(),
            ),
            summary="a driver says yes before the food is ready",
            **DATABASE,
        )
        self._learn(self._by(answer))

    async def _assign_early(self, ask: OperatorAssign) -> bool:
        """Whether the food was still not ready, as far as the database knows."""
        order = self._steps.order
        given = await workflow.execute_local_activity_method(
            SearchActivities.assign_early,
            Assignment(
                order_id=order.id,
                driver_id=ask.driver_id,
                by=ask.by,
                reason=ask.reason,
                at=workflow.now(),
            ),
            summary="an operator chooses a driver before the food is ready",
            **DATABASE,
        )
        if given is None:
            await self._steps.catch_up()
            return False
        self._learn(given)
        return True

    async def _give_back(self, by: Who, driver_id: UUID, reason: str | None) -> None:
        if not self.is_early:
            await self._steps.move(
                OrderStatus.READY_FOR_PICKUP, by, reason=reason, changes=self._without_driver
            )
            return
        alone = self._without_driver(self._steps.order)
        await workflow.execute_local_activity_method(
            SearchActivities.release_early,
            Release(
                order_id=self._steps.order.id,
                driver_id=driver_id,
                by=by,
                reason=reason,
                at=workflow.now(),
                changes=alone,
            ),
            summary="the driver gives the order back before its food is ready",
            **DATABASE,
        )
        self._forget()
        self._steps.learn(
            estimated_pickup_at=alone.estimated_pickup_at,
            estimated_delivery_at=alone.estimated_delivery_at,
        )

    def _without_driver(self, order: Order) -> Changes:
        return estimates.given_back(order, workflow.now(), self._terms.city)

    def _by(self, answer: OfferAnswer) -> Taken:
        user_id = answer.by.id
        if user_id is None:
            raise self._offer_gone()
        return Taken(
            driver_id=answer.driver_id,
            user_id=user_id,
            offer_id=answer.offer_id,
            pickup_at=answer.pickup_at,
            delivery_at=answer.delivery_at,
        )

    def _learn(self, taken: Taken) -> None:
        self._taken = taken
        expected = self._assignment(self._steps.order, taken.driver_id, taken)
        self._steps.learn(**expected.model_dump(exclude_none=True))

    def _forget(self) -> None:
        self._taken, self._joined = None, False
        self._steps.learn(driver_id=None)

    def _offer_gone(self) -> ApplicationError:
        return self._steps.refusal(OFFER_GONE, "this offer is not open any more")

    @property
    def _is_open(self) -> bool:
        return self._steps.has_begun and self._steps.status in WANTS_DRIVER

    @property
    def _searching(self) -> bool:
        return self._steps.status is OrderStatus.READY_FOR_PICKUP

    @property
    def _has_moved_on(self) -> bool:
        return not self._searching or self._taken is not None

    async def _moves_on(self, by: datetime) -> bool:
        """Whether the order leaves its state, a driver says yes, or an operator changes something,
        before the moment `by`.
        """
        return await until(
            lambda: self._has_moved_on or self._is_changed, by, "look for a driver again"
        )

    async def _is_kept_back(self, until_then: datetime) -> None:
        """Wait until an operator lets the order go, or has; not without a look now and then."""
        self._steps.say(f"Kept back by an operator until {until_then:%H:%M} UTC")
        await self._moves_on(min(until_then, workflow.now() + _LOOK_AGAIN))

    def _assignment(self, order: Order, driver_id: UUID, to: Taken | None = None) -> Changes:
        estimated = estimates.assigned(
            order,
            workflow.now(),
            self._terms.city,
            pickup_at=to.pickup_at if to else None,
            delivery_at=to.delivery_at if to else None,
        )
        return estimated.model_copy(update={"driver_id": driver_id})
