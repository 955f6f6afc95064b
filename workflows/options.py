"""How long each step may take and how often it is tried: one place for all workflows."""

from dataclasses import replace
from datetime import timedelta
from typing import TypedDict

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.orders import UNSTORABLE

ORDERS_QUEUE = "orders"
PAYMENTS_QUEUE = "payments"
PAYOUTS_QUEUE = "payouts"
DISPATCH_QUEUE = "dispatch"
NOTIFICATIONS_QUEUE = "notifications"
# Partners may be slow: nothing else waits behind them.
WEBHOOKS_QUEUE = "webhooks"
ALL_QUEUES = (
    ORDERS_QUEUE,
    DISPATCH_QUEUE,
    PAYMENTS_QUEUE,
    PAYOUTS_QUEUE,
    NOTIFICATIONS_QUEUE,
    WEBHOOKS_QUEUE,
)


class LocalOptions(TypedDict):
    """What a local activity is called with."""

    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    local_retry_threshold: timedelta
    retry_policy: RetryPolicy


class RemoteOptions(TypedDict):
    """What an activity on its own queue is called with."""

    task_queue: str
    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy


# How soon the work of a worker that died is given to another one.
HEARTBEAT = timedelta(seconds=10)

# A short write or read of the database. While the database is away an order waits for it: after
# five seconds by a timer, so that an outage does not fill the history with heartbeats.
DATABASE = LocalOptions(
    start_to_close_timeout=timedelta(seconds=5),
    schedule_to_close_timeout=timedelta(days=1),
    local_retry_threshold=timedelta(seconds=5),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=10)
    ),
)

# The same for what somebody has asked for: words that cannot be stored are his to mend. A fact or a
# deadline is tried until the code is mended.
REQUESTED = LocalOptions(
    **{
        **DATABASE,
        "retry_policy": replace(DATABASE["retry_policy"], non_retryable_error_types=[UNSTORABLE]),
    }
)


def stripe_call(within: timedelta, *, queue: str = PAYMENTS_QUEUE) -> RemoteOptions:
    """A call to Stripe that must succeed `within` some time, tried again all the while."""
    return RemoteOptions(
        task_queue=queue,
        # The SDK itself tries three times, 20 s each, before it gives up.
        start_to_close_timeout=timedelta(seconds=90),
        schedule_to_close_timeout=within,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=RetryPolicy(
            initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(minutes=1)
        ),
    )


# While somebody waits at a screen, and all else waits for him.
AT_ONCE = timedelta(seconds=10)
# While an answer is awaited that decides what becomes of the order.
SOON = timedelta(minutes=1)
# Money that must go back goes back, however long Stripe or the bank is away.
HOWEVER_LONG = timedelta(days=30)

# An announcement that failed at once is repeated until Redis answers, then it is stale anyway.
ANNOUNCE = RemoteOptions(
    task_queue=NOTIFICATIONS_QUEUE,
    start_to_close_timeout=timedelta(seconds=10),
    schedule_to_close_timeout=timedelta(hours=1),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=30)),
)

# A zone's look at its orders. It is of no use later: the next attempt sees what there is then.
TICK = RemoteOptions(
    task_queue=DISPATCH_QUEUE,
    start_to_close_timeout=timedelta(seconds=30),
    schedule_to_close_timeout=HOWEVER_LONG,
    heartbeat_timeout=HEARTBEAT,
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=10)
    ),
)

# A try of a message to a partner, who has 15 seconds for it. What cannot be written down now (the
# database is away) is tried again by the activity, everything else by the workflow.
WEBHOOK = RemoteOptions(
    task_queue=WEBHOOKS_QUEUE,
    start_to_close_timeout=timedelta(minutes=1),
    schedule_to_close_timeout=HOWEVER_LONG,
    heartbeat_timeout=HEARTBEAT,
    retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
)
