"""When a zone looks again, and what it leaves for those who ask whether it looks at all."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from uuid import UUID

import pytest
from redis.asyncio import Redis
from sqlalchemy import select
from sqlmodel import col
from temporalio.client import Client

from domain.dispatch.plan import Plan, Scene
from domain.dispatch.policy import Matching, Weights
from local import world as worlds
from schema.database import Database
from schema.queries import searches
from schema.tables import DispatchSearch
from settings import Settings
from tests.activities.dispatch_house import RULES, House, house

THOUGHT = timedelta(seconds=0.3)
TICK = timedelta(seconds=0.1)


def slow(scene: Scene) -> Plan:
    """A policy that thinks for long."""
    sleep(THOUGHT.total_seconds())
    return Matching(Weights(commit_ahead=75.0))(scene)


@pytest.fixture
async def here(
    environment: Mapping[str, str], database: Database, redis: Redis, settings: Settings
) -> AsyncIterator[House]:
    client = await Client.connect(environment["TEMPORAL_ADDRESS"])
    world = await worlds.settle(database, drivers=2)
    rules = replace(RULES, tick=TICK)
    async with house(database, world, redis, slow, client, settings, rules) as opened:
        yield opened


async def test_a_driver_has_his_whole_time_however_long_the_look_took(here: House) -> None:
    order = await here.order()
    before = datetime.now(UTC)

    await here.look(order)

    (row,) = await here.rows(order)
    assert row.offered_at >= before + THOUGHT
    assert row.expires_at == row.offered_at + RULES.offer


async def test_after_a_long_look_a_zone_rests_for_no_more_than_a_tick(here: House) -> None:
    order = await here.order()
    at, began = datetime.now(UTC), monotonic()

    looked = await here.look(order)

    took = timedelta(seconds=monotonic() - began)
    assert at + THOUGHT + TICK <= looked.rests_until <= at + took + TICK


async def test_while_somebody_is_asked_a_zone_looks_at_every_tick(here: House) -> None:
    order = await here.order()

    made = await here.look(order)
    waits = await here.look(order)

    for looked in (made, waits):
        assert looked.standing.offered == 1
        assert looked.again_at is not None
        assert looked.again_at <= datetime.now(UTC) + TICK


async def test_it_is_known_when_a_zone_has_looked_at_an_order(here: House) -> None:
    order = await here.order()
    assert await looked_at(here, order.id) is None
    began = datetime.now(UTC)

    # Now it waits, then somebody is asked.
    for _ in range(2):
        await here.look(order)
        seen = await looked_at(here, order.id)
        assert seen is not None
        assert seen > began
        began = seen


async def test_a_search_that_is_just_being_changed_does_not_hold_up_a_look(here: House) -> None:
    order, other = await here.order(), await here.order()
    async with here.database.write() as session:
        await session.execute(
            select(DispatchSearch).where(col(DispatchSearch.order_id) == order.id).with_for_update()
        )

        async with asyncio.timeout(10):
            await here.look(order, other)

        assert await looked_at(here, order.id) is None
        assert await looked_at(here, other.id) is not None
    await here.look(order, other)
    assert await looked_at(here, order.id) is not None


async def looked_at(here: House, order_id: UUID) -> datetime | None:
    async with here.database.read() as session:
        return await searches.looked_at(session, order_id)
