"""Every SQL statement about who and what waits to be verified."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.verification import DocumentStatus, Verification
from schema.tables import Chef, ChefDocument, Driver, DriverDocument


class Queue(NamedTuple):
    """How many wait, and since when the first of them does."""

    waiting: int
    oldest_at: datetime | None


async def queues(session: AsyncSession) -> dict[str, Queue]:
    """What waits, by what it is; one statement."""
    found = await session.execute(
        union_all(
            _queue("chefs", Chef, col(Chef.verification_status) == Verification.PENDING),
            _queue(
                "chef_documents", ChefDocument, col(ChefDocument.status) == DocumentStatus.PENDING
            ),
            _queue("drivers", Driver, col(Driver.verification_status) == Verification.PENDING),
            _queue(
                "driver_documents",
                DriverDocument,
                col(DriverDocument.status) == DocumentStatus.PENDING,
            ),
        )
    )
    return {name: Queue(waiting, oldest) for name, waiting, oldest in found}


def _queue(name: str, table: Any, waits: Any) -> Select[Any]:
    return (
        select(literal(name), func.count(), func.min(table.created_at))
        .select_from(table)
        .where(waits)
    )
