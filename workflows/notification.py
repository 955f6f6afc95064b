"""One message on one way, sent when it is due, however long its provider is away, as long as it is
of any use.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from workflows.options import HEARTBEAT, HOWEVER_LONG, NOTIFICATIONS_QUEUE

with workflow.unsafe.imports_passed_through():
    from activities.notifying import NotifyingActivities
    from schema.messages.deliveries import Outgoing


@workflow.defn
class NotificationWorkflow:
    """It knows which row says what is to be sent to whom, and nothing of that."""

    @workflow.run
    async def run(self, outgoing: Outgoing) -> None:
        """Wait until it is due (quiet hours), and send it; where that was not possible in time,
        write it down.
        """
        waiting: Outgoing | None = outgoing
        while waiting is not None:
            waiting = await self._send(waiting)

    async def _send(self, outgoing: Outgoing) -> Outgoing | None:
        """Send it when it is due; what is still to be sent later, when the next quiet hours have
        begun meanwhile.
        """
        wait = outgoing.due_at - workflow.now()
        if wait > timedelta(0):
            await workflow.sleep(wait, summary="until it may ring")
        left = outgoing.good_until - workflow.now()
        try:
            return await workflow.execute_activity_method(
                NotifyingActivities.send_notification,
                outgoing,
                task_queue=NOTIFICATIONS_QUEUE,
                start_to_close_timeout=timedelta(minutes=2),
                schedule_to_close_timeout=max(left, timedelta(seconds=1)),
                heartbeat_timeout=HEARTBEAT,
                retry_policy=RetryPolicy(
                    initial_interval=timedelta(milliseconds=500),
                    maximum_interval=timedelta(minutes=5),
                ),
                summary="send it",
            )
        except ActivityError:
            await workflow.execute_activity_method(
                NotifyingActivities.give_notification_up,
                outgoing,
                task_queue=NOTIFICATIONS_QUEUE,
                start_to_close_timeout=timedelta(seconds=10),
                schedule_to_close_timeout=HOWEVER_LONG,
                summary="it was not possible in time",
            )
            return None
