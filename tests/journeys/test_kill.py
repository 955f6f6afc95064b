"""kill -9 of every server in the middle of a batch of orders: each still comes to its end."""

import asyncio
from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.journeys.batch import Batch

ORDERS = 50
# After how many of the batch's steps (365 in all) who dies. Everybody twice: the second time,
# orders are on the road and refunds under way.
KILLS = [
    (40, "worker"),
    (80, "api"),
    (120, "temporal"),
    (160, "postgres"),
    (200, "temporal"),
    (240, "worker"),
    (280, "postgres"),
    (320, "api"),
]


@pytest.fixture
def doomed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own, whose servers may die."""
    stack = Stack.apart(tmp_path_factory.mktemp("doomed"))
    stack.up()
    yield stack
    stack.reset()


@pytest.mark.timeout(600)
async def test_every_order_ends_well_whatever_dies(doomed: Stack) -> None:
    batch = Batch(doomed.environment(), size=ORDERS)

    async def reaper() -> None:
        for steps, name in KILLS:
            await batch.reaches(steps)
            await asyncio.to_thread(doomed.kill, name)
            await asyncio.to_thread(doomed.start, name)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(reaper())
        tasks.create_task(batch.live())
