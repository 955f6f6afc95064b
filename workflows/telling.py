"""Telling an order's workflow a fact, from another workflow."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from temporalio import workflow
from temporalio.common import RetryPolicy

from workflows.options import HEARTBEAT, HOWEVER_LONG, NOTIFICATIONS_QUEUE

with workflow.unsafe.imports_passed_through():
    from activities.messenger import Messenger, Telling
    from schema.messages.base import Message


async def tell_order(order_id: UUID, signal: Any, fact: Message) -> None:
    """Tell an order a fact by a signal of OrderWorkflow (the method itself, so that none is
    misspelt); an order whose workflow has ended is taken up again for it.
    """
    await workflow.execute_activity_method(
        Messenger.tell_order,
        Telling(order_id=order_id, signal=signal.__name__, fact=fact.model_dump(mode="json")),
        summary=f"tell the order: {signal.__name__}",
        task_queue=NOTIFICATIONS_QUEUE,
        start_to_close_timeout=timedelta(seconds=10),
        schedule_to_close_timeout=HOWEVER_LONG,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
    )
