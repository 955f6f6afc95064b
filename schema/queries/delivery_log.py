"""Every SQL statement by which operators look at what became of messages, and send them again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.delivering import BY_CHANNEL, GOOD_FOR, DeliveryStatus, Way
from domain.notifications import Urgency, notice
from schema.queries import outbox
from schema.tables import DeadChannel, Device, Notification, NotificationDelivery


@dataclass(frozen=True)
class Wanted:
    """Which deliveries: of what has become of them, on which ways, to whom, about what."""

    status: Sequence[DeliveryStatus] = ()
    channel: Sequence[Way] = ()
    user_id: UUID | None = None
    order_id: UUID | None = None


class Seen(NamedTuple):
    """A delivery, and the message that it is of."""

    delivery: NotificationDelivery
    notification: Notification


async def page(
    session: AsyncSession, wanted: Wanted, *, limit: int, offset: int
) -> tuple[list[Seen], int]:
    """A page of deliveries, the latest first, and how many there are."""
    limits = _limits(wanted)
    found = await session.execute(
        select(NotificationDelivery, Notification)
        .join(Notification, col(Notification.id) == col(NotificationDelivery.notification_id))
        .where(*limits)
        .order_by(col(NotificationDelivery.created_at).desc(), col(NotificationDelivery.id).desc())
        .limit(limit)
        .offset(offset)
    )
    total = await session.scalar(
        select(func.count())
        .select_from(NotificationDelivery)
        .join(Notification, col(Notification.id) == col(NotificationDelivery.notification_id))
        .where(*limits)
    )
    return [Seen(*row) for row in found], total or 0


async def locked(session: AsyncSession, delivery_id: UUID) -> Seen | None:
    """A delivery, for this transaction alone."""
    row = (
        await session.execute(
            select(NotificationDelivery, Notification)
            .join(Notification, col(Notification.id) == col(NotificationDelivery.notification_id))
            .where(col(NotificationDelivery.id) == delivery_id)
            .with_for_update(of=NotificationDelivery)
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    return None if row is None else Seen(*row)


async def send_again(session: AsyncSession, seen: Seen, at: datetime) -> None:
    """Have a message sent once more, as a new one: at once, and where nothing arrived any more, in
    the hope that it does now.
    """
    delivery, told = seen
    said = notice(told.occasion, told.audience)
    urgency = said.urgency if said else Urgency.NORMAL
    if delivery.status is DeliveryStatus.DEAD:
        await _revive(session, delivery, told.user_id)
    delivery.status = DeliveryStatus.PENDING
    delivery.round += 1
    delivery.due_at, delivery.good_until = at, at + GOOD_FOR[urgency]
    delivery.handed_over_at = delivery.started_at = delivery.sent_at = None
    delivery.attempts = 0
    delivery.provider_id = delivery.error = None
    await session.flush()
    await outbox.wake(session)


async def forget(session: AsyncSession, before: datetime, limit: int) -> int:
    """Delete `limit` of those that were written before a moment and are not tried any more; how
    many there were.
    """
    old = (
        select(col(NotificationDelivery.id))
        .where(
            col(NotificationDelivery.created_at) < before,
            col(NotificationDelivery.status) != DeliveryStatus.PENDING,
        )
        .order_by(col(NotificationDelivery.created_at))
        .limit(limit)
    )
    gone = await session.execute(
        delete(NotificationDelivery)
        .where(col(NotificationDelivery.id).in_(old))
        .returning(col(NotificationDelivery.id))
    )
    return len(gone.all())


async def _revive(session: AsyncSession, delivery: NotificationDelivery, user_id: UUID) -> None:
    if delivery.device_id is not None:
        await session.execute(
            update(Device)
            .where(col(Device.id) == delivery.device_id)
            .values(dead_at=None, dead_reason=None)
        )
    channels = [channel for channel, way in BY_CHANNEL.items() if way is delivery.channel]
    await session.execute(
        delete(DeadChannel).where(
            col(DeadChannel.user_id) == user_id, col(DeadChannel.channel).in_(channels)
        )
    )


def _limits(wanted: Wanted) -> list[ColumnElement[bool]]:
    limits: list[ColumnElement[bool]] = []
    if wanted.status:
        limits.append(col(NotificationDelivery.status).in_(wanted.status))
    if wanted.channel:
        limits.append(col(NotificationDelivery.channel).in_(wanted.channel))
    if wanted.user_id is not None:
        limits.append(col(Notification.user_id) == wanted.user_id)
    if wanted.order_id is not None:
        limits.append(col(Notification.related_order_id) == wanted.order_id)
    return limits
