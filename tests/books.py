"""What is booked, read past our own queries."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from schema.database import Database
from schema.tables import LedgerMovement, LedgerPosting


async def books(database: Database, *orders: UUID) -> Mapping[str, int]:
    """What orders have left on each account, in cents; accounts that come to nothing left out."""
    async with database.read() as session:
        found = await session.execute(
            select(col(LedgerPosting.account), func.sum(LedgerPosting.amount_cents))
            .join(LedgerMovement, col(LedgerMovement.id) == col(LedgerPosting.movement_id))
            .where(col(LedgerMovement.order_id).in_(orders))
            .group_by(col(LedgerPosting.account))
        )
        return {account: int(cents) for account, cents in found if cents}


async def booked_events(database: Database, order_id: UUID) -> list[str]:
    """What was booked for an order, the first first."""
    async with database.read() as session:
        found = await session.scalars(
            select(LedgerMovement)
            .where(col(LedgerMovement.order_id) == order_id)
            .order_by(col(LedgerMovement.booked_at), col(LedgerMovement.id))
        )
        return [movement.event.value for movement in found]
