"""Every SQL statement about what admins did."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.order_status import Actor
from schema.messages.dispatch import Assignment, Release
from schema.messages.disputes import Decision
from schema.messages.order import Transition
from schema.tables import AdminAction
from schema.tables.columns import now


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


async def note_early(
    session: AsyncSession, deed: Assignment | Release, action: str, driver_id: UUID
) -> None:
    """Write down what an admin did about the driver of an order that is still being cooked, which
    is no step of the order.
    """
    if deed.by.role is not Actor.ADMIN or deed.by.id is None:
        return
    await act(
        session,
        key=f"{deed.order_id}:{action}:{deed.at.isoformat()}",
        admin_id=deed.by.id,
        action=action,
        target=("order", deed.order_id),
        details={"driver_id": str(driver_id), "reason": deed.reason},
        at=deed.at,
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
) -> bool:
    """Write down, once by `key`, that an admin did something to a target: its kind and id; False
    when it is written down already.
    """
    target_type, target_id = target
    noted = await session.execute(
        insert(AdminAction)
        .values(
            id=uuid7(),
            business_key=key,
            admin_id=admin_id,
            action_type=action,
            target_type=target_type,
            target_id=target_id,
            details=dict(details),
            created_at=at,
        )
        .on_conflict_do_nothing(index_elements=["business_key"])
        .returning(col(AdminAction.id))
    )
    return noted.first() is not None


async def note_dispute(session: AsyncSession, decision: Decision, order_id: UUID) -> bool:
    """Write down what an admin did about the dispute of an order; False when it is known."""
    noted = await session.execute(
        insert(AdminAction)
        .values(
            id=uuid7(),
            business_key=f"{decision.dispute_id}:{decision.key}",
            admin_id=decision.admin_id,
            action_type=f"dispute_{decision.action}",
            target_type="order",
            target_id=order_id,
            details=decision.model_dump(
                mode="json",
                by_alias=True,
                exclude_none=True,
                include={"dispute_id", "text", "fault", "reason"},
            ),
            created_at=now(),
        )
        .on_conflict_do_nothing(index_elements=["business_key"])
        .returning(col(AdminAction.id))
    )
    return noted.first() is not None
