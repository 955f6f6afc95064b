"""What is under way for a few minutes, in Redis: it is gone if nobody goes on with it."""

import json
from collections.abc import Mapping

from redis.asyncio import Redis


class Pending:
    """Small records by keys that nobody can guess. All of it raises RedisError."""

    def __init__(self, redis: Redis, prefix: str, seconds: int) -> None:
        self._redis = redis
        self._prefix = prefix
        self.seconds = seconds

    async def keep(self, key: str, record: Mapping[str, str]) -> None:
        """Keep a record from now on."""
        await self._redis.set(self._name(key), json.dumps(record), ex=self.seconds)

    async def look(self, key: str) -> dict[str, str] | None:
        """A record, if it is still there."""
        return _read(await self._redis.get(self._name(key)))

    async def take(self, key: str) -> dict[str, str] | None:
        """A record, for one caller alone, however many come at once."""
        return _read(await self._redis.getdel(self._name(key)))

    async def add(self, key: str, more: Mapping[str, str]) -> None:
        """Add to a record, which lasts no longer by it."""
        record = await self.look(key)
        if record is not None:
            changed = json.dumps({**record, **more})
            await self._redis.set(self._name(key), changed, keepttl=True, xx=True)

    def _name(self, key: str) -> str:
        return f"{self._prefix}:{key}"


def _read(written: str | bytes | None) -> dict[str, str] | None:
    if written is None:
        return None
    record: dict[str, str] = json.loads(written)
    return record
