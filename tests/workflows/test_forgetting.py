"""Where drivers were is not kept for ever, nor what has expired."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlmodel import col
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities import identity, sent_log
from activities import locations as activities
from activities.heartbeat import Heartbeats
from activities.identity import IdentityActivities
from activities.locations import LocationActivities
from activities.sent_log import SentLog
from domain.challenges import Purpose
from domain.delivering import DeliveryStatus as Sent
from domain.delivering import Way
from domain.tracking import Fix
from domain.webhooks import DeliveryStatus
from local import world as worlds
from local.servers import program
from local.world import Somebody
from schema.database import Database
from schema.messages.locations import Forgetting, Keeping
from schema.queries import locations
from schema.tables import (
    Challenge,
    DriverLocation,
    Notification,
    NotificationDelivery,
    RefreshToken,
)
from tests import webhooks
from workflows.forgetting import ForgettingWorkflow
from workflows.options import PAYOUTS_QUEUE

A_MONTH = timedelta(days=30)


async def deliver(database: Database, whom: Somebody, ages: Sequence[timedelta]) -> None:
    """Write down messages of such ages, the first of which is still tried."""
    async with database.write() as session:
        for number, age in enumerate(ages):
            at = datetime.now(UTC) - age
            message = Notification(
                business_key=str(uuid4()),
                user_id=whom.user_id,
                type="chef:webhook",
                title="",
                message="",
                occasion="",
                audience="chef",
                created_at=at,
            )
            session.add(message)
            await session.flush()
            session.add(
                NotificationDelivery(
                    notification_id=message.id,
                    channel=Way.EMAIL,
                    status=Sent.PENDING if number == 0 else Sent.SENT,
                    due_at=at,
                    good_until=at,
                    handed_over_at=at,
                    created_at=at,
                )
            )


async def deliveries_of(database: Database, whom: Somebody) -> int:
    async with database.read() as session:
        found = await session.scalar(
            select(func.count())
            .select_from(NotificationDelivery)
            .join(Notification, col(Notification.id) == col(NotificationDelivery.notification_id))
            .where(col(Notification.user_id) == whom.user_id)
        )
    return found or 0


async def test_what_is_older_than_a_month_is_forgotten_and_nothing_else(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activities, "_AT_ONCE", 3)
    monkeypatch.setattr(identity, "_AT_ONCE", 2)
    monkeypatch.setattr(sent_log, "_AT_ONCE", 3)
    world = await worlds.settle(database, drivers=2)
    now = datetime.now(UTC)
    ages = [timedelta(days=31, seconds=number) for number in range(9)]
    ages += [timedelta(days=29), timedelta(days=1)]
    for driver in world.drivers:
        async with database.write() as session:
            fixes = [Fix(world.kitchen, now - age) for age in ages]
            await locations.add(session, driver.id, fixes)
    customer = world.customer.user_id
    async with database.write() as session:
        for age in (timedelta(hours=25), timedelta(days=8), timedelta(hours=23), -A_MONTH):
            token = RefreshToken(
                user_id=customer,
                family_id=uuid4(),
                digest=str(uuid4()),
                expires_at=now - age,
            )
            letter = Challenge(
                user_id=customer, purpose=Purpose.VERIFY_EMAIL, sent_to="", expires_at=now - age
            )
            session.add_all([token, letter])
    till = await webhooks.endpoint(database, world, "https://till.example.com")
    for number, age in enumerate(ages):
        status = DeliveryStatus.PENDING if number == 0 else DeliveryStatus.SUCCEEDED
        told = await webhooks.message(database, till, str(number))
        async with database.write() as session:
            row = await session.get(type(told), told.id)
            assert row is not None
            row.created_at, row.status = now - age, status

    await deliver(database, world.chef, ages)

    async with (
        await WorkflowEnvironment.start_time_skipping(
            test_server_existing_path=program("temporal-test-server"),
            data_converter=pydantic_data_converter,
        ) as env,
        Worker(
            env.client,
            task_queue=PAYOUTS_QUEUE,
            workflows=[ForgettingWorkflow],
            activities=[
                LocationActivities(database).forget_locations,
                IdentityActivities(database).forget_expired,
                SentLog(database).forget_webhooks,
                SentLog(database).forget_deliveries,
            ],
            interceptors=[Heartbeats()],
        ),
    ):
        forgotten = await env.client.execute_workflow(
            ForgettingWorkflow.run,
            Keeping(keep=A_MONTH, deliveries=A_MONTH),
            id="forgetting",
            task_queue=PAYOUTS_QUEUE,
        )

    assert forgotten == 18
    # An attempt that comes after one whose answer was lost has nothing left to do.
    again = Forgetting(before=now - A_MONTH)
    assert await LocationActivities(database).forget_locations(again) == 0
    async with database.read() as session:
        left = await session.scalar(
            select(func.count())
            .select_from(DriverLocation)
            .where(col(DriverLocation.driver_id).in_([driver.id for driver in world.drivers]))
        )
        kept = [
            await session.scalar(
                select(func.count()).select_from(table).where(col(table.user_id) == customer)
            )
            for table in (RefreshToken, Challenge)
        ]
    assert left == 4
    # What is still being tried is kept, too.
    assert len(await webhooks.messages(database, till.id)) == 3
    assert await deliveries_of(database, world.chef) == 3
    assert kept == [2, 2]
