"""Every SQL statement about who people are."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from schema.tables import Role, User, UserProfile


class Login(NamedTuple):
    """What is needed to let somebody in. Without a password its hash is empty."""

    id: UUID
    email: str
    role: Role
    password_hash: str
    first_name: str
    last_name: str
    is_verified: bool = True


async def exists(session: AsyncSession, user_id: UUID, role: Role) -> bool:
    """Whether there is such a user, and he may still come in as what his token says."""
    found = await session.scalar(
        select(col(User.id)).where(
            col(User.id) == user_id, col(User.role) == role, col(User.is_active)
        )
    )
    return found is not None


async def login(session: AsyncSession, email: str) -> Login | None:
    """The active user with that address, whatever its capitals."""
    found = await session.execute(_logins().where(func.lower(User.email) == email.lower()))
    row = found.first()
    return None if row is None else Login(*row)


async def login_of(session: AsyncSession, user_id: UUID) -> Login | None:
    """An active user."""
    found = await session.execute(_logins().where(col(User.id) == user_id))
    row = found.first()
    return None if row is None else Login(*row)


async def locked_login(session: AsyncSession, user_id: UUID) -> Login | None:
    """An active user whom nobody else changes until this transaction ends."""
    found = await session.execute(
        _logins().where(col(User.id) == user_id).with_for_update(key_share=True, of=User)
    )
    row = found.first()
    return None if row is None else Login(*row)


async def lock(session: AsyncSession, user_id: UUID) -> None:
    """Let nobody else change a user, active or not, until this transaction ends."""
    await session.execute(
        select(col(User.id)).where(col(User.id) == user_id).with_for_update(key_share=True)
    )


async def set_password(session: AsyncSession, user_id: UUID, password_hash: str) -> None:
    """Let a user come in with another password, or with the same in a better hash."""
    await session.execute(
        update(User).where(col(User.id) == user_id).values(password_hash=password_hash)
    )


async def has_password(session: AsyncSession, user_id: UUID) -> bool:
    """Whether a user may come in with a password."""
    found = await session.scalar(
        select(col(User.id)).where(col(User.id) == user_id, col(User.password_hash) != "")
    )
    return found is not None


async def become(session: AsyncSession, user_id: UUID, role: Role) -> None:
    """Let a user be somebody of another kind; a token that he has does not know of it."""
    await session.execute(update(User).where(col(User.id) == user_id).values(role=role))


async def stripe_customer(session: AsyncSession, user_id: UUID) -> str | None:
    """Who a user is at Stripe, if he is anybody there yet."""
    return await session.scalar(select(col(User.stripe_customer_id)).where(col(User.id) == user_id))


async def note_stripe_customer(session: AsyncSession, user_id: UUID, customer: str) -> str:
    """Write down who a user is at Stripe; whoever was written down first, he is."""
    await session.execute(
        update(User)
        .where(col(User.id) == user_id, col(User.stripe_customer_id).is_(None))
        .values(stripe_customer_id=customer)
        .execution_options(synchronize_session=False)
    )
    return await stripe_customer(session, user_id) or customer


def _logins() -> Select[UUID, str, Role, str, str, str, bool]:
    return (
        select(
            col(User.id),
            col(User.email),
            col(User.role),
            func.coalesce(col(User.password_hash), ""),
            col(UserProfile.first_name),
            col(UserProfile.last_name),
            col(User.is_verified),
        )
        .join(UserProfile, col(UserProfile.user_id) == col(User.id))
        .where(col(User.is_active))
    )
