"""Who can log in (seed 000, Users & Authentication)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import SQLModel

from domain.languages import Language
from domain.permissions import Role
from domain.verification import Verification
from schema.tables.columns import created, key, moment, one_of, reference


class User(SQLModel, table=True):
    """A person's login, and who that is at Stripe, once he has paid. No two addresses differ in
    their capitals only; `is_verified` says that this one is his. Without a password he comes in
    from elsewhere.

    Of somebody who is suspended, `suspended_from` is what he was let in as, chef or driver, if a
    reinstatement is to let him in again.
    """

    __tablename__ = "users"
    __table_args__ = (Index("idx_users_email_lower", text("lower(email)"), unique=True),)

    id: UUID = key()
    email: str
    password_hash: str | None = None
    role: Role = one_of(Role, "users_role")
    is_verified: bool = False
    is_active: bool = True
    stripe_customer_id: str | None = None
    language: Language = one_of(Language, "users_language", default=Language.EN)
    suspended_at: datetime | None = moment(default=None)
    suspension_reason: str | None = None
    suspended_from: Verification | None = one_of(Verification, "users_suspended_from", default=None)
    created_at: datetime = created()


class UserProfile(SQLModel, table=True):
    """A person's name and how to reach them. The phone is known to be his while it is the
    `verified_phone`. `locale` is how they like things to be written (BCP 47), `avatar_url` the key
    of their picture in the storage.
    """

    __tablename__ = "user_profiles"

    id: UUID = key()
    user_id: UUID = reference("users.id", unique=True)
    first_name: str
    last_name: str
    phone: str | None = None
    verified_phone: str | None = None
    avatar_url: str | None = None
    locale: str | None = None
