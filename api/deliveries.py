"""What admins get to see of how people were told, and how they have it done again."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from sqlalchemy.ext.asyncio import AsyncSession

from api import examples_deliveries as examples
from api.bodies import Body, Words
from api.errors import conflict, not_found
from api.examples import shown
from api.views import Moment
from domain.delivering import DeliveryStatus, Way
from schema.messages.base import Message
from schema.queries import admin, delivery_log
from schema.queries.delivery_log import Seen, Wanted


class ResendBody(Body):
    """Why a message is sent again."""

    model_config = shown(examples.RESEND)

    reason: Words


class DeliveryOut(Message):
    """A message on one way: by whom it is read, what became of it, and what was in the way last.
    `ops_webhook` and `ops_email` are for all operators; `userId` is the first of them then.
    `resends` is how often an admin had it sent again; `attempts` are those since.
    """

    model_config = shown(examples.DELIVERY)

    id: UUID
    notification_id: UUID
    user_id: UUID
    order_id: UUID | None
    occasion: str
    title: str
    channel: Way
    device_id: UUID | None
    status: DeliveryStatus
    due_at: Moment
    attempts: int
    resends: int
    sent_at: Moment | None
    provider_id: str | None
    error: str | None
    created_at: Moment


async def _filters(
    *,
    status: Annotated[list[DeliveryStatus] | None, Query()] = None,
    channel: Annotated[list[Way] | None, Query()] = None,
    user_id: Annotated[UUID | None, Query(alias="userId")] = None,
    order_id: Annotated[UUID | None, Query(alias="orderId")] = None,
) -> Wanted:
    return Wanted(status or (), channel or (), user_id, order_id)


DeliveryFilters = Annotated[Wanted, Depends(_filters)]


def delivery(seen: Seen) -> DeliveryOut:
    """A delivery, for admins."""
    row, told = seen
    return DeliveryOut(
        **row.model_dump(
            include={
                *("id", "notification_id", "channel", "device_id", "status", "due_at"),
                *("attempts", "sent_at", "provider_id", "error", "created_at"),
            }
        ),
        user_id=told.user_id,
        order_id=told.related_order_id,
        occasion=told.occasion,
        title=told.title,
        resends=row.round,
    )


async def resend(
    session: AsyncSession, delivery_id: UUID, reason: str, *, by: UUID, at: datetime
) -> Seen:
    """Have a message sent again that is not on its way any more."""
    seen = await delivery_log.locked(session, delivery_id)
    if seen is None:
        raise not_found("delivery")
    row = seen.delivery
    if row.status is DeliveryStatus.PENDING:
        raise conflict("delivery_pending", "the message is still on its way")
    before = {"status": row.status, "resends": row.round}
    await delivery_log.send_again(session, seen, at)
    await admin.act(
        session,
        key=f"delivery:{delivery_id}:{row.round}",
        admin_id=by,
        action="notification_resent",
        target=("notification_delivery", delivery_id),
        details={"channel": row.channel, "reason": reason},
        at=at,
        before=before,
        after={"status": row.status, "resends": row.round},
    )
    return seen
