"""Every SQL statement about what admins did."""

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
