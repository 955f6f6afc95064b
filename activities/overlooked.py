"""Seeing to it that no request for a refund waits for a workflow that is gone."""

from typing import Any
from uuid import UUID

from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from schema.database import Database
from schema.messages.refund import Overlooked, RefundStart
from schema.queries import refunds


class OverlookedActivities:
    """Takes requests up again; `run` is the refund workflow's run method, `task_queue` where it is
    worked on.
    """

    def __init__(self, database: Database, client: Client, run: Any, task_queue: str) -> None:
        self._database = database
        self._client = client
        self._run = run
        self._task_queue = task_queue

    @activity.defn
    async def take_refunds_up(self, page: Overlooked) -> UUID | None:
        """Start the workflow of each request of a page that has none; answers with where the next
        page begins, None when there is none.

        A workflow that is alive hears nothing of it. One that comes to its end meanwhile is started
        once more, finds the request settled, and ends.
        """
        async with self._database.read() as session:
            found = await refunds.unsettled(session, page.before, page.after, page.limit)
        for request_id in found:
            await self._client.start_workflow(
                self._run,
                RefundStart(request_id=request_id),
                id=f"refund-{request_id}",
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                static_summary="taken up again by night",
            )
        return found[-1] if len(found) == page.limit else None
