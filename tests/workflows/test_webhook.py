"""A message to a partner, who is there, is away for a while or for ever, or has enough of it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select
from sqlmodel import col
from temporalio.client import WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker

from activities.heartbeat import Heartbeats
from activities.webhook_drain import WebhookDrain
from activities.webhooks import WebhookActivities
from domain import webhooks as rules
from domain.webhooks import DeliveryStatus, OffBecause
from local import world as worlds
from local.people import until
from local.servers import program
from local.world import Somebody, World
from providers.partners import Partners
from schema.database import Database
from schema.messages.webhooks import Delivering
from schema.queries import webhook_deliveries
from schema.tables import Notification, WebhookDelivery, WebhookEndpoint
from tests import webhooks
from tests.partner import Partner, partner
from workflows.options import WEBHOOKS_QUEUE
from workflows.webhook import WebhookWorkflow

OURS = "a secret of at least thirty-two characters"
DS = DeliveryStatus
AT_ONCE = 3


@dataclass
class Office:
    """A worker that sends to partners, by a clock that can be put forward."""

    env: WorkflowEnvironment
    database: Database

    async def send(self, delivery_id: UUID) -> WorkflowHandle[Any, Any]:
        return await self.env.client.start_workflow(
            WebhookWorkflow.run,
            Delivering(delivery_id=delivery_id),
            id=f"webhook-{delivery_id}",
            task_queue=WEBHOOKS_QUEUE,
        )

    async def tried(self, delivery_id: UUID, times: int) -> WebhookDelivery:
        """Wait until a message was tried so often."""

        async def look() -> WebhookDelivery | None:
            row = await webhooks.delivery(self.database, delivery_id)
            return row if row.attempts >= times else None

        return await until(look, within=30)

    async def hand_over(self) -> None:
        """What the relay of a worker does."""
        drain = WebhookDrain(
            self.database,
            self.env.client,
            WebhookWorkflow.run,
            WebhookWorkflow.look,
            WEBHOOKS_QUEUE,
        )
        while await drain():
            pass

    async def replay(self, delivery_id: UUID) -> None:
        async with self.database.write() as session:
            this = webhook_deliveries.this(delivery_id)
            assert await webhook_deliveries.replay(session, this) == [delivery_id]
        await self.hand_over()


@pytest.fixture(scope="module")
async def office(database_url: str) -> AsyncIterator[Office]:
    database = Database(database_url, pool_size=5)
    partners = Partners(private_targets=True, timeout_seconds=15)
    activities = WebhookActivities(database, partners, OURS, at_once=AT_ONCE - 1)
    async with (
        await WorkflowEnvironment.start_time_skipping(
            test_server_existing_path=program("temporal-test-server"),
            data_converter=pydantic_data_converter,
        ) as env,
        Worker(
            env.client,
            task_queue=WEBHOOKS_QUEUE,
            workflows=[WebhookWorkflow],
            activities=[activities.deliver_webhook],
            max_concurrent_activities=AT_ONCE,
            interceptors=[Heartbeats()],
        ),
    ):
        yield Office(env, database)
    await partners.aclose()
    await database.close()


@pytest.fixture
async def world(database: Database) -> World:
    return await worlds.settle(database)


@pytest.fixture
def till() -> Iterator[Partner]:
    with partner() as listening:
        yield listening


async def told(database: Database, who: Somebody) -> list[str]:
    async with database.read() as session:
        found = await session.scalars(
            select(col(Notification.message)).where(
                col(Notification.user_id) == who.user_id,
                col(Notification.business_key).startswith("webhook:")
                | col(Notification.business_key).contains(":webhook:"),
            )
        )
        return list(found)


def secret(endpoint: WebhookEndpoint) -> str:
    return rules.secret(OURS, endpoint.id, 1)


async def test_a_partner_who_was_away_for_an_hour_has_it_exactly_once(
    office: Office, database: Database, world: World, till: Partner
) -> None:
    endpoint = await webhooks.endpoint(database, world, till.url)
    sent = await webhooks.message(database, endpoint)
    till.status, till.text = 503, b"closed until one o'clock"
    running = await office.send(sent.id)
    await office.tried(sent.id, 1)
    assert (await webhooks.standing(database, endpoint.id)).failing_since is not None
    await office.env.sleep(timedelta(hours=1))
    await office.tried(sent.id, 4)

    till.status = 200
    await running.result()

    assert [one.status for one in till.received] == [503, 503, 503, 503, 200]
    assert {one.id for one in till.received} == {str(sent.id)}
    assert all(one.verified(secret(endpoint)) == sent.payload for one in till.received)
    row = await webhooks.delivery(database, sent.id)
    assert (row.status, row.attempts, row.last_status) == (DS.SUCCEEDED, 5, 200)
    assert row.next_attempt_at is None
    tries = await webhooks.attempts(database, sent.id)
    assert [one.number for one in tries] == [1, 2, 3, 4, 5]
    assert tries[0].answer == "closed until one o'clock"
    between = [b.attempted_at - a.attempted_at for a, b in pairwise(tries)]
    for pause, planned in zip(between, rules.PAUSES, strict=False):
        assert planned <= pause < planned * 1.2 + timedelta(seconds=5)
    after = await webhooks.standing(database, endpoint.id)
    assert after.enabled
    assert after.failing_since is None
    assert await told(database, world.chef) == []
    await Replayer(
        workflows=[WebhookWorkflow], data_converter=pydantic_data_converter
    ).replay_workflow(await running.fetch_history())


async def test_where_nothing_arrives_for_three_days_nothing_is_sent_any_more_and_one_notice_is(
    office: Office, database: Database, world: World, till: Partner
) -> None:
    endpoint = await webhooks.endpoint(database, world, till.url)
    first = await webhooks.message(database, endpoint, "first")
    second = await webhooks.message(database, endpoint, "second")
    till.status = 500
    running = [await office.send(first.id), await office.send(second.id)]
    await office.tried(first.id, 1)
    await office.tried(second.id, 1)

    for each in running:
        await each.result()

    rows = [await webhooks.delivery(database, one.id) for one in (first, second)]
    assert {row.status for row in rows} <= {DS.EXHAUSTED, DS.CANCELLED}
    assert any(row.status is DS.EXHAUSTED for row in rows)
    off = await webhooks.standing(database, endpoint.id)
    assert not off.enabled
    assert off.disabled_because is OffBecause.FAILING
    assert off.disabled_at is not None
    assert off.failing_since is not None
    assert off.disabled_at - off.failing_since >= rules.PATIENCE - timedelta(minutes=1)
    (notice,) = await told(database, world.chef)
    assert notice == (
        "A webhook of yours is switched off (127.0.0.1: it has taken nothing for three days)."
    )
    assert len(await told(database, world.admin)) == 1
    count = len(till.received)

    # Nothing was lost: switched on again, it is tried anew when somebody asks for that.
    till.status = 200
    async with database.write() as session:
        row = await session.get(WebhookEndpoint, endpoint.id)
        assert row is not None
        row.enabled = True
        which = webhook_deliveries.missed(endpoint.id, first.created_at, 10)
        assert len(await webhook_deliveries.replay(session, which)) == 2
    await office.hand_over()
    await till.has(count + 2)
    assert {one.id for one in till.taken} == {str(first.id), str(second.id)}


async def test_a_run_that_goes_on_for_another_knows_for_how_long_it_was_tried(
    office: Office, database: Database, world: World, till: Partner
) -> None:
    endpoint = await webhooks.endpoint(database, world, till.url)
    sent = await webhooks.message(database, endpoint)
    till.status = 500

    await office.env.client.execute_workflow(
        WebhookWorkflow.run,
        Delivering(delivery_id=sent.id, tries=9, tried_for=rules.PATIENCE - timedelta(hours=1)),
        id=f"webhook-{sent.id}",
        task_queue=WEBHOOKS_QUEUE,
    )

    first, last = await webhooks.attempts(database, sent.id)
    assert last.attempted_at - first.attempted_at < timedelta(hours=1, minutes=5)
    assert (await webhooks.delivery(database, sent.id)).status is DS.EXHAUSTED


async def test_what_arrives_meanwhile_keeps_an_endpoint_on(
    office: Office, database: Database, world: World, till: Partner
) -> None:
    endpoint = await webhooks.endpoint(database, world, till.url)
    lost, good = [await webhooks.message(database, endpoint, key) for key in ("lost", "good")]
    till.status = 500
    running = await office.send(lost.id)
    await office.tried(lost.id, 1)
    await office.env.sleep(timedelta(days=1))
    till.answers.append(200)
    await (await office.send(good.id)).result()

    await running.result()

    assert (await webhooks.delivery(database, lost.id)).status is DS.EXHAUSTED
    assert (await webhooks.delivery(database, good.id)).status is DS.SUCCEEDED
    assert (await webhooks.standing(database, endpoint.id)).enabled
    assert await told(database, world.chef) == []


async def test_who_says_that_he_is_gone_is_asked_no_more(
    office: Office, database: Database, world: World, till: Partner
) -> None:
    endpoint = await webhooks.endpoint(database, world, till.url, of_market=True)
    sent, waits = [await webhooks.message(database, endpoint, key) for key in "ab"]
    till.status = 410

    await (await office.send(sent.id)).result()

    assert len(till.received) == 1
    assert (await webhooks.delivery(database, sent.id)).status is DS.FAILED
    cancelled = await webhooks.delivery(database, waits.id)
    assert cancelled.status is DS.CANCELLED
    assert cancelled.last_error == "the webhook was switched off: gone"
    off = await webhooks.standing(database, endpoint.id)
    assert (off.enabled, off.disabled_because) == (False, OffBecause.GONE)
    assert len(await told(database, world.admin)) == 1
    assert await told(database, world.chef) == []
    await (await office.send(waits.id)).result()
    assert len(till.received) == 1


async def test_who_asks_to_be_left_alone_for_a_while_is(
    office: Office, database: Database, world: World, till: Partner
) -> None:
    endpoint = await webhooks.endpoint(database, world, till.url)
    sent = await webhooks.message(database, endpoint)
    till.answers.append(429)
    till.headers = {"Retry-After": "7200"}
    running = await office.send(sent.id)
    row = await office.tried(sent.id, 1)
    tries = await webhooks.attempts(database, sent.id)
    assert row.next_attempt_at == tries[0].attempted_at + timedelta(hours=2)

    await running.result()

    first, second = await webhooks.attempts(database, sent.id)
    assert timedelta(hours=2) <= second.attempted_at - first.attempted_at < timedelta(hours=3)


@contextmanager
def forgetful(database: Database) -> Iterator[list[str]]:
    """A database that is away when the next try is to be written down."""
    failed: list[str] = []

    def away(*said: Any) -> None:
        if "INSERT INTO webhook_attempts" in said[2] and not failed:
            failed.append(said[2])
            raise ConnectionError("the worker has died")

    event.listen(database.engine.sync_engine, "before_cursor_execute", away)
    yield failed
    event.remove(database.engine.sync_engine, "before_cursor_execute", away)


async def test_who_dies_before_he_has_written_down_a_try_makes_it_again_by_the_same_id(
    office: Office, database: Database, world: World, till: Partner
) -> None:
    endpoint = await webhooks.endpoint(database, world, till.url)
    sent = await webhooks.message(database, endpoint)
    with forgetful(office.database) as failed:
        await (await office.send(sent.id)).result()

    assert failed
    assert [one.id for one in till.taken] == [str(sent.id)] * 2
    row = await webhooks.delivery(database, sent.id)
    assert (row.status, row.attempts) == (DS.SUCCEEDED, 1)


async def test_a_replay_wakes_who_sleeps_and_starts_who_has_ended_and_handing_over_twice_is_once(
    office: Office, database: Database, world: World, till: Partner
) -> None:
    endpoint = await webhooks.endpoint(database, world, till.url)
    sent = await webhooks.message(database, endpoint)
    till.answers.extend([500] * 5)
    running = await office.send(sent.id)
    await office.tried(sent.id, 1)
    await office.env.sleep(timedelta(hours=4))
    row = await office.tried(sent.id, 5)
    assert row.next_attempt_at is not None

    # It sleeps for five hours now; nobody puts the clock forward.
    await office.replay(sent.id)
    await office.tried(sent.id, 6)
    await running.result()
    assert (await webhooks.delivery(database, sent.id)).status is DS.SUCCEEDED

    await office.replay(sent.id)
    await till.has(7)
    await office.tried(sent.id, 7)
    again = office.env.client.get_workflow_handle(f"webhook-{sent.id}")
    await again.result()
    # The worker has died before it has written down that it was handed over.
    async with database.write() as session:
        found = await session.get(WebhookDelivery, sent.id)
        assert found is not None
        found.handed_over = False
    await office.hand_over()
    await (await office.send(sent.id)).result()

    assert len(till.received) == 7
    assert {one.id for one in till.received} == {str(sent.id)}


async def test_who_does_not_answer_holds_up_nobody_else(
    office: Office, database: Database, world: World, till: Partner
) -> None:
    slow = await webhooks.endpoint(database, world, till.url)
    waiting = [await webhooks.message(database, slow, str(number)) for number in range(6)]
    till.goes_on.clear()
    running = [await office.send(message.id) for message in waiting]
    await till.has(AT_ONCE - 1)
    with partner() as other:
        quick = await webhooks.endpoint(database, world, other.url)
        sent = await webhooks.message(database, quick)
        await office.send(sent.id)
        await other.has(1)
        await office.tried(sent.id, 1)
    assert len(till.received) == AT_ONCE - 1, "they hang, and the rest is not on its way"

    till.goes_on.set()
    for each in running:
        await each.result()

    assert sorted(one.id for one in till.received) == sorted(str(one.id) for one in waiting)
    assert {(await webhooks.delivery(database, one.id)).attempts for one in waiting} == {1}


async def test_what_was_taken_away_is_not_sent(
    office: Office, database: Database, world: World, till: Partner
) -> None:
    endpoint = await webhooks.endpoint(database, world, till.url)
    sent = await webhooks.message(database, endpoint)
    till.status = 500
    running = await office.send(sent.id)
    await office.tried(sent.id, 1)
    async with database.write() as session:
        await session.delete(await session.get(WebhookEndpoint, endpoint.id))

    await running.result()

    assert len(till.received) == 1
