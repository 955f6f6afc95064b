"""Every SQL statement about what people are told.

The values of their words (`domain.wording.WORDS`) are written down with what is shown in the app,
which is in the language and by the clock of whoever is told.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.languages import Language
from domain.notifications import (
    EXPECTED,
    Alert,
    Audience,
    DriverAlert,
    KitchenAlert,
    Notice,
    Occasion,
    PayeeAlert,
    notices,
)
from domain.order_status import OrderStatus
from domain.wording import Words, amount, moment, say
from schema.queries import deliveries, live_alerts
from schema.queries.deliveries import Told
from schema.tables import Driver, Notification, NotificationPreferences, Role, User
from schema.tables.columns import now

_NO_WORDS: Words = {}


class Parties(NamedTuple):
    """Whom an order concerns."""

    order_id: UUID
    order_number: str
    customer_id: UUID
    driver_id: UUID | None
    chef_user_id: UUID
    kitchen_name: str
    timezone: str | None
    total_cents: int
    currency: str
    estimated_delivery_at: datetime

    @property
    def words(self) -> Words:
        """What can be said of the order on any occasion."""
        return {
            "number": self.order_number,
            "kitchen": self.kitchen_name,
            "timezone": self.timezone,
            "total": amount(self.total_cents, self.currency),
        }


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

    occasion: Occasion
    key: str
    words: Words
    order_id: UUID | None = None


async def tell(
    session: AsyncSession,
    occasion: OrderStatus | Alert,
    parties: Parties,
    *,
    key: str,
    reason: str | None = None,
    words: Words = _NO_WORDS,
    only: Audience | None = None,
) -> None:
    """Write the messages of an occasion, each at most once by `key` (unique within the order): to
    everybody whom it concerns, or `only` to one audience of them.
    """
    said = [notice for notice in notices(occasion) if only in {None, notice.audience}]
    recipients: dict[Audience, list[UUID]] = {
        Audience.CUSTOMER: [parties.customer_id],
        Audience.CHEF: [parties.chef_user_id],
    }
    if any(notice.audience is Audience.DRIVER for notice in said):
        recipients[Audience.DRIVER] = await _driver(session, parties.driver_id)
    about = _About(
        occasion,
        key=f"{parties.order_id}:{key}:{occasion}",
        words={
            **parties.words,
            "expected": moment(parties.estimated_delivery_at) if occasion in EXPECTED else None,
            "reason": reason,
            **words,
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
    words: Words = _NO_WORDS,
) -> None:
    """Write what a payee and ops are told, each at most once by `key` (unique within the payee)."""
    about = _About(
        occasion,
        key=f"{payee.payee_id}:{key}:{occasion}",
        words={"name": payee.name, "reason": reason, **words},
    )
    await _send(session, notices(occasion), {Audience.PAYEE: [payee.user_id]}, about)


async def tell_driver(
    session: AsyncSession,
    occasion: DriverAlert,
    driver: DriverParty,
    *,
    key: str,
    reason: str | None = None,
    words: Words = _NO_WORDS,
) -> None:
    """Write what a driver and ops are told, each at most once by `key` (unique within the
    driver).
    """
    about = _About(
        occasion,
        key=f"{driver.driver_id}:{key}:{occasion}",
        words={"name": driver.name, "reason": reason, **words},
    )
    await _send(session, notices(occasion), {Audience.DRIVER: [driver.user_id]}, about)


async def tell_kitchen(
    session: AsyncSession,
    occasion: KitchenAlert,
    kitchen: KitchenParty,
    *,
    key: str,
    reason: str | None = None,
    words: Words = _NO_WORDS,
) -> None:
    """Write what a chef and ops are told, each at most once by `key` (unique within the
    kitchen).
    """
    about = _About(
        occasion,
        key=f"{kitchen.chef_id}:{key}:{occasion}",
        words={"name": kitchen.name, "reason": reason, **words},
    )
    await _send(session, notices(occasion), {Audience.CHEF: [kitchen.user_id]}, about)


async def tell_ops(
    session: AsyncSession,
    occasion: Alert | PayeeAlert,
    *,
    key: str,
    reason: str | None = None,
    words: Words = _NO_WORDS,
) -> None:
    """Write what operators are told that is about nobody in particular, once by `key`."""
    about = _About(occasion, key=f"{key}:{occasion}", words={"reason": reason, **words})
    await _send(session, notices(occasion), {}, about)


async def _send(
    session: AsyncSession,
    said: Sequence[Notice],
    recipients: dict[Audience, list[UUID]],
    about: _About,
) -> None:
    if not said:
        return
    if any(notice.audience is Audience.OPS for notice in said):
        recipients[Audience.OPS] = await _admins(session)
    addressed = {user_id for notice in said for user_id in recipients[notice.audience]}
    readers = await _readers(session, addressed)
    at = now()

    def row(one: Told) -> dict[str, object]:
        audience = one.notice.audience
        language, timezone = readers[one.user_id]
        shown = say(about.occasion, audience, about.words, language, timezone)
        return {
            "id": one.notification_id,
            "business_key": f"{about.key}:{audience}:{one.user_id}",
            "user_id": one.user_id,
            "type": one.notice.type,
            "title": shown.title,
            "message": shown.line,
            "is_read": False,
            "related_order_id": about.order_id,
            "occasion": about.occasion.value,
            "audience": audience.value,
            "words": {name: value for name, value in about.words.items() if value is not None},
            "created_at": at,
        }

    told = [
        Told(uuid7(), user_id, notice, notice.audience is Audience.OPS and number == 0)
        for notice in said
        for number, user_id in enumerate(recipients[notice.audience])
    ]
    if not told:
        return
    rows = [row(one) for one in told]
    written = set(
        await session.scalars(
            insert(Notification).on_conflict_do_nothing().returning(col(Notification.id)), rows
        )
    )
    await live_alerts.put(session, rows, written, about.key, about.words.get("number"))
    await deliveries.plan(session, [one for one in told if one.notification_id in written], at)


async def _driver(session: AsyncSession, driver_id: UUID | None) -> list[UUID]:
    found = await session.scalars(select(col(Driver.user_id)).where(col(Driver.id) == driver_id))
    return list(found)


async def _admins(session: AsyncSession) -> list[UUID]:
    found = await session.scalars(
        select(col(User.id))
        .where(col(User.role) == Role.ADMIN, col(User.is_active))
        .order_by(col(User.id))
    )
    return list(found)


async def _readers(
    session: AsyncSession, users: Iterable[UUID]
) -> Mapping[UUID, tuple[Language, str | None]]:
    """The language that each of some users reads, and his time zone if he has said it."""
    found = await session.execute(
        select(col(User.id), col(User.language), col(NotificationPreferences.timezone))
        .outerjoin(NotificationPreferences, col(NotificationPreferences.user_id) == col(User.id))
        .where(col(User.id).in_(list(users)))
    )
    return {user_id: (language, timezone) for user_id, language, timezone in found}
