"""No page of a kitchen that was read before a change is seen after it."""

import asyncio
import itertools
import random
import sys
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from providers.kitchen_pages import KitchenPages, Page
from providers.redis import connect_redis
from tests.valkeys import valkey


class Kitchen:
    """A kitchen whose page is a number that grows; what is committed is what others read."""

    def __init__(self) -> None:
        self.id = uuid4()
        self.committed = 0
        self.asked = 0

    async def ask(self) -> str:
        self.asked += 1
        return str(self.committed)


async def test_a_page_is_asked_for_once_while_nothing_changes(redis: Redis) -> None:
    pages, kitchen = KitchenPages(redis), Kitchen()

    seen = [await pages.read(kitchen.id, Page.CHEF, kitchen.ask) for _ in range(3)]

    assert (seen, kitchen.asked) == (["0"] * 3, 1)
    assert 295 <= await redis.ttl(f"kitchen:{{{kitchen.id}}}:chef") <= 300


async def test_who_is_not_there_is_asked_for_each_time(redis: Redis) -> None:
    pages, kitchen = KitchenPages(redis), Kitchen()

    async def nobody() -> None:
        kitchen.asked += 1

    seen = [await pages.read(kitchen.id, Page.MENU, nobody) for _ in range(2)]

    assert (seen, kitchen.asked) == ([None, None], 2)


# A reader looks (L), asks the database (A), keeps (K); a writer marks (M), commits (C), lifts (U).
ORDERS = [
    order
    for order in map("".join, itertools.permutations("LAKMCU"))
    if order.index("L") < order.index("A") < order.index("K")
    and order.index("M") < order.index("C") < order.index("U")
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dies", [False, True])
async def test_a_reader_and_a_writer_in_every_order(redis: Redis, order: str, dies: bool) -> None:
    pages, kitchen = KitchenPages(redis), Kitchen()
    may = {step: asyncio.Event() for step in order}
    done = {step: asyncio.Event() for step in order}

    async def turn(step: str) -> None:
        await may[step].wait()

    async def slow_ask() -> str:
        done["L"].set()
        await turn("A")
        answer = await kitchen.ask()
        done["A"].set()
        await turn("K")
        return answer

    async def reads() -> None:
        await turn("L")
        await pages.read(kitchen.id, Page.CHEF, slow_ask)
        # What is kept already is not asked for.
        for step in "LAK":
            done[step].set()

    async def writes() -> None:
        await turn("M")
        try:
            async with pages.changing(kitchen.id):
                done["M"].set()
                await turn("C")
                kitchen.committed += 1
                done["C"].set()
                await turn("U")
                if dies:
                    sys.exit()
        except SystemExit:
            pass
        done["U"].set()

    both = asyncio.gather(reads(), writes())
    for step in order:
        may[step].set()
        await asyncio.wait_for(done[step].wait(), timeout=10)
        if done["C"].is_set():
            assert await pages.read(kitchen.id, Page.CHEF, kitchen.ask) == "1"
    await both

    assert await pages.read(kitchen.id, Page.CHEF, kitchen.ask) == "1"


async def test_after_a_commit_nobody_reads_what_was_before_it(redis: Redis) -> None:
    pages, kitchen, dice = KitchenPages(redis), Kitchen(), random.Random(11)
    kept = 0

    async def pause() -> None:
        for _ in range(dice.randrange(8)):
            await asyncio.sleep(0)

    async def ask() -> str:
        await pause()
        answer = await kitchen.ask()
        await pause()
        return answer

    async def reads() -> None:
        nonlocal kept
        for _ in range(400):
            committed, asked = kitchen.committed, kitchen.asked
            seen = await pages.read(kitchen.id, dice.choice(list(Page)), ask)
            assert int(seen or -1) >= committed
            kept += kitchen.asked == asked
            await pause()

    async def writes() -> None:
        for _ in range(60):
            async with pages.changing(kitchen.id):
                await pause()
                kitchen.committed += 1
                await pause()
            for _ in range(10):
                await pause()

    await asyncio.gather(*(reads() for _ in range(6)), *(writes() for _ in range(2)))

    assert kitchen.committed == 120
    assert kept > 100


async def test_a_change_that_is_told_afterwards_throws_away_and_lets_keep_anew(
    redis: Redis,
) -> None:
    pages, kitchen = KitchenPages(redis), Kitchen()
    await pages.read(kitchen.id, Page.MENU, kitchen.ask)
    kitchen.committed = 1

    await pages.changed(kitchen.id)

    seen = [await pages.read(kitchen.id, Page.MENU, kitchen.ask) for _ in range(2)]
    assert (seen, kitchen.asked) == (["1", "1"], 2)


async def test_a_dead_writers_mark_ends_by_itself(redis: Redis) -> None:
    pages, kitchen = KitchenPages(redis), Kitchen()
    with pytest.raises(ConnectionError):
        async with pages.changing(kitchen.id):
            raise ConnectionError
    marks = f"kitchen:{{{kitchen.id}}}:marks"
    assert 0 < await redis.ttl(marks) <= 900
    await pages.read(kitchen.id, Page.CHEF, kitchen.ask)
    await pages.read(kitchen.id, Page.CHEF, kitchen.ask)
    assert kitchen.asked == 2

    [mark] = await redis.zrange(marks, 0, -1)
    # As if a quarter of an hour had passed.
    await redis.zadd(marks, {mark: 1})

    await pages.read(kitchen.id, Page.CHEF, kitchen.ask)
    await pages.read(kitchen.id, Page.CHEF, kitchen.ask)
    assert kitchen.asked == 3


async def test_without_redis_everybody_reads_the_database_and_writes_go_on() -> None:
    with valkey() as (process, port):
        redis = connect_redis(f"redis://127.0.0.1:{port}/0")
        pages, kitchen = KitchenPages(redis), Kitchen()
        await pages.read(kitchen.id, Page.CHEF, kitchen.ask)
        process.kill()
        process.wait()

        async with pages.changing(kitchen.id):
            kitchen.committed = 1
        await pages.changed(kitchen.id)

        assert await pages.read(kitchen.id, Page.CHEF, kitchen.ask) == "1"
        await redis.aclose()
