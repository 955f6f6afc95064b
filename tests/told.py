"""What was told live, as it lies in Redis, and what is still to be told."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from sqlalchemy import select
from sqlmodel import col

from schema.database import Database
from schema.messages.live import LiveEvent, Told
from schema.tables import LiveOutbox


async def told_of(redis: Redis, order_id: UUID | str) -> list[Told]:
    """What an order's stream holds, the first first."""
    return [_told(fields) for _, fields in await redis.xrange(f"order:{order_id}:told")]


async def told_to_all(redis: Redis, after: str = "-") -> list[Told]:
    """What every API process was told, the first first; sessions that ended left out."""
    entries = await redis.xrange("live", min=after)
    return [_told(fields) for _, fields in entries if "event" in fields]


async def put_down(database: Database, order_ids: Collection[UUID | None]) -> list[LiveEvent]:
    """What waits to be told of orders, or of none, the first first."""
    of_order = col(LiveOutbox.event)["orderId"].astext
    wanted = of_order.in_([str(order_id) for order_id in order_ids if order_id])
    if None in order_ids:
        wanted |= of_order.is_(None)
    async with database.read() as session:
        rows = await session.scalars(select(LiveOutbox).where(wanted).order_by(col(LiveOutbox.id)))
        return [LiveEvent.model_validate(row.event) for row in rows]


def _told(fields: dict[Any, Any]) -> Told:
    number = fields.get("sequence")
    return Told(
        event=LiveEvent.model_validate_json(fields["event"]),
        sequence=None if number is None else int(number),
    )
