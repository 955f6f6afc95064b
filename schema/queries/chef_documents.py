"""Every SQL statement about what chefs show."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.kitchens import ChefDocumentType
from domain.verification import DocumentStatus, Paper
from schema.tables import ChefDocument

_REPLACED = "another one was handed in after it"
_OF_ANOTHER_PLACE = "it was for another place"


async def of(session: AsyncSession, chef_id: UUID) -> Sequence[ChefDocument]:
    """What a chef has handed in, the latest first."""
    found = await session.scalars(
        select(ChefDocument)
        .where(col(ChefDocument.chef_id) == chef_id)
        .order_by(col(ChefDocument.created_at).desc(), col(ChefDocument.id).desc())
        # A session that has changed one must not see it as it was.
        .execution_options(populate_existing=True)
    )
    return found.all()


def papers(documents: Collection[ChefDocument]) -> list[Paper[ChefDocumentType]]:
    """Documents as the rules see them."""
    return [Paper(row.document_type, row.status, row.expires_on) for row in documents]


async def submit(session: AsyncSession, row: ChefDocument) -> None:
    """Take a document in place of the one of its type that nobody has looked at yet.

    That one stays as a row, since its file is kept. The chef's row must be locked.
    """
    await session.execute(
        update(ChefDocument)
        .where(
            col(ChefDocument.chef_id) == row.chef_id,
            col(ChefDocument.document_type) == row.document_type,
            col(ChefDocument.status) == DocumentStatus.PENDING,
        )
        .values(status=DocumentStatus.REJECTED, reason=_REPLACED, decided_at=row.created_at)
    )
    session.add(row)
    await session.flush()


async def void(
    session: AsyncSession, chef_id: UUID, types: Collection[ChefDocumentType], at: datetime
) -> None:
    """Let go of what was for a place where the kitchen is no more."""
    await session.execute(
        update(ChefDocument)
        .where(
            col(ChefDocument.chef_id) == chef_id,
            col(ChefDocument.document_type).in_(types),
            col(ChefDocument.status) != DocumentStatus.REJECTED,
        )
        .values(
            status=DocumentStatus.REJECTED,
            reason=_OF_ANOTHER_PLACE,
            decided_by=None,
            decided_at=at,
        )
    )
