"""Every SQL statement about what drivers show."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.drivers import DocumentType
from domain.verification import DocumentStatus, Paper
from schema.tables import DriverDocument

_OF_ANOTHER_VEHICLE = "it was for another vehicle"


async def of(session: AsyncSession, driver_id: UUID) -> Sequence[DriverDocument]:
    """What a driver has handed in, the latest first."""
    found = await session.scalars(
        select(DriverDocument)
        .where(col(DriverDocument.driver_id) == driver_id)
        .order_by(col(DriverDocument.created_at).desc(), col(DriverDocument.id).desc())
        # A session that has changed one must not see it as it was.
        .execution_options(populate_existing=True)
    )
    return found.all()


def papers(documents: Collection[DriverDocument]) -> list[Paper[DocumentType]]:
    """Documents as the rules see them."""
    return [Paper(row.document_type, row.status, row.expires_on) for row in documents]


async def submit(session: AsyncSession, row: DriverDocument) -> None:
    """Take a document in place of the one of its type that nobody has looked at yet.

    It is another row: what an admin was looking at is not what he would approve. The driver's row
    must be locked.
    """
    await session.execute(
        delete(DriverDocument).where(
            col(DriverDocument.driver_id) == row.driver_id,
            col(DriverDocument.document_type) == row.document_type,
            col(DriverDocument.status) == DocumentStatus.PENDING,
        )
    )
    session.add(row)
    await session.flush()


async def void(
    session: AsyncSession, driver_id: UUID, types: Collection[DocumentType], at: datetime
) -> None:
    """Let go of what was for a vehicle that the driver has no more."""
    await session.execute(
        update(DriverDocument)
        .where(
            col(DriverDocument.driver_id) == driver_id,
            col(DriverDocument.document_type).in_(types),
            col(DriverDocument.status) != DocumentStatus.REJECTED,
        )
        .values(
            status=DocumentStatus.REJECTED,
            reason=_OF_ANOTHER_VEHICLE,
            decided_by=None,
            decided_at=at,
        )
    )
