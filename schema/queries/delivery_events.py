"""Every SQL statement by which it is written down what became of mails after they were sent."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.delivering import DeliveryStatus, Round, Way
from domain.mail_events import NEWS_TO, Ending
from domain.preferences import Channel
from schema.queries import reach
from schema.tables import Notification, NotificationDelivery, User

S = DeliveryStatus


class News(NamedTuple):
    """What became of a mail, and to which address it went."""

    sent: Round
    address: str
    ending: Ending


class Reader(NamedTuple):
    """Whom a mail was for, and the address that he has now."""

    user_id: UUID
    email: str


async def write_down(session: AsyncSession, news: Collection[News], at: datetime) -> int:
    """Note what became of mails, in whatever order it is told; how often it was new.

    Where one is dead, so is the address, if its reader has no other by now.
    """
    dead = {one.sent.delivery_id for one in news if one.ending.status is S.DEAD}
    readers = await _readers(session, dead)
    await _lock(session, {one.sent.delivery_id for one in news})
    total = 0
    for number, ending, those in _alike(news):
        changed = await _end(session, those.keys(), number, ending, at)
        total += len(changed)
        if ending.status is S.DEAD:
            for delivery_id in sorted(changed):
                await _bury(session, readers[delivery_id], those[delivery_id], ending, at)
    return total


def _alike(news: Collection[News]) -> list[tuple[int, Ending, Mapping[UUID, str]]]:
    """What can be written down with one statement: the addresses by delivery, and what has arrived
    before what is dead after all.
    """
    found: defaultdict[tuple[int, Ending], dict[UUID, str]] = defaultdict(dict)
    for one in news:
        found[one.sent.number, one.ending][one.sent.delivery_id] = one.address
    those = [(number, ending, addresses) for (number, ending), addresses in found.items()]
    return sorted(those, key=lambda one: one[1].status is S.DEAD)


async def _readers(session: AsyncSession, delivery_ids: Collection[UUID]) -> Mapping[UUID, Reader]:
    """Whom mails were for, by delivery: they keep their addresses until this transaction ends.

    Locked before the deliveries, as by whoever erases an account.
    """
    found = await session.execute(
        select(col(NotificationDelivery.id), col(Notification.user_id))
        .join(Notification, col(Notification.id) == col(NotificationDelivery.notification_id))
        .where(
            col(NotificationDelivery.id).in_(delivery_ids),
            col(NotificationDelivery.channel) == Way.EMAIL,
        )
    )
    of_delivery: dict[UUID, UUID] = {row.id: row.user_id for row in found}
    users = await session.execute(
        select(col(User.id), col(User.email))
        .where(col(User.id).in_(set(of_delivery.values())))
        .order_by(col(User.id))
        .with_for_update(key_share=True)
    )
    emails: dict[UUID, str] = {row.id: row.email for row in users}
    return {
        delivery_id: Reader(user_id, emails[user_id])
        for delivery_id, user_id in of_delivery.items()
    }


async def _lock(session: AsyncSession, delivery_ids: Collection[UUID]) -> None:
    """Always in the same order: SendGrid may tell of the same mails twice at once."""
    await session.execute(
        select(col(NotificationDelivery.id))
        .where(col(NotificationDelivery.id).in_(delivery_ids))
        .order_by(col(NotificationDelivery.id))
        .with_for_update(key_share=True)
    )


async def _end(
    session: AsyncSession,
    delivery_ids: Collection[UUID],
    number: int,
    ending: Ending,
    at: datetime,
) -> Collection[UUID]:
    """Note an ending where it is news; where that was."""
    status = col(NotificationDelivery.status)
    is_tried = and_(status == S.PENDING, col(NotificationDelivery.started_at).is_not(None))
    changed = await session.scalars(
        update(NotificationDelivery)
        .where(
            col(NotificationDelivery.id).in_(delivery_ids),
            col(NotificationDelivery.round) == number,
            col(NotificationDelivery.channel) == Way.EMAIL,
            or_(status.in_(NEWS_TO[ending.status]), is_tried),
        )
        .values(
            status=ending.status,
            error=ending.error,
            sent_at=func.coalesce(col(NotificationDelivery.sent_at), at),
        )
        .returning(col(NotificationDelivery.id))
        .execution_options(synchronize_session=False)
    )
    return changed.all()


async def _bury(
    session: AsyncSession, reader: Reader, address: str, ending: Ending, at: datetime
) -> None:
    if address.lower() == reader.email.lower():
        await reach.bury(
            session,
            reader.user_id,
            Channel.EMAIL,
            reader.email,
            reason=ending.error or ending.status,
            at=at,
        )
