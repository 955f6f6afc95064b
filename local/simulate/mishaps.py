"""Servers that are killed in the middle of an evening, and how long it takes until all is back."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from local.city import CENTRE
from local.simulate.clock import CityClock
from local.simulate.scenario import MINUTE, Kill
from local.stack import Stack
from providers.positions import Positions

_CITY_KM = 50.0
# Drivers tell where they are every minute at least; a slow machine has these seconds of ours.
_ALL_SEEN_WITHIN = 5 * MINUTE
_AT_LEAST = 30.0


class Reaper:
    """Kills (kill -9) and starts again. `telling` says how many drivers tell where they are."""

    def __init__(self, stack: Stack, clock: CityClock, telling: Callable[[], int]) -> None:
        self._stack = stack
        self._clock = clock
        self._telling = telling

    async def strike(self, kill: Kill) -> dict[str, Any]:
        """Kill when it is time; answers with what came of it, durations in seconds of ours.

        `positionsBackAfter` is how long it took until every driver's position was known again from
        what drivers told since; nothing when they were not.
        """
        await self._clock.until(kill.minute * MINUTE)
        killed_at, began = datetime.now(UTC), time.monotonic()
        await asyncio.to_thread(self._stack.kill, kill.name)
        await asyncio.to_thread(self._stack.start, kill.name)
        back = time.monotonic() - began
        struck: dict[str, Any] = {
            "server": kill.name,
            "minute": kill.minute,
            "backAfter": round(back, 2),
        }
        if kill.name == "valkey":
            seen = await self._all_are_seen(killed_at)
            struck["positionsBackAfter"] = None if seen is None else round(seen, 2)
        return struck

    async def _all_are_seen(self, since: datetime) -> float | None:
        redis: Redis = Redis.from_url(self._stack.environment()["REDIS_URL"], decode_responses=True)
        positions = Positions(redis)
        gives_up = self._clock.now + max(_ALL_SEEN_WITHIN, _AT_LEAST * self._clock.speed)
        try:
            while self._clock.now < gives_up:
                now = datetime.now(UTC)
                try:
                    near = await positions.around(CENTRE, _CITY_KM, now=now, max_age=now - since)
                except RedisError:
                    near = {}
                if len(near) >= self._telling():
                    return (datetime.now(UTC) - since).total_seconds()
                await asyncio.sleep(0.2)
            return None
        finally:
            await redis.aclose()
