"""Every SQL statement by which messages are sent on other ways than the app."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    ScalarSelect,
    Select,
    String,
    Uuid,
    and_,
    case,
    cast,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.delivering import (
    BY_CHANNEL,
    GOOD_FOR,
    OF_OPERATORS,
    DeliveryStatus,
    Round,
    Standing,
    Way,
)
from domain.languages import Language
from domain.notifications import STILL_SO, Alert, Notice, notice
from domain.preferences import Channel, chosen
from domain.reaching import Wishes
from domain.reaching import reach as reached
from schema.messages.deliveries import Outgoing
from schema.messages.dispatch import AssignmentStatus
from schema.queries import outbox, reach
from schema.tables import (
    AccountDeletion,
    DeadChannel,
    Device,
    Driver,
    DriverAssignment,
    Notification,
    NotificationDelivery,
    NotificationPreferences,
    Order,
    User,
    UserProfile,
)
from schema.tables.columns import now

S = DeliveryStatus

# How much older than its first try what is looked for could be, by another clock.
_LOOKED_FOR = timedelta(minutes=5)


class Told(NamedTuple):
    """A message that was written down just now; what operators are told together hangs on that of
    the `first_of_ops`.
    """

    notification_id: UUID
    user_id: UUID
    notice: Notice
    first_of_ops: bool


@dataclass(frozen=True)
class Errand:
    """A message that is to go out, whom to if its way leads to somebody, and how things stand."""

    delivery: NotificationDelivery
    notification: Notification
    language: Language
    timezone: str | None
    address: str | None
    device: Device | None
    standing: Standing
    # Set where the reader's quiet hours have begun: when they are over.
    quiet_until: datetime | None = None
    # What whoever passes it on calls other messages to the same person.
    others: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """What keeps it apart from everything else that was ever sent."""
        return Round(self.delivery.id, self.delivery.round).key


async def plan(session: AsyncSession, told: Sequence[Told], at: datetime) -> None:
    """Have messages sent as their readers wish, if this transaction is committed."""
    if not told:
        return
    found = await session.execute(_reachable({one.user_id for one in told}))
    reachable = {row.id: row for row in found}
    rows = [
        {
            "id": uuid7(),
            "notification_id": one.notification_id,
            "channel": way,
            "device_id": device_id,
            "status": S.PENDING,
            "due_at": due,
            "good_until": due + GOOD_FOR[one.notice.urgency],
            "round": 0,
            "attempts": 0,
            "created_at": at,
        }
        for one in told
        for way, device_id, due in _ways(one, reachable[one.user_id], at)
    ]
    if rows:
        await session.execute(insert(NotificationDelivery).on_conflict_do_nothing(), rows)
        await outbox.wake(session)


async def waiting(session: AsyncSession, limit: int) -> list[Outgoing]:
    """Messages that no workflow has, for this transaction alone to hand over: those first that are
    of use for the shortest time.
    """
    found = await session.scalars(
        select(NotificationDelivery)
        .where(col(NotificationDelivery.handed_over_at).is_(None))
        .order_by(col(NotificationDelivery.good_until), col(NotificationDelivery.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [
        Outgoing(delivery_id=row.id, round=row.round, due_at=row.due_at, good_until=row.good_until)
        for row in found
    ]


async def hand_over(session: AsyncSession, delivery_ids: Sequence[UUID]) -> None:
    """Workflows have them."""
    await session.execute(
        update(NotificationDelivery)
        .where(col(NotificationDelivery.id).in_(delivery_ids))
        .values(handed_over_at=now())
    )


async def errand(session: AsyncSession, outgoing: Outgoing, at: datetime) -> Errand | None:
    """A message that still waits to be sent, as things stand at a moment, for this transaction
    alone; None where none does, or only in another round.
    """
    row = (
        await session.execute(
            select(
                NotificationDelivery,
                Notification,
                Device,
                col(User.language),
                col(Order.status).label("order_status"),
                *(column.label(name) for name, column in _facts().items()),
                _is_offered().label("is_offered"),
            )
            .join(Notification, col(Notification.id) == col(NotificationDelivery.notification_id))
            .join(User, col(User.id) == col(Notification.user_id))
            .outerjoin(UserProfile, col(UserProfile.user_id) == col(User.id))
            .outerjoin(
                NotificationPreferences, col(NotificationPreferences.user_id) == col(User.id)
            )
            .outerjoin(Device, col(Device.id) == col(NotificationDelivery.device_id))
            .outerjoin(Order, col(Order.id) == col(Notification.related_order_id))
            .where(
                _this(outgoing),
                col(NotificationDelivery.status) == S.PENDING,
            )
            .with_for_update(of=NotificationDelivery)
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    if row is None:
        return None
    delivery, told, device = row.NotificationDelivery, row.Notification, row.Device
    said = notice(told.occasion, told.audience)
    # Whose it was may have handed it on.
    device = device if device is not None and device.user_id == told.user_id else None
    address = {Way.EMAIL: row.email, Way.SMS: row.phone}.get(delivery.channel)
    is_dead = {
        Way.EMAIL: row.email_is_dead,
        Way.SMS: row.phone_is_dead,
        Way.PUSH: device is not None and device.dead_at is not None,
    }.get(delivery.channel, False)
    standing = Standing(
        is_said=said is not None,
        has_account=not row.is_closed,
        has_address=address is not None or device is not None,
        is_dead=is_dead,
        is_read=told.is_read,
        is_so=row.order_status in STILL_SO.get(told.occasion, {row.order_status}),
        is_offered=bool(row.is_offered) if told.occasion == Alert.DRIVER_OFFER else None,
    )
    quiet_until = None
    if said is not None and delivery.channel not in OF_OPERATORS:
        dues = {BY_CHANNEL[way]: due for way, due in reached(said, _wishes(row), at).items()}
        due = dues.get(delivery.channel)
        standing = replace(standing, is_wanted=due is not None)
        quiet_until = due if due is not None and due > at else None
    return Errand(
        delivery,
        told,
        row.language,
        row.timezone,
        address,
        device,
        standing,
        quiet_until,
        others=await _others(session, delivery, told.user_id),
    )


async def postpone(
    session: AsyncSession, outgoing: Outgoing, at: datetime, until: datetime
) -> Outgoing:
    """It is due later than at this moment, since nothing is to ring until then: what it becomes.
    The hours between are not counted to those in which it is tried.
    """
    good_until = outgoing.good_until + (until - at)
    await _note(session, outgoing, due_at=until, good_until=good_until)
    return outgoing.model_copy(update={"due_at": until, "good_until": good_until})


async def _others(
    session: AsyncSession, delivery: NotificationDelivery, user_id: UUID
) -> frozenset[str]:
    """Of use where one is looked for that may have been taken before: it is none of these."""
    if delivery.started_at is None:
        return frozenset()
    found = await session.scalars(
        select(col(NotificationDelivery.provider_id))
        .join(Notification, col(Notification.id) == col(NotificationDelivery.notification_id))
        .where(
            col(Notification.user_id) == user_id,
            col(NotificationDelivery.channel) == delivery.channel,
            col(NotificationDelivery.id) != delivery.id,
            col(NotificationDelivery.sent_at) >= delivery.started_at - _LOOKED_FOR,
            col(NotificationDelivery.provider_id).is_not(None),
        )
    )
    return frozenset(one for one in found if one is not None)


async def begin(session: AsyncSession, delivery_id: UUID, at: datetime) -> None:
    """It is being tried, once more."""
    await session.execute(
        update(NotificationDelivery)
        .where(col(NotificationDelivery.id) == delivery_id)
        .values(
            attempts=col(NotificationDelivery.attempts) + 1,
            started_at=func.coalesce(col(NotificationDelivery.started_at), at),
        )
        # Whoever tries it knows it as it was before.
        .execution_options(synchronize_session=False)
    )


async def note_sent(session: AsyncSession, outgoing: Outgoing, provider_id: str | None) -> None:
    """Whoever passes it on has it, even where it was given up at the same moment. Where he has
    told what became of it before he has answered, that stands.
    """
    name = provider_id or None
    await _note(
        session,
        outgoing,
        over=(S.PENDING, S.FAILED),
        status=S.SENT,
        sent_at=now(),
        provider_id=name,
        error=None,
    )
    known = func.coalesce(name, col(NotificationDelivery.provider_id))
    await _note(session, outgoing, over=(S.DELIVERED, S.DEAD), provider_id=known)


async def note_trouble(session: AsyncSession, outgoing: Outgoing, error: str) -> None:
    """It could not be sent now."""
    await _note(session, outgoing, error=error)


async def close(
    session: AsyncSession, outgoing: Outgoing, status: DeliveryStatus, error: str | None = None
) -> None:
    """It will not be sent; without an `error`, that of the last attempt stays."""
    said: dict[str, Any] = {} if error is None else {"error": error}
    await _note(session, outgoing, status=status, **said)


async def bury(session: AsyncSession, sent: Errand, reason: str, at: datetime) -> None:
    """Nothing arrives any more where a message was to go."""
    channel = next((c for c, way in BY_CHANNEL.items() if way is sent.delivery.channel), None)
    if sent.device is not None:
        await session.execute(
            update(Device)
            # One that has registered anew meanwhile is not the one that we have tried.
            .where(
                col(Device.id) == sent.device.id,
                col(Device.last_seen_at) == sent.device.last_seen_at,
            )
            .values(dead_at=at, dead_reason=reason)
        )
    elif channel is not None and sent.address is not None:
        user_id = sent.notification.user_id
        await reach.bury(session, user_id, channel, sent.address, reason=reason, at=at)


async def _note(
    session: AsyncSession,
    outgoing: Outgoing,
    *,
    over: Collection[DeliveryStatus] = (S.PENDING,),
    **values: object,
) -> None:
    await session.execute(
        update(NotificationDelivery)
        .where(
            _this(outgoing),
            col(NotificationDelivery.status).in_(over),
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _this(outgoing: Outgoing) -> ColumnElement[bool]:
    """A message in a round of its own: what is late of an older one is not about this."""
    return and_(
        col(NotificationDelivery.id) == outgoing.delivery_id,
        col(NotificationDelivery.round) == outgoing.round,
    )


def _ways(one: Told, row: Any, at: datetime) -> Iterable[tuple[Way, UUID | None, datetime]]:
    """How a message goes out, to which device, and when."""
    if one.first_of_ops:
        yield from ((way, None, at) for way in sorted(OF_OPERATORS))
    for channel, due in reached(one.notice, _wishes(row), at).items():
        match BY_CHANNEL[channel]:
            case Way.EMAIL if row.email and not row.email_is_dead:
                yield Way.EMAIL, None, due
            case Way.SMS if row.phone and not row.phone_is_dead:
                yield Way.SMS, None, due
            case Way.PUSH:
                yield from ((Way.PUSH, device_id, due) for device_id in row.devices)


def _wishes(row: Any) -> Wishes:
    return Wishes(chosen(row.choices or {}), row.quiet_from, row.quiet_until, row.timezone)


def _reachable(users: Iterable[UUID]) -> Select[Any]:
    devices = (
        select(col(Device.id))
        .where(col(Device.user_id) == col(User.id), col(Device.dead_at).is_(None))
        .order_by(col(Device.id))
        .correlate(User)
    )
    return (
        select(
            col(User.id),
            func.array(devices.scalar_subquery(), type_=ARRAY(Uuid())).label("devices"),
            *(column.label(name) for name, column in _facts().items()),
        )
        .outerjoin(UserProfile, col(UserProfile.user_id) == col(User.id))
        .outerjoin(NotificationPreferences, col(NotificationPreferences.user_id) == col(User.id))
        .where(col(User.id).in_(list(users)))
    )


def _facts() -> dict[str, Any]:
    """What decides how somebody is reached: addresses that are known to be his, and his wishes."""
    phone = case(
        (col(UserProfile.phone) == col(UserProfile.verified_phone), col(UserProfile.phone))
    )
    return {
        "email": case((col(User.is_verified), col(User.email))),
        "phone": phone,
        "email_is_dead": _is_dead(Channel.EMAIL, col(User.email)),
        "phone_is_dead": _is_dead(Channel.SMS, col(UserProfile.phone)),
        "is_closed": exists()
        .where(
            col(AccountDeletion.user_id) == col(User.id),
            col(AccountDeletion.closed_at).is_not(None),
        )
        .correlate(User),
        "choices": col(NotificationPreferences.choices),
        "quiet_from": col(NotificationPreferences.quiet_from),
        "quiet_until": col(NotificationPreferences.quiet_until),
        "timezone": col(NotificationPreferences.timezone),
    }


def _is_dead(channel: Channel, address: Any) -> ColumnElement[bool]:
    return (
        exists()
        .where(
            col(DeadChannel.user_id) == col(User.id),
            col(DeadChannel.channel) == channel,
            func.lower(DeadChannel.address) == func.lower(address),
        )
        .correlate(User, UserProfile)
    )


def _is_offered() -> ScalarSelect[bool]:
    """Whether the offer that a message's key names still waits for its driver."""
    offer = func.split_part(Notification.business_key, ":", 2)
    return (
        select(
            (col(DriverAssignment.status) == AssignmentStatus.OFFERED)
            & (col(DriverAssignment.expires_at) > func.now())
        )
        .join(Driver, col(Driver.id) == col(DriverAssignment.driver_id))
        .where(
            col(Driver.user_id) == col(Notification.user_id),
            cast(col(DriverAssignment.offer_id), String) == offer,
            col(DriverAssignment.stop) == 1,
        )
        .correlate(Notification)
        .scalar_subquery()
    )
