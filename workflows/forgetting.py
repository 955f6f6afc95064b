"""Nightly: where drivers were so long ago that nobody has to know it any more is forgotten."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from workflows.options import HEARTBEAT, PAYOUTS_QUEUE

with workflow.unsafe.imports_passed_through():
    from activities.locations import LocationActivities
    from schema.messages.locations import Forgetting, Keeping


@workflow.defn
class ForgettingWorkflow:
    """One night's."""

    @workflow.run
    async def run(self, start: Keeping) -> int:
        """Forget, and say how many positions."""
        return await workflow.execute_activity_method(
            LocationActivities.forget_locations,
            Forgetting(before=workflow.now() - start.keep),
            task_queue=PAYOUTS_QUEUE,
            # The first night after the setting was lowered may have years to forget.
            start_to_close_timeout=timedelta(hours=12),
            # The next night does it otherwise.
            schedule_to_close_timeout=timedelta(days=1),
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
            summary="forget where drivers were",
        )
