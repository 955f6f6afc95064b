"""Endpoints and messages as they stand in the tables."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from domain.webhooks import EventType
from local.world import World
from schema.database import Database
from schema.tables import WebhookAttempt, WebhookDelivery, WebhookEndpoint


async def endpoint(
    database: Database, world: World, url: str, *, of_market: bool = False
) -> WebhookEndpoint:
    """Somebody who wants to be told of everything: the world's chef, or the market's partner."""
    row = WebhookEndpoint(
        chef_id=None if of_market else world.chef.id,
        url=url,
        event_types=list(EventType),
        created_by=world.admin.user_id,
    )
    async with database.write() as session:
        session.add(row)
    return row


async def message(database: Database, to: WebhookEndpoint, key: str = "a") -> WebhookDelivery:
    """A message that a workflow knows of."""
    row = WebhookDelivery(
        endpoint_id=to.id,
        event_type=EventType.ORDER_CREATED,
        business_key=key,
        payload={"type": EventType.ORDER_CREATED, "data": {"said": key}},
        handed_over=True,
    )
    async with database.write() as session:
        session.add(row)
    return row


async def delivery(database: Database, delivery_id: UUID) -> WebhookDelivery:
    async with database.read() as session:
        row = await session.get(WebhookDelivery, delivery_id)
    assert row is not None
    return row


async def standing(database: Database, endpoint_id: UUID) -> WebhookEndpoint:
    async with database.read() as session:
        row = await session.get(WebhookEndpoint, endpoint_id)
    assert row is not None
    return row


async def messages(database: Database, endpoint_id: UUID) -> Sequence[WebhookDelivery]:
    """What was written down for an endpoint, in its sequence."""
    async with database.read() as session:
        found = await session.scalars(
            select(WebhookDelivery)
            .where(col(WebhookDelivery.endpoint_id) == endpoint_id)
            .order_by(col(WebhookDelivery.id))
        )
        return found.all()


async def attempts(database: Database, delivery_id: UUID) -> Sequence[WebhookAttempt]:
    async with database.read() as session:
        found = await session.scalars(
            select(WebhookAttempt)
            .where(col(WebhookAttempt.delivery_id) == delivery_id)
            .order_by(col(WebhookAttempt.number))
        )
        return found.all()
