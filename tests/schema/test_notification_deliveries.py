"""Messages on their way are noted as what they are, in whatever order that is known."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.delivering import GOOD_FOR, DeliveryStatus, Round, Way
from domain.mail_events import Ending
from domain.notifications import Alert, PayeeAlert, Urgency
from domain.order_status import OrderStatus
from domain.preferences import Channel
from domain.wording import amount
from local import world as worlds
from local.world import Somebody
from schema.database import Database
from schema.messages.deliveries import Outgoing
from schema.queries import (
    deliveries,
    delivery_events,
    delivery_log,
    notifications,
    orders,
    reach,
)
from schema.queries.delivery_events import News
from schema.queries.notifications import PayeeParty
from schema.tables import Device, DeviceKind, Notification, NotificationDelivery, Order
from schema.tables.columns import now

S = DeliveryStatus
ARRIVED, BOUNCED, DROPPED = (
    Ending(S.DELIVERED),
    Ending(S.DEAD, "SendGrid says bounce 5.1.1"),
    Ending(S.DEAD, "SendGrid says dropped: bounced address"),
)


@dataclass
class Told:
    """Somebody who was told something, by mail."""

    database: Database
    whom: Somebody

    async def row(self) -> NotificationDelivery:
        async with self.database.read() as session:
            found = await session.scalars(
                select(NotificationDelivery)
                .join(
                    Notification, col(Notification.id) == col(NotificationDelivery.notification_id)
                )
                .where(col(Notification.user_id) == self.whom.user_id)
            )
            return found.one()

    async def hears(self, *endings: Ending, number: int = 0, address: str | None = None) -> int:
        """What has become of it is told; how often that was new."""
        row = await self.row()
        sent, to = Round(row.id, number), address or self.whom.email.upper()
        async with self.database.write() as session:
            news = [News(sent, to, ending) for ending in endings]
            return await delivery_events.write_down(session, news, now())

    async def begins(self) -> None:
        """It is tried."""
        row = await self.row()
        async with self.database.write() as session:
            await deliveries.begin(session, row.id, now())

    async def is_sent(self, name: str | None) -> None:
        """Whoever passes it on has it, and calls it so."""
        outgoing = await self.outgoing()
        async with self.database.write() as session:
            await deliveries.note_sent(session, outgoing, name)

    async def unreachable(self) -> list[Channel]:
        async with self.database.read() as session:
            return await reach.unreachable(session, self.whom.user_id)

    async def outgoing(self) -> Outgoing:
        row = await self.row()
        return Outgoing(
            delivery_id=row.id, round=row.round, due_at=row.due_at, good_until=row.good_until
        )


@pytest.fixture
async def told(database: Database) -> Told:
    return await another(database)


async def another(database: Database) -> Told:
    """Somebody else who was told something."""
    world = await worlds.settle(database, drivers=1)
    driver = world.drivers[0]
    async with database.write() as session:
        await notifications.tell_payee(
            session,
            PayeeAlert.PAYOUT_PAID,
            PayeeParty(driver.id, driver.user_id, "Test"),
            key=str(uuid7()),
            words={"amount": amount(1601, "usd")},
        )
    return Told(database, driver)


async def test_an_operator_who_is_the_other_party_too_is_told_as_both(database: Database) -> None:
    world = await worlds.settle(database, drivers=1)
    async with database.write() as session:
        await notifications.tell_payee(
            session,
            PayeeAlert.PAYOUT_FAILED,
            PayeeParty(world.drivers[0].id, world.admin.user_id, "Test"),
            key=str(uuid7()),
            reason="no_account",
            words={"amount": amount(1601, "usd")},
        )
    async with database.read() as session:
        as_whom = await session.scalars(
            select(col(Notification.audience)).where(
                col(Notification.user_id) == world.admin.user_id
            )
        )
        assert sorted(as_whom) == ["ops", "payee"]


async def test_what_was_sent_while_it_was_given_up_was_sent(told: Told) -> None:
    outgoing = await told.outgoing()
    async with told.database.write() as session:
        await deliveries.close(session, outgoing, S.FAILED, "no answer")
    async with told.database.write() as session:
        await deliveries.note_sent(session, outgoing, "its name")
    async with told.database.write() as session:
        await deliveries.close(session, outgoing, S.FAILED)

    row = await told.row()
    assert (row.status, row.provider_id, row.error) == (S.SENT, "its name", None)


async def test_what_is_late_of_an_older_round_is_not_about_the_new_one(told: Told) -> None:
    old = await told.outgoing()
    async with told.database.write() as session:
        await deliveries.close(session, old, S.FAILED)
        seen = await delivery_log.locked(session, old.delivery_id)
        assert seen is not None
        await delivery_log.send_again(session, seen, now())
    async with told.database.write() as session:
        await deliveries.note_sent(session, old, "late")
        await deliveries.note_trouble(session, old, "late")
        await deliveries.close(session, old, S.FAILED, "late")
        assert await deliveries.errand(session, old, now()) is None
        assert await deliveries.errand(session, await told.outgoing(), now()) is not None

    row = await told.row()
    assert (row.status, row.round, row.provider_id, row.error) == (S.PENDING, 1, None, None)


async def test_a_reminder_is_so_only_until_the_chef_has_answered(database: Database) -> None:
    world = await worlds.settle(database, drivers=0)
    placing = world.placing()
    async with database.write() as session:
        session.add(
            Device(
                user_id=world.chef.user_id,
                kind=DeviceKind.FCM,
                token=str(uuid7()),
                last_seen_at=now(),
            )
        )
        await orders.begin(session, placing)
        parties = await orders.parties(session, placing.order.id)
        await notifications.tell(session, Alert.CHEF_REMINDER, parties, key="once")
    outgoing = await Told(database, world.chef).outgoing()

    async def is_so(status: OrderStatus) -> bool:
        async with database.write() as session:
            await session.execute(
                update(Order).where(col(Order.id) == placing.order.id).values(status=status)
            )
            found = await deliveries.errand(session, outgoing, now())
        assert found is not None
        return found.standing.is_so

    assert await is_so(OrderStatus.PAYMENT_CONFIRMED)
    assert not await is_so(OrderStatus.ACCEPTED)


async def test_what_is_of_use_for_seconds_is_handed_over_before_what_waits_longer(
    database: Database, told: Told
) -> None:
    older, newer = await told.outgoing(), await (await another(database)).outgoing()
    async with database.write() as session:
        await session.execute(
            update(NotificationDelivery)
            .where(col(NotificationDelivery.id) == newer.delivery_id)
            .values(good_until=newer.due_at + GOOD_FOR[Urgency.LIVE])
        )
        waiting = [one.delivery_id for one in await deliveries.waiting(session, 10_000)]

    assert waiting.index(newer.delivery_id) < waiting.index(older.delivery_id)


async def test_what_nothing_may_ring_for_now_is_tried_for_as_long_after_that(told: Told) -> None:
    outgoing = await told.outgoing()
    at = outgoing.due_at + timedelta(hours=2)
    until = at + timedelta(hours=8)
    async with told.database.write() as session:
        later = await deliveries.postpone(session, outgoing, at, until)

    row = await told.row()
    assert (row.status, row.due_at, row.good_until) == (S.PENDING, later.due_at, later.good_until)
    assert later.due_at == until
    assert later.good_until == outgoing.good_until + timedelta(hours=8)


@pytest.mark.parametrize(
    ("endings", "noted"),
    [
        ((ARRIVED, ARRIVED, BOUNCED), 2),
        ((BOUNCED, ARRIVED), 2),
        ((BOUNCED, DROPPED, BOUNCED), 1),
    ],
    ids=["in order", "out of order", "twice"],
)
async def test_what_bounces_is_dead_in_whatever_order_it_is_told(
    told: Told, endings: tuple[Ending, ...], noted: int
) -> None:
    await told.begins()
    await told.is_sent("its name")

    assert await told.hears(*endings) == noted
    dead = await told.row()
    for late in (*endings, ARRIVED):
        assert await told.hears(late) == 0

    assert await told.row() == dead
    assert (dead.status, dead.error, dead.provider_id) == (S.DEAD, BOUNCED.error, "its name")
    assert await told.unreachable() == [Channel.EMAIL]


@pytest.mark.parametrize(("ending", "status"), [(ARRIVED, S.DELIVERED), (BOUNCED, S.DEAD)])
async def test_what_is_told_before_the_answer_comes_stands(
    told: Told, ending: Ending, status: S
) -> None:
    await told.begins()
    assert await told.hears(ending) == 1
    heard = await told.row()
    await told.is_sent("its name")
    await told.is_sent(None)

    row = await told.row()
    assert (row.status, row.error, row.sent_at) == (status, ending.error, heard.sent_at)
    assert row.provider_id == "its name"
    assert row.sent_at is not None
    async with told.database.write() as session:
        assert await deliveries.errand(session, await told.outgoing(), now()) is None


async def test_of_what_was_not_tried_nothing_can_be_known(told: Told) -> None:
    assert await told.hears(ARRIVED, BOUNCED) == 0
    assert (await told.row()).status is S.PENDING
    assert await told.unreachable() == []


@pytest.mark.parametrize(
    ("closed", "news", "status", "dead"),
    [(S.FAILED, 2, S.DEAD, [Channel.EMAIL]), (S.SKIPPED, 0, S.SKIPPED, [])],
    ids=["given up", "not sent"],
)
async def test_what_was_given_up_may_have_been_taken_and_what_was_not_sent_does_not_bounce(
    told: Told, closed: S, news: int, status: S, dead: list[Channel]
) -> None:
    outgoing = await told.outgoing()
    await told.begins()
    async with told.database.write() as session:
        await deliveries.close(session, outgoing, closed, "no answer")

    assert await told.hears(ARRIVED, BOUNCED) == news
    assert ((await told.row()).status, await told.unreachable()) == (status, dead)


async def test_of_another_round_and_on_another_way_nothing_is_noted(told: Told) -> None:
    await told.begins()
    await told.is_sent("its name")
    assert await told.hears(ARRIVED, BOUNCED, number=1) == 0

    async with told.database.write() as session:
        row = await session.get_one(NotificationDelivery, (await told.row()).id)
        row.channel = Way.OPS_EMAIL
    assert await told.hears(ARRIVED, BOUNCED) == 0

    assert ((await told.row()).status, await told.unreachable()) == (S.SENT, [])


async def test_another_address_of_his_is_not_dead(told: Told) -> None:
    await told.begins()
    await told.is_sent("its name")

    assert await told.hears(BOUNCED, address="another@example.com") == 1

    assert ((await told.row()).status, await told.unreachable()) == (S.DEAD, [])


async def test_what_has_arrived_may_be_sent_again_and_bounce_then(told: Told) -> None:
    await told.begins()
    await told.is_sent("its name")
    await told.hears(ARRIVED)
    async with told.database.write() as session:
        seen = await delivery_log.locked(session, (await told.row()).id)
        assert seen is not None
        await delivery_log.send_again(session, seen, now())
    await told.begins()

    assert await told.hears(ARRIVED) == 0
    assert await told.hears(BOUNCED, number=1) == 1
    row = await told.row()
    assert (row.status, row.round, row.provider_id) == (S.DEAD, 1, None)


async def test_who_tells_the_same_of_many_at_once_is_heard_once(database: Database) -> None:
    world = await worlds.settle(database, drivers=2)
    all_told = [Told(database, whom) for whom in world.drivers]
    for one, driver in zip(all_told, world.drivers, strict=True):
        async with database.write() as session:
            await notifications.tell_payee(
                session,
                PayeeAlert.PAYOUT_PAID,
                PayeeParty(driver.id, driver.user_id, "Test"),
                key=str(uuid7()),
                words={"amount": amount(1601, "usd")},
            )
        await one.begins()
    news = [
        News(Round((await one.row()).id, 0), one.whom.email, ending)
        for one in all_told
        for ending in (BOUNCED, ARRIVED)
    ]

    async def hear(news: list[News]) -> int:
        async with database.write() as session:
            return await delivery_events.write_down(session, news, now())

    heard = await asyncio.gather(*(hear(news[::step]) for step in (1, -1) * 3))

    assert sum(heard) == 4
    for one in all_told:
        assert ((await one.row()).status, await one.unreachable()) == (S.DEAD, [Channel.EMAIL])
