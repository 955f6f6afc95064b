"""Every SQL statement about what has been written down to be passed on once it is committed."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from schema.messages.live import LiveEvent
from schema.tables import LiveOutbox
from schema.tables.columns import now

# On which PostgreSQL says that something was committed which is to be passed on.
CHANNEL = "outbox"
# Whoever holds it tells live events; one at a time, so that they are told in their order.
_TELLER = 0x11FE


class Waiting(NamedTuple):
    """An event that waits to be told; None where nobody can read it."""

    id: UUID
    event: LiveEvent | None


async def wake(session: AsyncSession) -> None:
    """Have whoever passes on look, as soon as this transaction is committed."""
    await session.execute(select(func.pg_notify(CHANNEL, "")))


async def put(session: AsyncSession, *events: LiveEvent) -> None:
    """Have events told, if this transaction is committed, and only then."""
    if not events:
        return
    at = now()
    rows = [
        {"id": uuid7(), "event": event.model_dump(mode="json", by_alias=True), "created_at": at}
        for event in events
    ]
    await session.execute(insert(LiveOutbox), rows)
    await wake(session)


async def waiting(session: AsyncSession, limit: int) -> list[Waiting]:
    """The oldest events that wait, for this transaction alone to tell; none while another tells."""
    is_mine = await session.scalar(select(func.pg_try_advisory_xact_lock(_TELLER)))
    if not is_mine:
        return []
    found = await session.scalars(select(LiveOutbox).order_by(col(LiveOutbox.id)).limit(limit))
    return [Waiting(row.id, _read(row)) for row in found]


async def drop(session: AsyncSession, ids: Sequence[UUID]) -> None:
    """Events were told."""
    await session.execute(delete(LiveOutbox).where(col(LiveOutbox.id).in_(ids)))


def _read(row: LiveOutbox) -> LiveEvent | None:
    try:
        return LiveEvent.model_validate(row.event)
    except ValidationError:
        return None
