"""Nightly: what nobody has to know any more is forgotten: where drivers were long ago, what has
expired of sessions, links and codes, and what was sent to people and partners.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from workflows.options import HEARTBEAT, PAYOUTS_QUEUE, RemoteOptions

with workflow.unsafe.imports_passed_through():
    from activities.identity import IdentityActivities
    from activities.locations import LocationActivities
    from activities.sent_log import SentLog
    from schema.messages.locations import Forgetting, Keeping

_AT_NIGHT = RemoteOptions(
    task_queue=PAYOUTS_QUEUE,
    # The first night after the setting was lowered may have years to forget.
    start_to_close_timeout=timedelta(hours=12),
    # The next night does it otherwise.
    schedule_to_close_timeout=timedelta(days=1),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
)
# What expired today may still be asked about.
EXPIRED_FOR = timedelta(days=1)


@workflow.defn
class ForgettingWorkflow:
    """One night's."""

    @workflow.run
    async def run(self, start: Keeping) -> int:
        """Forget, and say how many positions."""
        positions: int = await workflow.execute_activity_method(
            LocationActivities.forget_locations,
            Forgetting(before=workflow.now() - start.keep),
            summary="forget where drivers were",
            **_AT_NIGHT,
        )
        await workflow.execute_activity_method(
            IdentityActivities.forget_expired,
            Forgetting(before=workflow.now() - EXPIRED_FOR),
            summary="forget sessions, links and codes",
            **_AT_NIGHT,
        )
        # A night that began before there was this has nothing of it.
        if workflow.patched("sent"):
            await workflow.execute_activity_method(
                SentLog.forget_webhooks,
                Forgetting(before=workflow.now() - start.webhooks),
                summary="forget what partners were sent",
                **_AT_NIGHT,
            )
            await workflow.execute_activity_method(
                SentLog.forget_deliveries,
                Forgetting(before=workflow.now() - start.deliveries),
                summary="forget what became of messages",
                **_AT_NIGHT,
            )
        return positions
