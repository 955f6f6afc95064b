"""How people stay logged in, and what they have to prove (seed 000, refresh_tokens)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from domain.challenges import MOST_GUESSES, Purpose
from schema.tables.columns import created, key, moment, one_of, reference


class RefreshToken(SQLModel, table=True):
    """A token that is good once, for the next of its family: one login's, on one device.

    Only a SHA-256 digest is here. One that was used and comes again ends the family: somebody has a
    copy of it.
    """

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        Index("idx_refresh_tokens_family", "family_id"),
        Index("idx_refresh_tokens_user", "user_id"),
        Index("idx_refresh_tokens_expiry", "expires_at"),
    )

    id: UUID = key()
    user_id: UUID = reference("users.id")
    family_id: UUID
    digest: str = Field(unique=True)
    expires_at: datetime = moment()
    used_at: datetime | None = moment(default=None)
    ended_at: datetime | None = moment(default=None)
    created_at: datetime = created()


class Challenge(SQLModel, table=True):
    """What somebody is sent a link or a code for, or only a letter. `sent_to` is an address or a
    phone number; nobody (`user_id` null) is sent nothing, at nobody's address.
    """

    __tablename__ = "challenges"
    __table_args__ = (
        Index("idx_challenges_user", "user_id", "purpose"),
        Index("idx_challenges_expiry", "expires_at"),
        CheckConstraint(f"attempts BETWEEN 0 AND {MOST_GUESSES}", name="challenges_attempts_few"),
    )

    id: UUID = key()
    user_id: UUID | None = reference("users.id", nullable=True)
    purpose: Purpose = one_of(Purpose, "challenges_purpose")
    sent_to: str
    attempts: int = 0
    expires_at: datetime = moment()
    used_at: datetime | None = moment(default=None)
    sent_at: datetime | None = moment(default=None)
    created_at: datetime = created()
