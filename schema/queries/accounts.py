"""Every SQL statement that makes an account or changes what it is known by.

Except for `register`, whoever calls these has the user's row locked (people.lock).
"""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from domain.languages import Language
from domain.preferences import Channel
from schema.queries import reach
from schema.tables import Role, User, UserProfile


class Registration(NamedTuple):
    """Who somebody says he is."""

    email: str
    password_hash: str | None
    role: Role
    first_name: str
    last_name: str
    phone: str | None
    language: Language


class Owner(NamedTuple):
    """Whose an address is."""

    id: UUID
    email: str
    role: Role
    is_verified: bool
    is_active: bool
    password_hash: str | None


async def register(session: AsyncSession, new: Registration) -> UUID | None:
    """Make an account; None where the address has one."""
    row = User(
        email=new.email, password_hash=new.password_hash, role=new.role, language=new.language
    )
    user_id = await session.scalar(
        insert(User)
        .values(row.model_dump())
        .on_conflict_do_nothing(index_elements=[text("lower(email)")])
        .returning(col(User.id))
    )
    if user_id is not None:
        profile = UserProfile(
            user_id=user_id, first_name=new.first_name, last_name=new.last_name, phone=new.phone
        )
        session.add(profile)
        await session.flush()
    return user_id


async def owner(session: AsyncSession, email: str) -> Owner | None:
    """Whose an address is, whatever its capitals; nobody else changes him meanwhile."""
    found = await session.execute(
        _owners().where(func.lower(User.email) == email.lower()).with_for_update(key_share=True)
    )
    row = found.first()
    return None if row is None else Owner(*row)


async def owner_of(session: AsyncSession, email: str) -> Owner | None:
    """Whose an address is now, whatever its capitals; it may be another's the next moment."""
    found = await session.execute(_owners().where(func.lower(User.email) == email.lower()))
    row = found.first()
    return None if row is None else Owner(*row)


async def register_again(session: AsyncSession, user_id: UUID, new: Registration) -> None:
    """Take another registration in place of one that was never confirmed."""
    await session.execute(
        update(User)
        .where(col(User.id) == user_id)
        .values(password_hash=new.password_hash, role=new.role, language=new.language)
    )
    await session.execute(
        update(UserProfile)
        .where(col(UserProfile.user_id) == user_id)
        .values(first_name=new.first_name, last_name=new.last_name, phone=new.phone)
    )


async def verify(session: AsyncSession, user_id: UUID, email: str) -> bool:
    """An address is proven to be its user's; false if he has another by now."""
    found = await session.scalar(
        update(User)
        .where(col(User.id) == user_id, col(User.email) == email, col(User.is_active))
        .values(is_verified=True)
        .returning(col(User.id))
    )
    if found is not None:
        await reach.revive(session, user_id, Channel.EMAIL, email)
    return found is not None


async def change_email(session: AsyncSession, user_id: UUID, email: str) -> bool:
    """Give a user an address that is proven to be his; false if it is another user's.

    Raises IntegrityError if it becomes another's at the same moment.
    """
    other = aliased(User)
    taken = exists().where(func.lower(other.email) == email.lower(), col(other.id) != user_id)
    found = await session.scalar(
        update(User)
        .where(col(User.id) == user_id, ~taken)
        .values(email=email, is_verified=True)
        .returning(col(User.id))
        .execution_options(synchronize_session=False)
    )
    if found is not None:
        await reach.revive(session, user_id, Channel.EMAIL, email)
    return found is not None


async def phone(session: AsyncSession, user_id: UUID) -> str | None:
    """The phone of somebody's profile."""
    return await session.scalar(
        select(col(UserProfile.phone)).where(col(UserProfile.user_id) == user_id)
    )


async def verify_phone(session: AsyncSession, user_id: UUID, number: str) -> None:
    """A phone is proven to be its user's, and is the one of his profile."""
    await session.execute(
        update(UserProfile)
        .where(col(UserProfile.user_id) == user_id)
        .values(phone=number, verified_phone=number)
    )
    await reach.revive(session, user_id, Channel.SMS, number)


def _owners() -> Select[UUID, str, Role, bool, bool, str | None]:
    return select(
        col(User.id),
        col(User.email),
        col(User.role),
        col(User.is_verified),
        col(User.is_active),
        col(User.password_hash),
    )
