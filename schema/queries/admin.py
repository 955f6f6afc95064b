"""Every SQL statement about what admins did."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
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


async def note(
    session: AsyncSession, step: Transition, drivers: tuple[UUID | None, UUID | None]
) -> None:
    """Write down that an admin took an order a step further, and why, if it is known who; `drivers`
    are who had the order before the step and who has it after.
    """
    if step.by.id is None:
        return
    had, has = drivers
    before, after = ({}, {}) if had == has else (_driver(had), _driver(has))
    await act(
        session,
        key=f"{step.order_id}:{step.sequence}",
        admin_id=step.by.id,
        action=f"order_{step.to}",
        target=("order", step.order_id),
        details={"was": step.was, "reason": step.reason},
        at=step.at,
        before={"status": step.was, **before},
        after={"status": step.to, **after},
    )


async def note_early(
    session: AsyncSession, deed: Assignment | Release, action: str, had: UUID | None
) -> None:
    """Write down what an admin did about the driver of an order that is still being cooked, which
    is no step of the order; `had` is who had it before.
    """
    if deed.by.role is not Actor.ADMIN or deed.by.id is None:
        return
    await act(
        session,
        key=f"{deed.order_id}:{action}:{deed.at.isoformat()}",
        admin_id=deed.by.id,
        action=action,
        target=("order", deed.order_id),
        details={"driver_id": str(deed.driver_id), "reason": deed.reason},
        at=deed.at,
        before=_driver(had),
        after=_driver(deed.driver_id if isinstance(deed, Assignment) else None),
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
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str | None = None,
) -> bool:
    """Write down, once by `key`, that an admin did something to a target: its kind and id; False
    when it is written down already.

    The row is never changed or erased: ids and figures belong into it, nobody's name or address.
    `reason` is that of the details where it is not said.
    """
    target_type, target_id = target
    # What is left out is NULL; what is said to be None would be the JSON document `null`.
    changed = {"before": before, "after": after}
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
            reason=reason or details.get("reason"),
            created_at=at,
            **{name: dict(values) for name, values in changed.items() if values is not None},
        )
        .on_conflict_do_nothing(index_elements=["business_key"])
        .returning(col(AdminAction.id))
    )
    return noted.first() is not None


async def ran(
    session: AsyncSession, action: str, admin_id: UUID, said: Mapping[str, object], at: datetime
) -> None:
    """Write down that an admin had something run by hand: the run itself is what it is about, and
    before it there was none.
    """
    run_id = uuid7()
    await act(
        session,
        key=f"run:{run_id}",
        admin_id=admin_id,
        action=action,
        target=("run", run_id),
        details=said,
        at=at,
        after={"status": "asked", **{name: said[name] for name in said if name != "reason"}},
    )


async def note_dispute(
    session: AsyncSession,
    decision: Decision,
    order_id: UUID,
    *,
    before: Mapping[str, object],
    after: Mapping[str, object],
) -> bool:
    """Write down what an admin did about the dispute of an order; False when it is known. Evidence
    speaks of people, and this log forgets nobody: its words are in the dispute alone.
    """
    return await act(
        session,
        key=f"{decision.dispute_id}:{decision.key}",
        admin_id=decision.admin_id,
        action=f"dispute_{decision.action}",
        target=("order", order_id),
        details=decision.model_dump(
            mode="json",
            by_alias=True,
            exclude_none=True,
            include={"dispute_id", "fault", "reason"},
        ),
        at=now(),
        before=before,
        after=after,
    )


async def latest_by(session: AsyncSession, action: str, target_id: UUID) -> UUID | None:
    """Which admin did so to a target last."""
    return await session.scalar(
        select(col(AdminAction.admin_id))
        .where(col(AdminAction.target_id) == target_id, col(AdminAction.action_type) == action)
        .order_by(col(AdminAction.id).desc())
        .limit(1)
    )


def _driver(driver_id: UUID | None) -> dict[str, object]:
    return {"driverId": None if driver_id is None else str(driver_id)}
