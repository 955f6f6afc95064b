"""How often somebody has tried something that must not be tried too often, counted in Redis.

The first tries are free; each one more makes the next wait twice as long. What is counted goes by
names that tell Redis nothing: a digest of the address or account.
"""

import hashlib
from typing import cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.attempts import Patience
from providers.quiet import Pause

# All at once, so that a hundred tries at the same moment do not all find the door open: a try
# counts before it is known how it ends.
_TRY = """
local moment = redis.call('TIME')
local now = moment[1] + moment[2] / 1000000
local count, shut = unpack(redis.call('HMGET', KEYS[1], 'count', 'shut'))
if shut and tonumber(shut) > now then return tostring(shut - now) end
count = (tonumber(count) or 0) + 1
local free, first, most, memory = unpack(ARGV)
local over = count - free
if over >= 0 then
  shut = now + math.min(first * 2 ^ math.min(over, 30), most)
  redis.call('HSET', KEYS[1], 'shut', shut)
end
redis.call('HSET', KEYS[1], 'count', count)
redis.call('EXPIRE', KEYS[1], memory)
return '0'
"""
# Never more than what has been counted: a success does not pay for the wrong tries before it.
_TAKE_BACK = """
if (tonumber(redis.call('HGET', KEYS[1], 'count')) or 0) > 0 then
  redis.call('HINCRBY', KEYS[1], 'count', -1)
end
"""


class TooMany(Exception):
    """Not now: again after `wait_seconds`."""

    def __init__(self, wait_seconds: float) -> None:
        super().__init__(f"not for another {wait_seconds:.0f} s")
        self.wait_seconds = wait_seconds


class Attempts:
    """Where Redis is away nothing is counted and everybody may try, and the log says so."""

    def __init__(self, redis: Redis, patience: Patience) -> None:
        self._redis = redis
        self._patience = patience
        self._try = redis.register_script(_TRY)
        self._take_back = redis.register_script(_TAKE_BACK)
        self._pause = Pause("the count of attempts")

    async def count(self, what: str, *, account: str | None, client: str) -> None:
        """Count a try of `what` at an account, if it is about one, from a client's address.

        Raises TooMany, and then the account has not been tried.
        """
        held = self._patience
        await self._count(_key(what, "client", client), held.free_to_client)
        if account is not None:
            await self._count(_key(what, "account", account), held.free)

    async def forgive(self, what: str, *, account: str, client: str) -> None:
        """It went well: what was tried at this account before, and this try of the client's, do not
        count.
        """
        try:
            await self._redis.delete(_key(what, "account", account))
            await self._take_back(keys=[_key(what, "client", client)])
        except RedisError as error:
            self._pause.begin(error)

    async def _count(self, key: str, free: int) -> None:
        if self._pause.lasts:
            return
        held = self._patience
        seconds = [held.first_wait, held.longest_wait, held.memory]
        arguments = [free, *(int(wait.total_seconds()) for wait in seconds)]
        try:
            wait = float(cast("str", await self._try(keys=[key], args=arguments)))
        except RedisError as error:
            self._pause.begin(error)
            return
        if wait > 0:
            raise TooMany(wait)


def _key(what: str, whose: str, name: str) -> str:
    digest = hashlib.sha256(name.lower().encode()).hexdigest()
    return f"attempts:{what}:{whose}:{digest}"
