"""One worker process: the order's workflow, and the activities of each task queue.

    python worker.py

Any number of them may run; nothing is kept in a process.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
import uvloop
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig

import logs
from activities.announce import Announcer
from activities.dispatch import DispatchActivities
from activities.heartbeat import Heartbeats
from activities.messenger import Messenger
from activities.orders import OrderActivities
from activities.payments import PaymentActivities
from activities.refunds import RefundActivities
from activities.tips import TipActivities
from providers.positions import Positions
from providers.redis import connect_redis
from providers.stripe import Stripe
from schema.database import Database
from settings import Settings, terms
from workflows.connection import connect
from workflows.options import NOTIFICATIONS_QUEUE, ORDERS_QUEUE, PAYMENTS_QUEUE
from workflows.order import OrderWorkflow
from workflows.refund import RefundWorkflow

# What an activity may take longer than the process is allowed to live is done again elsewhere.
GRACE = timedelta(seconds=10)

_log = structlog.get_logger()


@asynccontextmanager
async def working(client: Client, settings: Settings, **options: Any) -> AsyncIterator[None]:
    """Work on all task queues until left; `options` go to the worker that runs the workflows."""
    database = Database(settings.database_url, pool_size=settings.database_pool_size)
    redis = connect_redis(settings.redis_url)
    announcer = Announcer(redis)
    orders = OrderActivities(database, announcer)
    dispatch = DispatchActivities(
        database,
        Positions(redis),
        capacity=settings.driver_capacity,
        fix_max_age=settings.driver_fix_max_age,
    )
    stripe = Stripe(
        settings.stripe_api_key.get_secret_value(),
        api_base=settings.stripe_api_base,
        timeout_seconds=settings.stripe_timeout_seconds,
        max_network_retries=settings.stripe_max_network_retries,
    )
    payments = PaymentActivities(database, stripe)
    refunds = RefundActivities(database, stripe)
    tips = TipActivities(database, stripe)
    messenger = Messenger(client, OrderWorkflow.run, ORDERS_QUEUE, terms(settings))
    workers = [
        Worker(
            client,
            task_queue=ORDERS_QUEUE,
            workflows=[OrderWorkflow, RefundWorkflow],
            activities=[
                orders.begin_order,
                orders.load_order,
                orders.record_step,
                orders.steps_after,
                orders.set_price,
                orders.promise_tip,
                orders.open_complaints,
                orders.raise_alarm,
                refunds.begin_refund,
                refunds.load_refund,
                refunds.decide_refund,
                refunds.alarm_of_refund,
                refunds.give_refund_up,
                dispatch.make_offer,
                dispatch.withdraw_offer,
            ],
            # After a worker is killed, its orders wait this long before another one takes them.
            sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
            graceful_shutdown_timeout=GRACE,
            deployment_config=_deployment(settings),
            **options,
        ),
        Worker(
            client,
            task_queue=PAYMENTS_QUEUE,
            activities=[
                payments.open_payment,
                payments.change_amount,
                payments.capture_payment,
                payments.settle_payment,
                refunds.give_back,
                tips.charge_tip,
            ],
            max_task_queue_activities_per_second=settings.payment_activities_per_second,
            interceptors=[Heartbeats()],
            graceful_shutdown_timeout=GRACE,
        ),
        Worker(
            client,
            task_queue=NOTIFICATIONS_QUEUE,
            activities=[announcer.announce, messenger.tell_order],
            interceptors=[Heartbeats()],
            graceful_shutdown_timeout=GRACE,
        ),
    ]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        stack.push_async_callback(redis.aclose)
        stack.push_async_callback(stripe.aclose)
        for worker in workers:
            await stack.enter_async_context(worker)
        yield


def _deployment(settings: Settings) -> WorkerDeploymentConfig | None:
    """With a build id, orders stay with the build they began on until they end."""
    if not settings.worker_build_id:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(settings.worker_deployment, settings.worker_build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


@contextmanager
def _ready(file: str) -> Iterator[None]:
    """While working, a file says so to whoever watches over this process, with its id."""
    if not file:
        yield
        return
    path = Path(file)
    path.write_text(str(os.getpid()))
    yield
    path.unlink(missing_ok=True)


async def main() -> None:
    """Work until told to stop."""
    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    settings = Settings()
    logs.configure(settings.log_level)
    async with working(await connect(), settings):
        _log.info("working", queues=[ORDERS_QUEUE, PAYMENTS_QUEUE, NOTIFICATIONS_QUEUE])
        with _ready(settings.worker_ready_file):
            await stop.wait()
    # A process that exits right after its workers closed can abort in the SDK's native threads.
    await asyncio.sleep(0.3)


if __name__ == "__main__":
    uvloop.run(main())
