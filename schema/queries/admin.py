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
    """Write down that an admin took an order a step further, and why."""
    await session.execute(
        insert(AdminAction).values(
            id=uuid7(),
            business_key=f"{step.order_id}:{step.sequence}",
            admin_id=step.by.id,
            action_type=f"order_{step.to}",
            target_type="order",
            target_id=step.order_id,
            details={"was": step.was, "reason": step.reason},
            created_at=step.at,
        )
    )


async def note_action(
    session: AsyncSession,
    *,
    key: str,
    admin_id: UUID | None,
    action_type: str,
    target: tuple[str, UUID],
    details: Mapping[str, object],
    at: datetime,
) -> None:
    """Write down what an admin did to something that is not a step of an order; once by `key`."""
    await session.execute(
        insert(AdminAction)
        .values(
            id=uuid7(),
            business_key=key,
            admin_id=admin_id,
            action_type=action_type,
            target_type=target[0],
            target_id=target[1],
            details=dict(details),
            created_at=at,
        )
        .on_conflict_do_nothing(index_elements=["business_key"])
    )
