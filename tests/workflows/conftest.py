"""Engine rooms for the workflow tests."""

from collections.abc import AsyncIterator

import pytest

from local import world as worlds
from schema.database import Database
from settings import Settings
from tests.workflows.room import REPLAYED, Room, engine_room


@pytest.fixture(params=[1000, 0], ids=["cached", "uncached"])
async def room(
    request: pytest.FixtureRequest, settings: Settings, database: Database
) -> AsyncIterator[Room]:
    """A room with two drivers near the kitchen, once as usual and once without a workflow cache:
    then every task replays the whole history, and what is not deterministic shows.

    REPLAYED shows it by replaying the histories afterwards, for tests in which workflows start each
    other: without a cache the SDK takes their tasks at once, and one waits until it times out.
    """
    world = await worlds.settle(database, drivers=2)
    replayed = request.param == REPLAYED
    cached = 1000 if replayed else request.param
    async with engine_room(settings, database, world, cached_workflows=cached) as equipped:
        yield equipped
        if replayed:
            await equipped.replay()
