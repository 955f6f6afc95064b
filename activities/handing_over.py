"""Giving the messages that transactions have written down to workflows that send them."""

from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.common import Priority, WorkflowIDConflictPolicy

from activities.starting import started
from domain.delivering import GOOD_FOR
from domain.notifications import Urgency
from schema.database import Database
from schema.messages.deliveries import Outgoing
from schema.queries import deliveries

_AT_ONCE = 50
_PATIENCE = timedelta(seconds=5)


class NotificationDrain:
    """Starts a workflow for each message. One that is started again, since it was not written down
    that it was, finds the message sent.
    """

    def __init__(
        self,
        database: Database,
        client: Client,
        sends: Any,
        task_queue: str,
    ) -> None:
        self._database = database
        self._client = client
        self._sends = sends
        self._task_queue = task_queue

    async def __call__(self) -> bool:
        """Hand over some of them, what is of use for the shortest time first. Raises RPCError; what
        has not started then still waits.
        """
        async with self._database.write() as session:
            waiting = await deliveries.waiting(session, _AT_ONCE)
            if not waiting:
                return False
            begun, troubles = await started({one.delivery_id: self._start(one) for one in waiting})
            await deliveries.hand_over(session, begun)
        if troubles:
            raise troubles[0]
        return len(waiting) == _AT_ONCE

    async def _start(self, outgoing: Outgoing) -> None:
        again = f"-{outgoing.round}" if outgoing.round else ""
        is_live = outgoing.good_until - outgoing.due_at <= GOOD_FOR[Urgency.LIVE]
        await self._client.start_workflow(
            self._sends,
            outgoing,
            id=f"notification-{outgoing.delivery_id}{again}",
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary="a message",
            # Its activities have it, too: an offer does not wait behind an evening's mails.
            priority=Priority(priority_key=1) if is_live else Priority.default,
            rpc_timeout=_PATIENCE,
        )
