"""Every SQL statement about messages to partners, once they are written down."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.webhooks import MISSED, TEST, DeliveryStatus, envelope
from schema.queries import outbox
from schema.tables import WebhookAttempt, WebhookDelivery, WebhookEndpoint

# Of a message that somebody has had tried again and again.
MOST_ATTEMPTS_SHOWN = 20


class Errand(NamedTuple):
    """A message, and where it goes."""

    delivery: WebhookDelivery
    endpoint: WebhookEndpoint


class Logged(NamedTuple):
    """A message, and its latest tries, the last first."""

    delivery: WebhookDelivery
    attempts: Sequence[WebhookAttempt]


async def errand(session: AsyncSession, delivery_id: UUID) -> Errand | None:
    """A message and where it goes, if there are both."""
    found = await session.execute(
        select(WebhookDelivery, WebhookEndpoint)
        .join(WebhookEndpoint, col(WebhookEndpoint.id) == col(WebhookDelivery.endpoint_id))
        .where(col(WebhookDelivery.id) == delivery_id)
    )
    row = found.first()
    return None if row is None else Errand(*row)


async def locked(session: AsyncSession, delivery_id: UUID) -> WebhookDelivery | None:
    """A message that nobody else changes until this transaction ends."""
    return await session.get(
        WebhookDelivery, delivery_id, with_for_update={"key_share": True}, populate_existing=True
    )


async def waiting(session: AsyncSession, limit: int) -> Sequence[UUID]:
    """The oldest messages that no workflow knows of yet, for this transaction alone to hand over;
    those that another has are passed over.
    """
    found = await session.scalars(
        select(col(WebhookDelivery.id))
        .where(
            col(WebhookDelivery.status) == DeliveryStatus.PENDING,
            ~col(WebhookDelivery.handed_over),
        )
        .order_by(col(WebhookDelivery.id))
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return found.all()


async def hand_over(session: AsyncSession, ids: Sequence[UUID]) -> None:
    """Workflows know of messages."""
    await session.execute(
        update(WebhookDelivery).where(col(WebhookDelivery.id).in_(ids)).values(handed_over=True)
    )


async def cancel(session: AsyncSession, delivery_id: UUID) -> None:
    """Try a message no more, since its webhook is switched off."""
    await session.execute(
        update(WebhookDelivery)
        .where(
            col(WebhookDelivery.id) == delivery_id,
            col(WebhookDelivery.status) == DeliveryStatus.PENDING,
        )
        .values(
            status=DeliveryStatus.CANCELLED,
            last_error="the webhook was switched off",
            next_attempt_at=None,
        )
    )


async def log(session: AsyncSession, attempt: WebhookAttempt) -> None:
    """Write a try down."""
    await session.execute(insert(WebhookAttempt).values(**attempt.model_dump()))


async def try_out(
    session: AsyncSession, delivery_id: UUID, endpoint_id: UUID, at: datetime
) -> None:
    """Write down a message that only wants to see whether it arrives."""
    session.add(
        WebhookDelivery(
            id=delivery_id,
            endpoint_id=endpoint_id,
            event_type=TEST,
            business_key=f"test:{delivery_id}",
            payload=envelope(TEST, at, {"endpointId": str(endpoint_id)}),
            created_at=at,
        )
    )
    await session.flush()
    await outbox.wake(session)


async def replay(session: AsyncSession, *which: ColumnElement[bool]) -> Sequence[UUID]:
    """Have messages tried anew, from the beginning of their pauses; those that are being tried are
    tried at once.
    """
    found = await session.scalars(
        update(WebhookDelivery)
        .where(*which)
        .values(
            status=DeliveryStatus.PENDING,
            round=WebhookDelivery.round + 1,
            handed_over=False,
            tried_since=None,
            next_attempt_at=None,
            delivered_at=None,
        )
        .returning(col(WebhookDelivery.id))
        .execution_options(synchronize_session=False)
    )
    ids = found.all()
    if ids:
        await outbox.wake(session)
    return ids


def this(delivery_id: UUID) -> ColumnElement[bool]:
    """One message."""
    return col(WebhookDelivery.id) == delivery_id


def missed(endpoint_id: UUID, since: datetime, limit: int) -> ColumnElement[bool]:
    """The oldest messages to an endpoint that were written since a moment and have not arrived."""
    oldest = (
        select(col(WebhookDelivery.id))
        .where(
            col(WebhookDelivery.endpoint_id) == endpoint_id,
            col(WebhookDelivery.created_at) >= since,
            col(WebhookDelivery.status).in_(MISSED),
        )
        .order_by(col(WebhookDelivery.id))
        .limit(limit)
    )
    return and_(col(WebhookDelivery.id).in_(oldest), col(WebhookDelivery.status).in_(MISSED))


async def page(
    session: AsyncSession,
    endpoint_id: UUID,
    *,
    status: Sequence[DeliveryStatus] = (),
    limit: int,
    offset: int,
) -> tuple[list[Logged], int]:
    """A page of the messages to an endpoint, the latest first, and how many there are."""
    which = [col(WebhookDelivery.endpoint_id) == endpoint_id]
    if status:
        which.append(col(WebhookDelivery.status).in_(status))
    found = await session.scalars(
        select(WebhookDelivery)
        .where(*which)
        .order_by(col(WebhookDelivery.id).desc())
        .limit(limit)
        .offset(offset)
    )
    rows = found.all()
    total = await session.scalar(select(func.count()).select_from(WebhookDelivery).where(*which))
    tries = await _attempts(session, [row.id for row in rows])
    return [Logged(row, tries.get(row.id, [])) for row in rows], total or 0


async def logged(session: AsyncSession, delivery_id: UUID) -> Logged | None:
    """A message and its tries."""
    row = await session.get(WebhookDelivery, delivery_id, populate_existing=True)
    if row is None:
        return None
    return Logged(row, (await _attempts(session, [delivery_id])).get(delivery_id, []))


async def forget(session: AsyncSession, before: datetime, limit: int) -> int:
    """Delete `limit` of those that were written before a moment and are not tried any more, with
    their tries; how many there were.
    """
    old = (
        select(col(WebhookDelivery.id))
        .where(
            col(WebhookDelivery.created_at) < before,
            col(WebhookDelivery.status) != DeliveryStatus.PENDING,
        )
        .order_by(col(WebhookDelivery.created_at))
        .limit(limit)
    )
    gone = await session.execute(
        delete(WebhookDelivery)
        .where(col(WebhookDelivery.id).in_(old))
        .returning(col(WebhookDelivery.id))
    )
    return len(gone.all())


async def _attempts(
    session: AsyncSession, ids: Sequence[UUID]
) -> Mapping[UUID, list[WebhookAttempt]]:
    found = await session.scalars(
        select(WebhookAttempt)
        .join(WebhookDelivery, col(WebhookDelivery.id) == col(WebhookAttempt.delivery_id))
        .where(
            col(WebhookAttempt.delivery_id).in_(ids),
            col(WebhookAttempt.number) > WebhookDelivery.attempts - MOST_ATTEMPTS_SHOWN,
        )
        .order_by(col(WebhookAttempt.number).desc())
    )
    tries: dict[UUID, list[WebhookAttempt]] = {}
    for row in found:
        tries.setdefault(row.delivery_id, []).append(row)
    return tries
