"""What is learned from, and what is measured, is what the steps of orders say."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from uuid_utils.compat import uuid7

from domain import prep_time
from domain.eta import City
from domain.eta_quality import Foretold
from domain.order_status import OrderStatus
from domain.prep_time import WINDOW, Cooked, Since
from local import world as worlds
from local.world import World
from schema.database import Database
from schema.queries import eta_quality, prep_times
from schema.queries.earnings import Between
from tests.stories import MINUTE, NOON, Story

S = OrderStatus
CITY = City()


@pytest.fixture
async def world(database: Database) -> World:
    return await worlds.settle(database, drivers=1)


async def cooked(database: Database, world: World, city: City = CITY) -> list[Cooked]:
    async with database.read() as session:
        return await prep_times.cooked(session, world.chef.id, city)


async def test_what_an_order_took_is_read_from_its_steps(database: Database, world: World) -> None:
    story = await Story(database, world).begin(0)
    await story.cook(3, 10, 38, said_minutes=25, kitchen_load=2)

    assert await cooked(database, world) == [
        Cooked(20, 3.0, Since(35.0, 25, 2), Since(28.0, None, None))
    ]
    (fast,) = await cooked(database, world, City(pace=20))
    assert (fast.answering, fast.accepted.minutes) == (60.0, 700.0)


async def test_an_order_that_its_driver_gave_back_was_ready_when_it_was_ready(
    database: Database, world: World
) -> None:
    story = await Story(database, world).begin(0)
    await story.cook(3, 10, 38)
    await story.step(S.ASSIGNED_TO_DRIVER, 40, driver_id=world.drivers[0].id)
    await story.step(S.READY_FOR_PICKUP, 90)

    (only,) = await cooked(database, world)
    assert only.accepted.minutes == 35.0


async def test_what_was_not_cooked_or_is_another_chefs_or_scheduled_says_nothing(
    database: Database, world: World
) -> None:
    await (await Story(database, world).begin(0)).step(S.PAYMENT_CONFIRMED, 1)
    stranger = await Story(database, await worlds.settle(database)).begin(0)
    await stranger.cook(1, 2, 30)
    asked = await Story(database, world).begin(0, scheduled_for=NOON + timedelta(days=1))
    await asked.cook(1, 1400, 1430)

    assert await cooked(database, world) == []


async def test_only_the_latest_orders_count_the_oldest_first(
    database: Database, world: World
) -> None:
    for number in range(WINDOW + 2):
        story = await Story(database, world).begin(number * 100)
        await story.cook(number * 100, number * 100, number * 100 + number + 1)

    found = await cooked(database, world)
    assert [order.accepted.minutes for order in found] == list(range(3, WINDOW + 3))
    assert prep_time.from_acceptance(found, 20, 0).minutes > 20


async def test_the_load_is_the_other_orders_in_the_kitchen(
    database: Database, world: World
) -> None:
    stories = [await Story(database, world).begin(number) for number in range(4)]
    for story in stories:
        await story.step(S.PAYMENT_CONFIRMED, 5)
    await stories[0].step(S.ACCEPTED, 6, said_minutes=12)
    await stories[1].step(S.ACCEPTED, 6)
    await stories[1].step(S.PREPARING, 7)
    await stories[2].step(S.ACCEPTED, 6)
    await stories[2].step(S.PREPARING, 6)
    await stories[2].step(S.READY_FOR_PICKUP, 9)

    async with database.read() as session:
        assert await prep_times.load(session, world.chef.id) == 2
        seen = [await prep_times.at_hand(session, story.id) for story in stories]
        assert await prep_times.at_hand(session, uuid7()) is None
    assert [(order.load, order.said) for order in seen if order] == [
        (1, True),
        (1, False),
        (2, False),
        (2, False),
    ]


async def test_the_latest_orders_are_found_by_an_index(database: Database, world: World) -> None:
    async with database.write() as session:
        # A table that is all but empty would be read from end to end, or sorted, otherwise.
        for other_way in ("seqscan", "bitmapscan", "sort"):
            await session.execute(text(f"SET LOCAL enable_{other_way} = off"))
        plan = await session.execute(
            text(
                "EXPLAIN SELECT id FROM orders WHERE chef_id = :chef AND prepared_at IS NOT NULL"
                " AND scheduled_for IS NULL ORDER BY prepared_at DESC LIMIT 60"
            ),
            {"chef": world.chef.id},
        )
        told = "\n".join(row[0] for row in plan)
    assert "Index Scan Backward using idx_orders_chef_cooked" in told
    assert "Sort" not in told


async def test_what_was_foretold_at_each_step_is_held_against_what_came(
    database: Database, world: World
) -> None:
    story = await Story(database, world).begin(0, estimated_delivery_at=NOON + 30 * MINUTE)
    await story.step(S.PAYMENT_CONFIRMED, 1)
    await story.step(S.ACCEPTED, 2, estimated_delivery_at=NOON + 35 * MINUTE)
    await story.step(S.PREPARING, 3)
    await story.step(S.READY_FOR_PICKUP, 20)
    await story.step(S.ASSIGNED_TO_DRIVER, 21, driver_id=world.drivers[0].id)
    await story.step(S.PICKED_UP, 25, estimated_delivery_at=NOON + 38 * MINUTE)
    await story.step(S.IN_TRANSIT, 26)
    await story.step(S.DELIVERED, 40)
    await Story(database, world).begin(0)

    async def late(period: Between, market: str | None = None) -> dict[Foretold, float]:
        async with database.read() as session:
            found = await eta_quality.delivered(session, period, market)
        came = NOON + 40 * MINUTE
        return {row.step: (row.came - row.foretold) / MINUTE for row in found if row.came == came}

    assert await late(Between()) == {
        Foretold.PLACED: 10,
        Foretold.ACCEPTED: 5,
        Foretold.PICKED_UP: 2,
    }
    assert await late(Between(NOON, NOON + MINUTE), "austin") == await late(Between())
    assert await late(Between(NOON + MINUTE)) == {}
    assert await late(Between(), "elsewhere") == {}
