"""The table of what is still to be told live."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import SQLModel

from schema.tables.columns import created, document, key


class LiveOutbox(SQLModel, table=True):
    """An event that has happened with the transaction that wrote it, until it is told."""

    __tablename__ = "live_outbox"

    id: UUID = key()
    event: dict[str, Any] = document()
    created_at: datetime = created()
