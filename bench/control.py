"""The control: a workflow with as many messages as an order, and nothing else.

What it takes is what Temporal takes; the rest of an order's cost is ours. Run as a program, this is
the control's worker.
"""

import asyncio
import uuid

import uvloop
from temporalio import workflow
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import Worker

from workflows.connection import connect

QUEUE = "bench-control"
# Accept, start, ready, accept the offer, pick up, in transit, deliver.
UPDATES = 7


@workflow.defn
class ControlWorkflow:
    """Started with an update, told one fact, asked seven things, done."""

    def __init__(self) -> None:
        self._told = False
        self._asked = 0

    @workflow.run
    async def run(self) -> int:
        """Wait until everything has been said."""
        await workflow.wait_condition(lambda: self._told and self._asked == UPDATES)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._asked

    @workflow.update
    async def place(self) -> int:
        """As placing an order, without the order."""
        return self._asked

    @workflow.update
    async def ask(self) -> int:
        """As a command, without a command."""
        self._asked += 1
        return self._asked

    @workflow.signal
    async def tell(self) -> None:
        """As a payment, without a payment."""
        self._told = True


async def one(client: Client) -> None:
    """As many messages as an order's."""
    start = WithStartWorkflowOperation(
        ControlWorkflow.run,
        id=f"control-{uuid.uuid4()}",
        task_queue=QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    await client.execute_update_with_start_workflow(
        ControlWorkflow.place, start_workflow_operation=start, id="place"
    )
    handle = await start.workflow_handle()
    await handle.signal(ControlWorkflow.tell)
    for number in range(UPDATES):
        await handle.execute_update(ControlWorkflow.ask, id=f"ask-{number}")
    await handle.result()


async def work() -> None:
    """Run the control's worker until the process is ended."""
    async with Worker(await connect(), task_queue=QUEUE, workflows=[ControlWorkflow]):
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(work())
