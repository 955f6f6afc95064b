"""Every SQL statement about what people say of themselves, like, and want to hear of."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.languages import Language
from domain.verification import Verification
from schema.tables import (
    AccountDeletion,
    Chef,
    Favourite,
    Notification,
    NotificationPreferences,
    User,
    UserProfile,
)
from schema.tables.columns import now


class Profile(NamedTuple):
    """A person, and the end of his account if he has asked for it."""

    user: User
    profile: UserProfile
    deletion: AccountDeletion | None


async def profile(session: AsyncSession, user_id: UUID) -> Profile | None:
    """A user as he stands."""
    found = await session.execute(
        select(User, UserProfile, AccountDeletion)
        .join(UserProfile, col(UserProfile.user_id) == col(User.id))
        .outerjoin(AccountDeletion, col(AccountDeletion.user_id) == col(User.id))
        .where(col(User.id) == user_id, col(User.is_active))
    )
    row = found.first()
    return None if row is None else Profile(row[0], row[1], row[2])


async def change(session: AsyncSession, user_id: UUID, values: Mapping[str, object]) -> None:
    """Write down what somebody says of himself."""
    await session.execute(
        update(UserProfile)
        .where(col(UserProfile.user_id) == user_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


async def speak(session: AsyncSession, user_id: UUID, language: Language) -> None:
    """Write to somebody in another language from now on."""
    await session.execute(
        update(User)
        .where(col(User.id) == user_id)
        .values(language=language)
        .execution_options(synchronize_session=False)
    )


async def exchange_avatar(session: AsyncSession, user_id: UUID, key: str | None) -> str | None:
    """Give somebody another picture, or none; the key of the one before."""
    was = await session.scalar(
        select(col(UserProfile.avatar_url))
        .where(col(UserProfile.user_id) == user_id)
        .with_for_update()
    )
    await change(session, user_id, {"avatar_url": key})
    return was


async def favourites(
    session: AsyncSession, user_id: UUID, *, limit: int, offset: int
) -> tuple[list[Chef], int]:
    """A page of the chefs whom somebody likes, the latest first, and how many they are. Who cooks
    for us no more is not among them.
    """
    liked = (
        select(Chef)
        .join(Favourite, col(Favourite.chef_id) == col(Chef.id))
        .where(
            col(Favourite.user_id) == user_id,
            col(Chef.verification_status) == Verification.APPROVED,
        )
    )
    total = await session.scalar(select(func.count()).select_from(liked.subquery()))
    found = await session.scalars(
        liked.order_by(col(Favourite.created_at).desc(), col(Favourite.chef_id))
        .limit(limit)
        .offset(offset)
    )
    return list(found), total or 0


async def like(session: AsyncSession, user_id: UUID, chef_id: UUID) -> None:
    """Remember a chef; twice is once."""
    await session.execute(
        insert(Favourite)
        .values(user_id=user_id, chef_id=chef_id, created_at=now())
        .on_conflict_do_nothing()
    )


async def unlike(session: AsyncSession, user_id: UUID, chef_id: UUID) -> None:
    """Remember a chef no more."""
    await session.execute(
        delete(Favourite).where(
            col(Favourite.user_id) == user_id, col(Favourite.chef_id) == chef_id
        )
    )


async def preferences(session: AsyncSession, user_id: UUID) -> NotificationPreferences | None:
    """What somebody has chosen to hear of, if he ever chose."""
    return await session.get(NotificationPreferences, user_id)


async def prefer(session: AsyncSession, wanted: NotificationPreferences) -> None:
    """Write down what somebody chooses to hear of, in place of what he chose before."""
    said = wanted.model_dump(exclude={"user_id"})
    await session.execute(
        insert(NotificationPreferences)
        .values(user_id=wanted.user_id, **said)
        .on_conflict_do_update(index_elements=["user_id"], set_=said)
    )


async def told(
    session: AsyncSession, user_id: UUID, *, unread: bool, limit: int, offset: int
) -> tuple[Sequence[Notification], int, int]:
    """A page of what somebody was told (all of it, or what he has not read), the latest first; how
    much there is, and how much of all is unread.
    """
    his = col(Notification.user_id) == user_id
    wanted = his & col(Notification.is_read).is_(False) if unread else his
    counted = await session.execute(
        select(func.count().filter(wanted), func.count().filter(~col(Notification.is_read)))
        .select_from(Notification)
        .where(his)
    )
    total, left = counted.one()
    found = await session.scalars(
        select(Notification)
        .where(wanted)
        .order_by(col(Notification.created_at).desc(), col(Notification.id).desc())
        .limit(limit)
        .offset(offset)
    )
    return found.all(), total, left


async def read(session: AsyncSession, user_id: UUID, notification_id: UUID) -> Notification | None:
    """Write down that somebody has read what he was told; None where that was not for him."""
    return await session.scalar(
        update(Notification)
        .where(col(Notification.id) == notification_id, col(Notification.user_id) == user_id)
        .values(is_read=True)
        .returning(Notification)
    )


async def read_until(session: AsyncSession, user_id: UUID, until: datetime) -> None:
    """Write down that somebody has read all that he was told until a moment."""
    await _read(session, user_id, col(Notification.created_at) <= until)


async def read_up_to(session: AsyncSession, user_id: UUID, notification_id: UUID) -> bool:
    """Write down that somebody has read what he was told, up to this in the order of the list, and
    this; False where it was not for him.
    """
    found = await session.execute(
        select(col(Notification.created_at)).where(
            col(Notification.id) == notification_id, col(Notification.user_id) == user_id
        )
    )
    told_at = found.scalar_one_or_none()
    if told_at is None:
        return False
    place = tuple_(col(Notification.created_at), col(Notification.id))
    await _read(session, user_id, place <= tuple_(told_at, notification_id))
    return True


async def unread(session: AsyncSession, user_id: UUID) -> int:
    """How much of what somebody was told he has not read."""
    found = await session.scalar(
        select(func.count()).where(col(Notification.user_id) == user_id, ~col(Notification.is_read))
    )
    return found or 0


async def _read(session: AsyncSession, user_id: UUID, these: ColumnElement[bool]) -> None:
    await session.execute(
        update(Notification)
        .where(col(Notification.user_id) == user_id, ~col(Notification.is_read), these)
        .values(is_read=True)
        .execution_options(synchronize_session=False)
    )
