"""What admins think of documents, of chefs and of drivers alike."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.verification import DocumentStatus
from schema.queries import admin
from schema.tables import ChefDocument, DriverDocument


async def decide(
    session: AsyncSession,
    row: ChefDocument | DriverDocument,
    status: DocumentStatus,
    *,
    reason: str | None,
    by: UUID,
    at: datetime,
) -> None:
    """Write down what an admin thinks of a document, in the log of admins too."""
    table, was = type(row), row.status
    target = ("chef", row.chef_id) if isinstance(row, ChefDocument) else ("driver", row.driver_id)
    await session.execute(
        update(table)
        .where(col(table.id) == row.id)
        .values(status=status, reason=reason, decided_by=by, decided_at=at)
    )
    await admin.act(
        session,
        key=f"{target[0]}_document:{row.id}:{uuid7()}",
        admin_id=by,
        action=f"{target[0]}_document_{status}",
        target=target,
        details={
            "documentId": str(row.id),
            "type": row.document_type,
            "was": was,
            "reason": reason,
        },
        at=at,
        before={"status": was},
        after={"status": status},
    )
