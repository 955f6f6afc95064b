"""What operators are told live of what they are told."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain.live import Happening
from schema import live_events
from schema.live_events import Alert
from schema.queries import outbox


async def put(
    session: AsyncSession,
    rows: Sequence[Mapping[str, Any]],
    written: Collection[UUID],
    key: str,
    order_number: str | None,
) -> None:
    """Have operators told live of notifications, of which those `written` are new, once for all of
    them; nothing where some operator was told before.
    """
    alerts = [row for row in rows if row["type"] == Happening.ALERT]
    if not alerts or any(row["id"] not in written for row in alerts):
        return
    first = alerts[0]
    said = Alert(
        key=key,
        notification_id=first["id"],
        occasion=first["occasion"],
        title=first["title"],
        message=first["message"],
        order_id=first["related_order_id"],
        order_number=order_number,
        at=first["created_at"],
    )
    await outbox.put(session, live_events.alert(said))
