"""The bench of the search asks every kind of question of a small load."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping

import pytest

from bench import kitchens
from bench.search import Asker, Meter
from schema.database import Database
from settings import Settings
from tests.databases import new_database


@pytest.fixture
async def loaded(environment: Mapping[str, str]) -> AsyncIterator[tuple[Database, Asker]]:
    url = await new_database(environment["DATABASE_URL"], "ridendine_kitchens")
    dice = random.Random(1)
    sayings = await kitchens.load(url, 60, dice, lambda _: None)
    database = Database(url, pool_size=2)
    await kitchens.index(database)
    yield database, Asker(dice, sayings)
    await database.close()


async def test_every_kind_of_question_is_timed_and_so_is_the_plain_one(
    loaded: tuple[Database, Asker], settings: Settings
) -> None:
    database, asker = loaded
    meter = Meter(database, settings)
    async with asyncio.timeout(60):
        for question in asker.kinds().values():
            spent, through = await meter.ask(question)
            assert 0 < spent < 1000
            assert through
            assert await meter.ask_plainly(question) > 0
