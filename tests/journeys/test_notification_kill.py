"""kill -9 of a worker between passing a message on and writing down that it did."""

import multiprocessing
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
from sqlalchemy import text
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from domain.preferences import Channel
from local.people import until
from local.servers import program
from schema.database import Database
from settings import Settings
from tests.journeys.doomed_worker import work
from tests.workflows.room import know_search_attributes
from tests.workflows.sorting_office import Readers, books
from worker import working

# What nobody gets past who wants to write down that something was sent.
_GATE = 0x5E47
_HELD_UP = (
    f"""
    CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock({_GATE}); RETURN NEW; END $$
    """,
    """
    CREATE TRIGGER gate BEFORE UPDATE ON notification_deliveries FOR EACH ROW
    WHEN (NEW.status = 'sent') EXECUTE FUNCTION wait_at_the_gate()
    """,
)

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([work.__module__])


async def test_a_worker_that_dies_before_it_writes_down_what_it_has_sent_sends_nothing_twice(
    settings: Settings, tmp_path: Path
) -> None:
    async with _readers(settings) as (readers, own, env):
        chef = readers.world.chef
        await readers.wants(chef, Channel.EMAIL, Channel.SMS, Channel.PUSH)
        places = [chef.email, await readers.phone(chef), await readers.app(chef)]
        async with _gate_closed(readers.database):
            with _worker(env, own, tmp_path / "boundaries"):
                await readers.tell(chef)
                for place in places:
                    await until(lambda place=place: readers.got(place))
        assert {status for _, status in await readers.outcomes(chef)} == {"pending"}

        async with working(env.client, own):
            # As soon as the dead worker's heartbeat is missed.
            assert {status for _, status in await readers.settled(chef)} == {"sent"}

        arrived = [await readers.got(place) for place in places]
        assert [len(found) for found in arrived] == [1, 1, 1]
        # Twilio was asked, and knew it; mailbox and phone know the second copy by its key.
        assert [found[0]["copies"] for found in arrived] == [2, 1, 2]


@asynccontextmanager
async def _readers(
    settings: Settings,
) -> AsyncIterator[tuple[Readers, Settings, WorkflowEnvironment]]:
    """People to be told something, and nobody who works for them yet."""
    async with (
        books(settings) as (own, database, world),
        await WorkflowEnvironment.start_time_skipping(
            test_server_existing_path=program("temporal-test-server"),
            data_converter=pydantic_data_converter,
        ) as env,
        httpx.AsyncClient(base_url=own.twilio_base_url or "") as post,
    ):
        await know_search_attributes(env.client)
        yield Readers(database, world, post), own, env


@asynccontextmanager
async def _gate_closed(database: Database) -> AsyncIterator[None]:
    async with database.write() as session:
        for statement in _HELD_UP:
            await session.execute(text(statement))
    async with database.write() as session:
        await session.execute(text(f"SELECT pg_advisory_xact_lock({_GATE})"))
        yield


@contextmanager
def _worker(env: WorkflowEnvironment, own: Settings, log: Path) -> Iterator[None]:
    """A worker process, until it is killed."""
    environment = {
        "TEMPORAL_ADDRESS": env.client.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": env.client.namespace,
    }
    process = _forks.Process(target=work, args=(own, environment, log))
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()
