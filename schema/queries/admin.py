"""Every SQL statement about what admins did."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from schema.messages.order import Transition
from schema.tables import AdminAction


async def note(session: AsyncSession, step: Transition) -> None:
    """Write down that an admin took an order a step further, and why, if it is known who."""
    if step.by.id is None:
        return
    await act(
        session,
        key=f"{step.order_id}:{step.sequence}",
        admin_id=step.by.id,
        action=f"order_{step.to}",
        target=("order", step.order_id),
        details={"was": step.was, "reason": step.reason},
        at=step.at,
    )


async def act(
    session: AsyncSession,
    *,
    key: str,
    admin_id: UUID,
    action: str,
    target: tuple[str, UUID],
    details: Mapping[str, object],
    at: datetime,
) -> None:
    """Write down that an admin did something to a target: its kind and id."""
    target_type, target_id = target
    await session.execute(
        insert(AdminAction).values(
            id=uuid7(),
            business_key=key,
            admin_id=admin_id,
            action_type=action,
            target_type=target_type,
            target_id=target_id,
            details=dict(details),
            created_at=at,
        )
    )
