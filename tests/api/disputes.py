"""Disputes of orders that are played through the facade."""

from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus

from domain.disputes import Stage
from domain.order_status import OrderStatus
from local.cast import Cast
from local.people import until
from schema.tables import Dispute


async def opened(play: Cast, order: dict[str, Any], **how: object) -> str:
    """A customer's bank disputes an order, and we have heard of it; the dispute's id."""
    dispute_id = await opened_about(play, play.intent_id(order), **how)
    seen = await play.customer.get(f"/orders/{order['id']}")
    if seen["status"] == OrderStatus.DELIVERED and not how.get("inquiry"):
        # Its step is part of the evidence.
        await play.becomes(order, OrderStatus.DISPUTED)
    return dispute_id


async def opened_about(play: Cast, intent_id: str, **how: object) -> str:
    """A bank disputes any payment of an order, its tip's for one, and we have heard of it."""
    await play.stripe_control("POST", "disputes", payment_intent=intent_id, **how)
    dispute_id = play.stripe.v1.disputes.list({"payment_intent": intent_id}).data[0].id
    await is_told(play, dispute_id, Stage.INQUIRY if how.get("inquiry") else Stage.DISPUTE)
    return dispute_id


async def is_told(play: Cast, dispute_id: str, stage: Stage) -> None:
    """Wait until the order was told how far its dispute is."""

    async def has_heard() -> bool:
        async with play.database.read() as session:
            row = await session.get(Dispute, dispute_id)
        return row is not None and row.told is stage

    await until(has_heard)


async def is_over(play: Cast, dispute_id: str) -> None:
    """Wait until no run looks after a dispute any more."""
    client = await Client.connect(play.environment["TEMPORAL_ADDRESS"])
    handle = client.get_workflow_handle(f"dispute-{dispute_id}")

    async def has_ended() -> bool:
        return (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED

    await until(has_ended)
