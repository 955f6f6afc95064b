"""Logins elsewhere (seed 004, section 6.1, social login)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from domain.social import Provider
from schema.tables.columns import created, one_of, reference


class SocialIdentity(SQLModel, table=True):
    """Who a user is at a provider: one account here for each of theirs, and one of theirs at each
    provider for an account here. `email` is the address that the provider gave then.
    """

    __tablename__ = "social_identities"
    __table_args__ = (
        UniqueConstraint("user_id", "provider", name="social_identities_one_at_each"),
    )

    provider: Provider = one_of(Provider, "social_identities_provider", primary_key=True)
    subject: str = Field(primary_key=True)
    user_id: UUID = reference("users.id")
    email: str | None = None
    linked_at: datetime = created()
