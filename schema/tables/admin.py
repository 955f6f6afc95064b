"""What people are told, and what admins did (seed 000, Reviews & Admin)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from schema.tables.columns import created, document, key, reference


class Notification(SQLModel, table=True):
    """A message to one person. `business_key` is what keeps it from being sent twice.

    `title` and `message` are as he was told in his language; `occasion`, `audience` and `words` are
    what they were made of (`domain.wording`), for other forms of the same. What was told before
    that was kept has no occasion.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        Index("idx_notifications_user", "user_id", "created_at"),
        Index("idx_notifications_unread", "user_id", postgresql_where=text("NOT is_read")),
    )

    id: UUID = key()
    business_key: str = Field(unique=True)
    user_id: UUID = reference("users.id")
    type: str
    title: str
    message: str
    is_read: bool = False
    related_order_id: UUID | None = reference("orders.id", default=None)
    occasion: str = ""
    audience: str = ""
    words: dict[str, Any] = document(default_factory=dict)
    created_at: datetime = created()


class AdminAction(SQLModel, table=True):
    """What an admin did, to what, and why; never changed again. `before` and `after` are what was
    changed, `before` null where there was nothing. Ids and figures only: people's own data is
    elsewhere.
    """

    __tablename__ = "admin_actions"
    __table_args__ = (
        Index("idx_admin_actions_created_at", "created_at"),
        Index("idx_admin_actions_admin", "admin_id", "created_at"),
        Index("idx_admin_actions_target", "target_id"),
    )

    id: UUID = key()
    business_key: str = Field(unique=True)
    admin_id: UUID = reference("users.id")
    action_type: str
    target_type: str
    target_id: UUID
    details: dict[str, Any] = document(default_factory=dict)
    before: dict[str, Any] | None = document(default=None)
    after: dict[str, Any] | None = document(default=None)
    reason: str | None = None
    created_at: datetime = created()
