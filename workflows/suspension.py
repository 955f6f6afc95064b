"""What the suspension of a customer, chef or driver does to his open orders.

The database says who is suspended and which of his orders wait for what; a run knows nothing else,
so that it may be ended and started again, and a reinstatement stops whatever has not happened yet.
The facade sets it going before it writes the suspension down, and again after that: whichever of
the two is lost, with the process that was to do it, the run looks until the other has taken effect.
Orders that were being placed at that moment are found by the same looks.
"""

from datetime import timedelta
from uuid import UUID

from temporalio import workflow
from temporalio.common import RetryPolicy

from workflows.options import DATABASE, HEARTBEAT, HOWEVER_LONG, NOTIFICATIONS_QUEUE
from workflows.steps import until

with workflow.unsafe.imports_passed_through():
    from activities.suspensions import DueOrder, SuspensionActivities
    from schema.messages.suspensions import OrderDue, SuspensionStart

# How long after it was told of it last the run goes on looking, and how often.
LOOKS_FOR = timedelta(minutes=2)
_EVERY = timedelta(seconds=15)
_LEAST_OFTEN = timedelta(minutes=5)


@workflow.defn
class SuspensionWorkflow:
    """One person's."""

    @workflow.init
    def __init__(self, start: SuspensionStart) -> None:
        self._start = start
        self._told = False
        self._quiet_at = workflow.now() + LOOKS_FOR

    @workflow.run
    async def run(self, start: SuspensionStart) -> None:
        """Live until nothing is left to be done."""
        rest = _EVERY
        while True:
            self._told = False
            due = await self._due()
            done = [order.order_id for order in due if await self._deal_with(order)]
            # What refuses all the time is asked less and less often.
            rest = _EVERY if done or not due else min(2 * rest, _LEAST_OFTEN)
            if not due and workflow.now() >= self._quiet_at:
                return
            workflow.set_current_details(f"{len(due) - len(done)} orders left")
            await until(lambda: self._told, workflow.now() + rest, "look again")
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(start)

    @workflow.signal
    def look(self) -> None:
        """The facade: somebody is suspended, or is about to be."""
        self._told = True
        self._quiet_at = workflow.now() + LOOKS_FOR

    async def _due(self) -> list[OrderDue]:
        return await workflow.execute_local_activity_method(
            SuspensionActivities.orders_due,
            self._start,
            summary="look for open orders",
            **DATABASE,
        )

    async def _deal_with(self, order: OrderDue) -> bool:
        return await workflow.execute_activity_method(
            SuspensionActivities.deal_with_order,
            DueOrder(start=self._start, order=order),
            summary=f"{order.deed} of an order that is {order.status}",
            task_queue=NOTIFICATIONS_QUEUE,
            start_to_close_timeout=timedelta(minutes=2),
            schedule_to_close_timeout=HOWEVER_LONG,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
        )


def suspension_id(user_id: UUID) -> str:
    """The id of somebody's workflow."""
    return f"suspension-{user_id}"
