"""Every SQL statement about what people are told."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.notifications import Alert, Audience, Notice, notices
from domain.order_status import OrderStatus
from schema.tables import Chef, Driver, Notification, Role, User
from schema.tables.columns import now


class Parties(NamedTuple):
    """Whom an order concerns."""

    order_id: UUID
    order_number: str
    customer_id: UUID
    chef_id: UUID
    driver_id: UUID | None


async def tell(
    session: AsyncSession,
    occasion: OrderStatus | Alert,
    parties: Parties,
    *,
    key: str,
    reason: str | None = None,
) -> None:
    """Write the messages of an occasion, each at most once by `key` (unique within the order)."""
    said = notices(occasion)
    if not said:
        return
    chef_user_id, kitchen = await _kitchen(session, parties.chef_id)
    recipients: dict[Audience, list[UUID]] = {
        Audience.CUSTOMER: [parties.customer_id],
        Audience.CHEF: [chef_user_id],
    }
    audiences = {notice.audience for notice in said}
    if Audience.DRIVER in audiences:
        recipients[Audience.DRIVER] = await _driver(session, parties.driver_id)
    if Audience.OPS in audiences:
        recipients[Audience.OPS] = await _admins(session)

    def row(notice: Notice, user_id: UUID) -> dict[str, object]:
        words = {"number": parties.order_number, "kitchen": kitchen, "reason": reason or ""}
        return {
            "id": uuid7(),
            "business_key": f"{parties.order_id}:{key}:{occasion}:{user_id}",
            "user_id": user_id,
            "type": notice.type,
            "title": notice.title.format(**words),
            "message": notice.message.format(**words),
            "is_read": False,
            "related_order_id": parties.order_id,
            "created_at": now(),
        }

    rows = [row(notice, user_id) for notice in said for user_id in recipients[notice.audience]]
    if rows:
        await session.execute(insert(Notification).values(rows).on_conflict_do_nothing())


async def _kitchen(session: AsyncSession, chef_id: UUID) -> tuple[UUID, str]:
    found = await session.execute(
        select(col(Chef.user_id), col(Chef.business_name)).where(col(Chef.id) == chef_id)
    )
    user_id, name = found.one()
    return user_id, name


async def _driver(session: AsyncSession, driver_id: UUID | None) -> list[UUID]:
    found = await session.scalars(select(col(Driver.user_id)).where(col(Driver.id) == driver_id))
    return list(found)


async def _admins(session: AsyncSession) -> list[UUID]:
    found = await session.scalars(
        select(col(User.id)).where(col(User.role) == Role.ADMIN, col(User.is_active))
    )
    return list(found)
