"""What customers read of a kitchen again and again, kept in Redis: its page and its menu.

A page that was read before a change must not be kept after it. Whoever changes a kitchen says so
before he commits: what is kept is thrown away, and until he says that he is through, nothing is
kept anew. Whoever has read meanwhile, or has begun to before, finds that the kitchen's generation
is another and keeps nothing. A writer who dies leaves his mark, which ends by itself: until then
everybody reads the database. Without Redis, too.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from enum import Enum
from typing import cast
from uuid import UUID, uuid4

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

# Longer than any commit takes, and than anything is kept.
_MARK = timedelta(minutes=15)
# Longer than any question takes.
_GENERATION = timedelta(days=1)

# KEYS: value, generation, marks. What is kept; else whose generation it is, unless it is marked.
_LOOK = """
local kept = redis.call('GET', KEYS[1])
if kept then return {1, kept} end
if redis.call('ZCOUNT', KEYS[3], redis.call('TIME')[1], '+inf') > 0 then return {0, ''} end
return {0, redis.call('GET', KEYS[2]) or '0'}
"""
# ARGV: value, seconds, the generation of before.
_KEEP = """
if redis.call('ZCOUNT', KEYS[3], redis.call('TIME')[1], '+inf') > 0 then return 0 end
if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""
# KEYS: generation, marks, values. ARGV: the mark, its seconds, those of the generation.
_MARKED = """
redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
if ARGV[1] ~= '' then
  redis.call('ZADD', KEYS[2], redis.call('TIME')[1] + ARGV[2], ARGV[1])
  redis.call('EXPIRE', KEYS[2], ARGV[2])
end
redis.call('DEL', unpack(KEYS, 3))
"""

_log = structlog.get_logger()


class Page(Enum):
    """What is kept, and for how long (seed 004: a chef 5 minutes, a menu 10)."""

    CHEF = "chef", timedelta(minutes=5)
    MENU = "menu", timedelta(minutes=10)

    def __init__(self, label: str, keep: timedelta) -> None:
        self.label = label
        self.keep = keep


class KitchenPages:
    """The pages of kitchens, as texts."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._look = redis.register_script(_LOOK)
        self._keep = redis.register_script(_KEEP)
        self._marked = redis.register_script(_MARKED)

    async def read(
        self, chef_id: UUID, page: Page, ask: Callable[[], Awaitable[str | None]]
    ) -> str | None:
        """The page as it is kept, or as `ask` reads it from the database; None is not kept."""
        try:
            is_kept, found = cast(
                "tuple[int, str]", await self._look(keys=_keys(chef_id, page), args=[])
            )
        except RedisError as error:
            _log.warning("no page of a kitchen is kept", error=str(error))
            return await ask()
        if is_kept:
            return found
        asked = await ask()
        if asked is not None and found:
            await self._remember(chef_id, page, asked, generation=found)
        return asked

    @asynccontextmanager
    async def changing(self, chef_id: UUID) -> AsyncIterator[None]:
        """Around the commit of whatever changes a kitchen's pages.

        If it fails, or nobody knows whether it has, nothing is kept until the mark ends by itself:
        the change may yet come true.
        """
        mark = uuid4().hex
        await self._throw_away(chef_id, mark)
        yield
        try:
            await self._redis.zrem(_marks(chef_id), mark)
        except RedisError as error:
            _log.warning("a kitchen's pages are not kept for a while", error=str(error))

    async def changed(self, chef_id: UUID) -> None:
        """A change of a kitchen's pages was committed just now.

        For activities: who dies before this is tried again. Until then the page of before may be
        seen; use `changing` where that must not be.
        """
        await self._throw_away(chef_id, "")

    async def _remember(self, chef_id: UUID, page: Page, value: str, *, generation: str) -> None:
        seconds = int(page.keep.total_seconds())
        try:
            await self._keep(keys=_keys(chef_id, page), args=[value, seconds, generation])
        except RedisError as error:
            _log.warning("a page of a kitchen was not kept", error=str(error))

    async def _throw_away(self, chef_id: UUID, mark: str) -> None:
        keys = [_generation(chef_id), _marks(chef_id), *(_value(chef_id, page) for page in Page)]
        seconds = [int(span.total_seconds()) for span in (_MARK, _GENERATION)]
        try:
            await self._marked(keys=keys, args=[mark, *seconds])
        except RedisError as error:
            _log.warning("a kitchen's pages may be old for minutes", error=str(error))


def _keys(chef_id: UUID, page: Page) -> list[str]:
    return [_value(chef_id, page), _generation(chef_id), _marks(chef_id)]


# The braces keep a kitchen's keys together on one server of a cluster.
def _value(chef_id: UUID, page: Page) -> str:
    return f"kitchen:{{{chef_id}}}:{page.label}"


def _generation(chef_id: UUID) -> str:
    return f"kitchen:{{{chef_id}}}:generation"


def _marks(chef_id: UUID) -> str:
    return f"kitchen:{{{chef_id}}}:marks"
