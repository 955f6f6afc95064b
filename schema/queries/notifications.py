"""Every SQL statement about what people are told."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.notifications import (
    Alert,
    Audience,
    DriverAlert,
    KitchenAlert,
    Notice,
    PayeeAlert,
    notices,
)
from domain.order_status import OrderStatus
from schema.tables import Driver, Notification, Role, User
from schema.tables.columns import now


class Parties(NamedTuple):
    """Whom an order concerns."""

    order_id: UUID
    order_number: str
    customer_id: UUID
    driver_id: UUID | None
    chef_user_id: UUID
    kitchen_name: str


class PayeeParty(NamedTuple):
    """A chef or driver who is told about the money that he earns."""

    payee_id: UUID
    user_id: UUID
    name: str


class DriverParty(NamedTuple):
    """A driver who is told whether he may deliver."""

    driver_id: UUID
    user_id: UUID
    name: str


class KitchenParty(NamedTuple):
    """A chef who is told whether he may sell."""

    chef_id: UUID
    user_id: UUID
    name: str


class _About(NamedTuple):
    """What messages are about: the words they are made of, and what keeps them apart."""

    key: str
    words: dict[str, str]
    order_id: UUID | None = None


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
    recipients: dict[Audience, list[UUID]] = {
        Audience.CUSTOMER: [parties.customer_id],
        Audience.CHEF: [parties.chef_user_id],
    }
    if any(notice.audience is Audience.DRIVER for notice in said):
        recipients[Audience.DRIVER] = await _driver(session, parties.driver_id)
    about = _About(
        key=f"{parties.order_id}:{key}:{occasion}",
        words={
            "number": parties.order_number,
            "kitchen": parties.kitchen_name,
            "reason": reason or "",
        },
        order_id=parties.order_id,
    )
    await _send(session, said, recipients, about)


async def tell_payee(
    session: AsyncSession,
    occasion: PayeeAlert,
    payee: PayeeParty,
    *,
    key: str,
    reason: str | None = None,
) -> None:
    """Write what a payee and ops are told, each at most once by `key` (unique within the payee)."""
    about = _About(
        key=f"{payee.payee_id}:{key}:{occasion}",
        words={"name": payee.name, "reason": reason or "no reason given"},
    )
    await _send(session, notices(occasion), {Audience.PAYEE: [payee.user_id]}, about)


async def tell_driver(
    session: AsyncSession,
    occasion: DriverAlert,
    driver: DriverParty,
    *,
    key: str,
    reason: str | None = None,
) -> None:
    """Write what a driver and ops are told, each at most once by `key` (unique within the
    driver).
    """
    about = _About(
        key=f"{driver.driver_id}:{key}:{occasion}",
        words={"name": driver.name, "reason": reason or "no reason given"},
    )
    await _send(session, notices(occasion), {Audience.DRIVER: [driver.user_id]}, about)


async def tell_kitchen(
    session: AsyncSession,
    occasion: KitchenAlert,
    kitchen: KitchenParty,
    *,
    key: str,
    reason: str | None = None,
) -> None:
    """Write what a chef and ops are told, each at most once by `key` (unique within the
    kitchen).
    """
    about = _About(
        key=f"{kitchen.chef_id}:{key}:{occasion}",
        words={"name": kitchen.name, "reason": reason or "no reason given"},
    )
    await _send(session, notices(occasion), {Audience.CHEF: [kitchen.user_id]}, about)


async def tell_ops(
    session: AsyncSession, occasion: Alert | PayeeAlert, *, key: str, reason: str
) -> None:
    """Write what operators are told that is about nobody in particular, once by `key`."""
    about = _About(key=f"{key}:{occasion}", words={"reason": reason})
    await _send(session, notices(occasion), {}, about)


async def _send(
    session: AsyncSession,
    said: Sequence[Notice],
    recipients: dict[Audience, list[UUID]],
    about: _About,
) -> None:
    if any(notice.audience is Audience.OPS for notice in said):
        recipients[Audience.OPS] = await _admins(session)
    at = now()

    def row(notice: Notice, user_id: UUID) -> dict[str, object]:
        return {
            "id": uuid7(),
            "business_key": f"{about.key}:{user_id}",
            "user_id": user_id,
            "type": notice.type,
            "title": notice.title.format(**about.words),
            "message": notice.message.format(**about.words),
            "is_read": False,
            "related_order_id": about.order_id,
            "created_at": at,
        }

    rows = [row(notice, user_id) for notice in said for user_id in recipients[notice.audience]]
    if rows:
        await session.execute(insert(Notification).on_conflict_do_nothing(), rows)


async def _driver(session: AsyncSession, driver_id: UUID | None) -> list[UUID]:
    found = await session.scalars(select(col(Driver.user_id)).where(col(Driver.id) == driver_id))
    return list(found)


async def _admins(session: AsyncSession) -> list[UUID]:
    found = await session.scalars(
        select(col(User.id)).where(col(User.role) == Role.ADMIN, col(User.is_active))
    )
    return list(found)
