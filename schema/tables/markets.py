"""What operators change about a market while it runs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from schema.tables.columns import created, document, key, moment, reference


class MarketSetting(SQLModel, table=True):
    """A part of a market's settings that is otherwise from a moment on; never changed again.

    One that `withdraws` another takes that back before its time has come, and says nothing itself.
    """

    __tablename__ = "market_settings"
    __table_args__ = (
        Index("idx_market_settings_market", "market", "effective_from"),
        CheckConstraint(
            "withdraws IS NULL OR values = '{}'::jsonb", name="market_settings_one_thing_each"
        ),
    )

    id: UUID = key()
    market: str
    effective_from: datetime = moment()
    values: dict[str, Any] = document(default_factory=dict)
    withdraws: UUID | None = reference("market_settings.id", default=None, unique=True)
    created_by: UUID = reference("users.id")
    reason: str = Field(max_length=500)
    created_at: datetime = created()
