"""What people keep with us for themselves (seed 004, Address), and accounts that end."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from schema.tables.columns import created, document, key, moment, reference


class Address(SQLModel, table=True):
    """A place of a person's, under a name that he gave it. Who has any has one default."""

    __tablename__ = "addresses"
    __table_args__ = (
        Index(
            "one_default_address_per_user",
            "user_id",
            unique=True,
            postgresql_where=text("is_default"),
        ),
        Index("idx_addresses_user", "user_id", "created_at"),
    )

    id: UUID = key()
    user_id: UUID = reference("users.id")
    label: str
    line1: str
    line2: str | None = None
    city: str
    state: str
    postal_code: str
    country: str
    latitude: float
    longitude: float
    is_default: bool = False
    created_at: datetime = created()


class Favourite(SQLModel, table=True):
    """A chef whom somebody likes to find again."""

    __tablename__ = "favourites"
    __table_args__ = (Index("idx_favourites_user", "user_id", "created_at"),)

    user_id: UUID = reference("users.id", primary_key=True)
    chef_id: UUID = reference("chefs.id", primary_key=True)
    created_at: datetime = created()


class NotificationPreferences(SQLModel, table=True):
    """What somebody wants to hear of, and by which channels (`domain.preferences`).

    `choices` holds what he chose otherwise than the defaults have it; `quiet_from` and
    `quiet_until` are times of the day (`22:00`) by the clock of `timezone`, all three or none.
    """

    __tablename__ = "notification_preferences"

    user_id: UUID = reference("users.id", primary_key=True)
    choices: dict[str, Any] = document(default_factory=dict)
    quiet_from: str | None = None
    quiet_until: str | None = None
    timezone: str | None = None
    updated_at: datetime = created()


class AccountDeletion(SQLModel, table=True):
    """An account that is to end at `erase_at`, unless its owner wants it back before `closed_at`.

    From `closed_at` on nobody gets in; at `erased_at` nothing was left that says who it was.
    """

    __tablename__ = "account_deletions"

    user_id: UUID = Field(foreign_key="users.id", primary_key=True)
    requested_at: datetime = moment()
    erase_at: datetime = moment()
    closed_at: datetime | None = moment(default=None)
    erased_at: datetime | None = moment(default=None)
