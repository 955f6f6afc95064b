"""Redis, which is quick or away: nothing that matters is only there, so nobody waits for it."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

_PATIENCE_SECONDS = 0.5


def connect_redis(url: str) -> Redis:
    """A client whose calls raise RedisError within about a second where Redis does not answer."""
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=_PATIENCE_SECONDS,
        socket_connect_timeout=_PATIENCE_SECONDS,
        # Once more at once: a pooled connection may be one that a restart of Redis has cut.
        retry=Retry(NoBackoff(), 1),
    )
