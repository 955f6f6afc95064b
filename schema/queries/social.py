"""Every SQL statement about logins elsewhere."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.social import Identity, Provider
from schema.tables import Role, SocialIdentity, User, UserProfile
from schema.tables.columns import now


async def user_of(session: AsyncSession, identity: Identity) -> UUID | None:
    """Whose account an identity opens, if it opens any."""
    return await session.scalar(
        select(col(SocialIdentity.user_id)).where(
            col(SocialIdentity.provider) == identity.provider,
            col(SocialIdentity.subject) == identity.subject,
        )
    )


async def owner(session: AsyncSession, email: str) -> UUID | None:
    """Whose address it is, active or not."""
    return await session.scalar(select(col(User.id)).where(func.lower(User.email) == email.lower()))


async def make_account(session: AsyncSession, identity: Identity, email: str) -> UUID | None:
    """A customer without a password, unless there is somebody with that address by now."""
    user_id = uuid7()
    made = await session.scalar(
        insert(User)
        .values(
            id=user_id,
            email=email,
            role=Role.CUSTOMER,
            is_verified=True,
            is_active=True,
            created_at=now(),
        )
        .on_conflict_do_nothing()
        .returning(col(User.id))
    )
    if made is not None:
        session.add(
            UserProfile(user_id=made, first_name=identity.first_name, last_name=identity.last_name)
        )
        await session.flush()
    return made


async def link(session: AsyncSession, identity: Identity, user_id: UUID) -> bool:
    """Let an identity open an account; whether it does now that it did not before."""
    linked = await session.scalar(
        insert(SocialIdentity)
        .values(
            provider=identity.provider,
            subject=identity.subject,
            user_id=user_id,
            email=identity.email,
            linked_at=now(),
        )
        .on_conflict_do_nothing()
        .returning(col(SocialIdentity.user_id))
    )
    return linked is not None


async def of_user(session: AsyncSession, user_id: UUID) -> Sequence[SocialIdentity]:
    """How a user comes in from elsewhere, the first first."""
    found = await session.scalars(
        select(SocialIdentity)
        .where(col(SocialIdentity.user_id) == user_id)
        .order_by(col(SocialIdentity.linked_at), col(SocialIdentity.provider))
    )
    return found.all()


async def forget(session: AsyncSession, user_id: UUID) -> None:
    """Have no login elsewhere open an account any more: whoever linked one may not be its owner."""
    await session.execute(delete(SocialIdentity).where(col(SocialIdentity.user_id) == user_id))


async def unlink(session: AsyncSession, user_id: UUID, provider: Provider) -> None:
    """Let a provider open an account no more."""
    await session.execute(
        delete(SocialIdentity).where(
            col(SocialIdentity.user_id) == user_id, col(SocialIdentity.provider) == provider
        )
    )
