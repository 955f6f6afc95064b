"""Handing what was written down for partners to the workflows that deliver it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from temporalio.client import Client

from activities.starting import started
from schema.database import Database
from schema.messages.webhooks import Delivering
from schema.queries import webhook_deliveries

_AT_ONCE = 50
_PATIENCE = timedelta(seconds=5)


class WebhookDrain:
    """A drain of the relay. `run` is the workflow's run method and `look` the signal that has it
    look at its row; `task_queue` is where it is worked on.
    """

    def __init__(
        self, database: Database, client: Client, run: Any, look: Any, task_queue: str
    ) -> None:
        self._database = database
        self._client = client
        self._run = run
        self._look = look
        self._task_queue = task_queue

    async def __call__(self) -> bool:
        """Hand some of it over. Raises RPCError while Temporal is away.

        What was handed over and not written down as that is handed over again: a workflow that runs
        looks once more, and a new one finds nothing to do.
        """
        async with self._database.write() as session:
            waiting = await webhook_deliveries.waiting(session, _AT_ONCE)
            handed, troubles = await started({it: self._hand_over(it) for it in waiting})
            await webhook_deliveries.hand_over(session, handed)
        if troubles:
            raise troubles[0]
        return len(waiting) == _AT_ONCE

    async def _hand_over(self, delivery_id: UUID) -> None:
        await self._client.start_workflow(
            self._run,
            Delivering(delivery_id=delivery_id),
            id=f"webhook-{delivery_id}",
            task_queue=self._task_queue,
            # By the method's own name: a signal that no workflow knows would be lost unseen.
            start_signal=self._look.__name__,
            static_summary="a message to a partner",
            rpc_timeout=_PATIENCE,
        )
