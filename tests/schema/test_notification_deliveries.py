"""Messages on their way are noted as what they are, in whatever order that is known."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.delivering import GOOD_FOR, DeliveryStatus
from domain.notifications import Alert, PayeeAlert, Urgency
from domain.order_status import OrderStatus
from domain.wording import amount
from local import world as worlds
from local.world import Somebody
from schema.database import Database
from schema.messages.deliveries import Outgoing
from schema.queries import deliveries, delivery_log, notifications, orders
from schema.queries.notifications import PayeeParty
from schema.tables import Device, DeviceKind, Notification, NotificationDelivery, Order
from schema.tables.columns import now

S = DeliveryStatus


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
