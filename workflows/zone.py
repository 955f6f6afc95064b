"""A zone: orders and drivers matched together, for as long as there is anything to match.

The zone holds which orders it looks after, and nothing else: what is known of them, of drivers and
offers is in the database, which also keeps anything from being promised twice. So a tick may be
done twice, two zones may see the same order, and a zone that is gone is started by the next order
that joins, as those do that wait and that no zone has looked at for a minute.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from temporalio import workflow

from workflows.options import DATABASE, TICK
from workflows.steps import until

with workflow.unsafe.imports_passed_through():
    from activities.dispatch import DispatchActivities
    from schema.messages.dispatch import (
        Decline,
        Declined,
        OfferAnswer,
        Standing,
        Tick,
        ZoneOrder,
        ZoneStart,
    )


@workflow.defn
class ZoneDispatchWorkflow:
    """The dispatch of one zone."""

    @workflow.init
    def __init__(self, start: ZoneStart) -> None:
        self._start = start
        self._orders = dict.fromkeys(start.order_ids)
        self._woken = bool(start.order_ids)
        # What has joined since the last look.
        self._joined: set[UUID] = set()
        self._again_at: datetime | None = None
        self._rests_until = workflow.now()
        self._standing = Standing()

    @workflow.run
    async def run(self, start: ZoneStart) -> None:
        """Look at the zone's orders whenever there is reason to; never ends by itself."""
        ticks = 0
        while ticks < start.most_ticks and not workflow.info().is_continue_as_new_suggested():
            await self._is_needed()
            await self._tick()
            ticks += 1
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(start.model_copy(update={"order_ids": list(self._orders)}))

    @workflow.query
    def standing(self) -> Standing:
        """What the zone is doing."""
        return self._standing

    @workflow.signal
    def join(self, order: ZoneOrder) -> None:
        """An order looks for a driver, or something about it has changed."""
        self._look_after([order.order_id])

    @workflow.update
    async def decline(self, answer: OfferAnswer) -> Declined:
        """A driver leaves the orders of an offer to others; they are asked at once."""
        declined = await workflow.execute_local_activity_method(
            DispatchActivities.decline_offer,
            Decline(
                offer_id=answer.offer_id,
                driver_id=answer.driver_id,
                reason=answer.reason,
                at=workflow.now(),
            ),
            summary="offer declined",
            **DATABASE,
        )
        self._look_after(declined.order_ids)
        return declined

    def _look_after(self, order_ids: Iterable[UUID]) -> None:
        for order_id in order_ids:
            self._orders[order_id] = None
            self._joined.add(order_id)
        self._woken = True

    async def _is_needed(self) -> None:
        """Wait until something has happened or is due, but not without rest."""
        if self._again_at is None:
            await workflow.wait_condition(lambda: self._woken)
        else:
            await until(lambda: self._woken, self._again_at, "look again")
        await until(lambda: False, self._rests_until, "not so fast")

    async def _tick(self) -> None:
        self._woken = False
        self._joined.clear()
        asked = list(self._orders)
        ticked = await workflow.execute_activity_method(
            DispatchActivities.plan_tick,
            Tick(zone=self._start.zone, order_ids=asked, at=workflow.now()),
            summary=f"look at {len(asked)} orders",
            **TICK,
        )
        self._again_at, self._rests_until = ticked.again_at, ticked.rests_until
        # One that has joined meanwhile may have seemed over before.
        for order_id in set(ticked.over) - self._joined:
            self._orders.pop(order_id, None)
        self._standing = ticked.standing
        self._say()

    def _say(self) -> None:
        """Let operators read, in the Temporal UI, what the zone is doing."""
        now = self._standing
        held = ", ".join(f"{count} {reason}" for reason, count in now.held.items())
        when = f"; again at {self._again_at:%H:%M:%S} UTC" if self._again_at else "; asleep"
        workflow.set_current_details(
            f"{now.waiting} waiting{f' ({held})' if held else ''}, {now.offered} offered,"
            f" {now.under_way} under way{when}"
        )
