"""Every SQL statement about the devices that people are reached on, and about addresses and numbers
of theirs that take nothing any more.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.preferences import Channel
from schema.queries import people
from schema.tables import DeadChannel, Device, DeviceKind, User, UserProfile

# Who has more has mostly browsers that he has forgotten.
MOST_DEVICES = 20


async def register(
    session: AsyncSession,
    user_id: UUID,
    *,
    kind: DeviceKind,
    token: str,
    said: Mapping[str, str | None],
    at: datetime,
) -> Device:
    """Let a device be a user's, and reached again if it was not any more; the same token again is
    the same device, and of another user it is no more. Of too many, that which was not seen for the
    longest goes.
    """
    await people.lock(session, user_id)
    await session.execute(
        delete(Device).where(col(Device.token) == token, col(Device.user_id) != user_id)
    )
    values = {"user_id": user_id, "kind": kind, **said, "last_seen_at": at}
    written = await session.scalars(
        insert(Device)
        .values(id=uuid7(), token=token, created_at=at, **values)
        .on_conflict_do_update(
            index_elements=["token"], set_={**values, "dead_at": None, "dead_reason": None}
        )
        .returning(Device)
    )
    device = written.one()
    latest = (
        select(col(Device.id))
        .where(col(Device.user_id) == user_id)
        .order_by(col(Device.last_seen_at).desc(), col(Device.id).desc())
        .limit(MOST_DEVICES)
    )
    await session.execute(
        delete(Device).where(col(Device.user_id) == user_id, col(Device.id).not_in(latest))
    )
    return device


async def devices(session: AsyncSession, user_id: UUID) -> Sequence[Device]:
    """A user's devices, the one that was seen last first."""
    found = await session.scalars(
        select(Device)
        .where(col(Device.user_id) == user_id)
        .order_by(col(Device.last_seen_at).desc(), col(Device.id).desc())
    )
    return found.all()


async def remove(session: AsyncSession, user_id: UUID, device_id: UUID) -> bool:
    """Reach a user on a device no more; False where it is none of his."""
    found = await session.scalar(
        delete(Device)
        .where(col(Device.id) == device_id, col(Device.user_id) == user_id)
        .returning(col(Device.id))
    )
    return found is not None


async def bury(
    session: AsyncSession,
    user_id: UUID,
    channel: Channel,
    address: str,
    *,
    reason: str,
    at: datetime,
) -> None:
    """Write down that an address or number of a user's takes nothing any more, and why."""
    said = {"address": address, "reason": reason, "at": at}
    await session.execute(
        insert(DeadChannel)
        .values(user_id=user_id, channel=channel, **said)
        .on_conflict_do_update(index_elements=["user_id", "channel"], set_=said)
    )


async def revive(session: AsyncSession, user_id: UUID, channel: Channel, address: str) -> None:
    """An address or number that a user has just proven to be his takes something, after all."""
    await session.execute(
        delete(DeadChannel).where(
            col(DeadChannel.user_id) == user_id,
            col(DeadChannel.channel) == channel,
            func.lower(DeadChannel.address) == address.lower(),
        )
    )


async def unreachable(session: AsyncSession, user_id: UUID) -> list[Channel]:
    """On which channels the address or number that a user has takes nothing any more."""
    channel, address = col(DeadChannel.channel), func.lower(DeadChannel.address)
    found = await session.scalars(
        select(channel)
        .join(User, col(User.id) == col(DeadChannel.user_id))
        .join(UserProfile, col(UserProfile.user_id) == col(User.id))
        .where(
            col(User.id) == user_id,
            or_(
                (channel == Channel.EMAIL) & (address == func.lower(User.email)),
                (channel == Channel.SMS) & (address == func.lower(UserProfile.phone)),
            ),
        )
        .order_by(channel)
    )
    return list(found)
