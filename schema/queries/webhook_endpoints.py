"""Every SQL statement about where partners want to be told.

Whoever changes an endpoint and messages to it has the endpoint first, so that no two wait for each
other.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.webhooks import DeliveryStatus, OffBecause
from schema.queries.notifications import KitchenParty
from schema.tables import Chef, WebhookDelivery, WebhookEndpoint


async def add(session: AsyncSession, row: WebhookEndpoint) -> None:
    """Write a new endpoint."""
    session.add(row)
    await session.flush()


async def one(session: AsyncSession, endpoint_id: UUID) -> WebhookEndpoint | None:
    """An endpoint."""
    return await session.get(WebhookEndpoint, endpoint_id)


async def locked(session: AsyncSession, endpoint_id: UUID) -> WebhookEndpoint | None:
    """An endpoint that nobody else changes until this transaction ends. Messages to it are written
    meanwhile.
    """
    return await session.get(
        WebhookEndpoint, endpoint_id, with_for_update={"key_share": True}, populate_existing=True
    )


async def count_of(session: AsyncSession, chef_id: UUID) -> int:
    """How many a kitchen has. Nobody else adds one to it until this transaction ends."""
    await session.execute(
        select(col(Chef.id)).where(col(Chef.id) == chef_id).with_for_update(key_share=True)
    )
    found = await session.scalar(
        select(func.count())
        .select_from(WebhookEndpoint)
        .where(col(WebhookEndpoint.chef_id) == chef_id)
    )
    return found or 0


async def page(
    session: AsyncSession, *, chef_id: UUID | None = None, limit: int, offset: int
) -> tuple[Sequence[WebhookEndpoint], int]:
    """A page of a kitchen's endpoints, or of all, the newest first; and how many there are."""
    which = () if chef_id is None else (col(WebhookEndpoint.chef_id) == chef_id,)
    found = await session.scalars(
        select(WebhookEndpoint)
        .where(*which)
        .order_by(col(WebhookEndpoint.id).desc())
        .limit(limit)
        .offset(offset)
    )
    total = await session.scalar(select(func.count()).select_from(WebhookEndpoint).where(*which))
    return found.all(), total or 0


async def change(session: AsyncSession, endpoint_id: UUID, values: Mapping[str, Any]) -> None:
    """Have an endpoint otherwise."""
    await session.execute(
        update(WebhookEndpoint).where(col(WebhookEndpoint.id) == endpoint_id).values(**values)
    )


async def remove(session: AsyncSession, endpoint_id: UUID) -> None:
    """Take an endpoint away, with all that was sent to it."""
    await session.execute(delete(WebhookEndpoint).where(col(WebhookEndpoint.id) == endpoint_id))


async def switch_off(
    session: AsyncSession, endpoint_id: UUID, because: OffBecause, at: datetime
) -> bool:
    """Send nothing to an endpoint any more, and what waits for it neither; False when that was so
    already.
    """
    off = await session.scalar(
        update(WebhookEndpoint)
        .where(col(WebhookEndpoint.id) == endpoint_id, col(WebhookEndpoint.enabled))
        .values(enabled=False, disabled_at=at, disabled_because=because)
        .returning(col(WebhookEndpoint.id))
    )
    if off is None:
        return False
    await session.execute(
        update(WebhookDelivery)
        .where(
            col(WebhookDelivery.endpoint_id) == endpoint_id,
            col(WebhookDelivery.status) == DeliveryStatus.PENDING,
        )
        .values(
            status=DeliveryStatus.CANCELLED,
            last_error=f"the webhook was switched off: {because}",
            next_attempt_at=None,
        )
    )
    return True


async def switch_on(session: AsyncSession, endpoint_id: UUID) -> None:
    """Send to an endpoint again what happens from now on."""
    await change(
        session,
        endpoint_id,
        {"enabled": True, "disabled_at": None, "disabled_because": None, "failing_since": None},
    )


async def note_success(session: AsyncSession, endpoint_id: UUID) -> None:
    """Something has arrived."""
    await session.execute(
        update(WebhookEndpoint)
        .where(
            col(WebhookEndpoint.id) == endpoint_id, col(WebhookEndpoint.failing_since).is_not(None)
        )
        .values(failing_since=None)
    )


async def note_failure(session: AsyncSession, endpoint_id: UUID, at: datetime) -> datetime | None:
    """Something has not arrived: since when nothing has. None where there is no such endpoint."""
    return await session.scalar(
        update(WebhookEndpoint)
        .where(col(WebhookEndpoint.id) == endpoint_id)
        .values(failing_since=func.coalesce(WebhookEndpoint.failing_since, at))
        .returning(col(WebhookEndpoint.failing_since))
    )


async def party(session: AsyncSession, endpoint_id: UUID) -> KitchenParty | None:
    """The chef whose endpoint it is; None where it is the market's."""
    found = await session.execute(
        select(col(Chef.id), col(Chef.user_id), col(Chef.business_name))
        .join(WebhookEndpoint, col(WebhookEndpoint.chef_id) == col(Chef.id))
        .where(col(WebhookEndpoint.id) == endpoint_id)
    )
    row = found.first()
    return None if row is None else KitchenParty(*row)
