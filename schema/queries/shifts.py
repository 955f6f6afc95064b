"""Every SQL statement about when drivers say that they will be there."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain import shifts as rules
from domain.shifts import Shift
from schema.tables import DriverShift
from schema.tables.columns import now


async def to_come(session: AsyncSession, driver_id: UUID, at: datetime) -> list[Shift]:
    """A driver's shifts that have not ended, the first first."""
    found = await session.execute(
        select(col(DriverShift.starts_at), col(DriverShift.ends_at))
        .where(col(DriverShift.driver_id) == driver_id, col(DriverShift.ends_at) > at)
        .order_by(col(DriverShift.starts_at))
    )
    return [Shift(*row) for row in found]


async def replan(
    session: AsyncSession, driver_id: UUID, planned: Sequence[Shift], at: datetime
) -> None:
    """Let these be the shifts that have not begun. The driver's row must be locked."""
    await session.execute(
        delete(DriverShift).where(
            col(DriverShift.driver_id) == driver_id, col(DriverShift.starts_at) > at
        )
    )
    rows = [
        {"id": uuid7(), "driver_id": driver_id, "created_at": now(), **shift._asdict()}
        for shift in planned
    ]
    if rows:
        await session.execute(insert(DriverShift), rows)


async def shift_ends(
    session: AsyncSession, driver_ids: Collection[UUID], at: datetime
) -> dict[UUID, datetime]:
    """When the shift that each driver is in at `at` ends; whoever is in none is left out."""
    found = await session.execute(
        select(
            col(DriverShift.driver_id), col(DriverShift.starts_at), col(DriverShift.ends_at)
        ).where(
            col(DriverShift.driver_id).in_(driver_ids),
            col(DriverShift.ends_at) > at,
            # Far enough for one that follows another.
            col(DriverShift.starts_at) <= at + rules.LONGEST,
        )
    )
    shifts: defaultdict[UUID, list[Shift]] = defaultdict(list)
    for driver_id, starts_at, ends_at in found:
        shifts[driver_id].append(Shift(starts_at, ends_at))
    ends = {driver_id: rules.ends_at(theirs, at) for driver_id, theirs in shifts.items()}
    return {driver_id: end for driver_id, end in ends.items() if end is not None}
