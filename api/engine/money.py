"""Messages to the workflows of money that comes back or does not add up."""

from typing import Any

from temporalio.client import WithStartWorkflowOperation

from api.engine.door import Door, EngineBusy, OrderClosed, taking_up
from schema.messages.base import Message
from schema.messages.disputes import DisputeRef
from schema.messages.refund import Decision, RefundStart, RefundView
from workflows.dispute import DisputeWorkflow
from workflows.options import PAYOUTS_QUEUE
from workflows.refund import RefundWorkflow
from workflows.schedules import RECONCILIATION


class Money:
    """Refunds are asked for, disputes answered, and the books held against Stripe's."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def ask_for_refund(self, start: RefundStart) -> RefundView:
        """Start a request for a refund, or find it, and answer when it is written down.

        Raises Refused (it may not be), EngineBusy.
        """
        view: RefundView = await self._door.ask(RefundWorkflow.ask, start=_refund(start))
        return view

    async def decide_refund(self, start: RefundStart, decision: Decision) -> RefundView:
        """Pass an admin's decision on a complaint on; the same decision gets the same answer.

        Raises Refused, EngineBusy.
        """
        view: RefundView = await self._door.ask(
            RefundWorkflow.decide, decision, start=_refund(start)
        )
        return view

    async def tell_dispute(self, dispute_id: str) -> None:
        """Tell a dispute's workflow that something has changed; the first time, it begins by that.

        Raises EngineBusy.
        """
        await self._door.tell(
            DisputeWorkflow.run,
            DisputeRef(dispute_id=dispute_id),
            DisputeWorkflow.changed,
            workflow_id=_dispute_id(dispute_id),
            task_queue=PAYOUTS_QUEUE,
        )

    async def ask_dispute(
        self, dispute_id: str, update: Any, request: Message, *, key: str
    ) -> None:
        """Ask a dispute's workflow for something, be a run of it there or not.

        Raises Refused, EngineBusy.
        """
        start = taking_up(
            DisputeWorkflow.run,
            DisputeRef(dispute_id=dispute_id),
            workflow_id=_dispute_id(dispute_id),
            task_queue=PAYOUTS_QUEUE,
            why=f"taken up: {update.__name__}",
        )
        await self._door.ask(update, request, start=start, key=key)

    async def reconcile(self) -> None:
        """Have Stripe's transactions held against the books now, or when the present run ends.

        Raises EngineBusy.
        """
        try:
            async with self._door.answers():
                await self._door.client.get_schedule_handle(RECONCILIATION).trigger()
        except OrderClosed as missing:
            # The first worker that starts makes the schedule.
            raise EngineBusy from missing


def _refund(start: RefundStart) -> WithStartWorkflowOperation[Any, Any]:
    return taking_up(
        RefundWorkflow.run,
        start,
        workflow_id=f"refund-{start.request_id}",
        task_queue=PAYOUTS_QUEUE,
        why=f"{start.ask.kind}: {start.ask.reason}" if start.ask else "taken up again",
    )


def _dispute_id(dispute_id: str) -> str:
    return f"dispute-{dispute_id}"
