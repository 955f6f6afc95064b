"""One letter, sent however long the mail server is away, as long as it is of any use."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from workflows.options import HEARTBEAT, NOTIFICATIONS_QUEUE

with workflow.unsafe.imports_passed_through():
    from activities.letters import LetterActivities
    from schema.messages.letters import Letter


@workflow.defn
class LetterWorkflow:
    """It knows which row says what is to be sent, and nothing of that."""

    @workflow.run
    async def run(self, letter: Letter) -> None:
        """Send it. Fails when that was not possible in time, or never will be."""
        await workflow.execute_activity_method(
            LetterActivities.send_letter,
            letter,
            task_queue=NOTIFICATIONS_QUEUE,
            start_to_close_timeout=timedelta(minutes=1),
            schedule_to_close_timeout=max(letter.good_until - workflow.now(), timedelta(seconds=1)),
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RetryPolicy(
                initial_interval=timedelta(milliseconds=100),
                maximum_interval=timedelta(seconds=30),
            ),
            summary="send it",
        )
