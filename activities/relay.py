"""Passing on what transactions have written down to be passed on: at once, and surely.

Whoever commits something says so (NOTIFY), and every worker looks; whoever misses that looks after
a while. What is passed on twice because its worker died in between is known by its key.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta

import structlog

from providers.live import Live
from schema.database import Database
from schema.queries import outbox

# Passes on a few of what waits; whether there may be more.
Drain = Callable[[], Awaitable[bool]]

# What a worker that is deaf, or one that died, leaves lying is found by then.
_LOOK_AGAIN = timedelta(seconds=5)
_AFTER_TROUBLE = timedelta(milliseconds=500)
_AT_ONCE = 200

_log = structlog.get_logger()


class Relay:
    """One for each worker process. A drain that cannot go on now does not hold up the others."""

    def __init__(self, database: Database, drains: Sequence[Drain]) -> None:
        self._database = database
        self._drains = drains

    async def run(self) -> None:
        """Pass on, until cancelled."""
        woken = [asyncio.Event() for _ in self._drains]

        def wake() -> None:
            for one in woken:
                one.set()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._database.listen(outbox.CHANNEL, wake))
            for drain, its_bell in zip(self._drains, woken, strict=True):
                tasks.create_task(_drained(drain, its_bell))


class LiveDrain:
    """Tells live events in the order in which they were written down."""

    def __init__(self, database: Database, live: Live) -> None:
        self._database = database
        self._live = live

    async def __call__(self) -> bool:
        """Tell some of them. Raises RedisError, after which they still wait."""
        async with self._database.write() as session:
            waiting = await outbox.waiting(session, _AT_ONCE)
            # What another version wrote, or a hand, must not hold up all that comes after it.
            unreadable = [str(one.id) for one in waiting if one.event is None]
            if unreadable:
                _log.error("live events that cannot be read are dropped", ids=unreadable)
            await self._live.tell_all([one.event for one in waiting if one.event])
            await outbox.drop(session, [one.id for one in waiting])
        return len(waiting) == _AT_ONCE


async def _drained(drain: Drain, woken: asyncio.Event) -> None:
    """Empty a drain whenever it is woken, until cancelled."""
    while True:
        woken.clear()
        patience = _LOOK_AGAIN if await _emptied(drain) else _AFTER_TROUBLE
        with suppress(TimeoutError):
            async with asyncio.timeout(patience.total_seconds()):
                await woken.wait()


async def _emptied(drain: Drain) -> bool:
    """Whether all could be passed on."""
    try:
        while await drain():
            pass
    except Exception as error:  # noqa: BLE001 - whatever is away, what waits still waits
        _log.warning("not passed on now", drain=type(drain).__name__, error=repr(error))
        return False
    return True
