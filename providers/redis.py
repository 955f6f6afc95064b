"""Redis, which is quick or away: nothing that matters is only there, so nobody waits for it."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

_PATIENCE_SECONDS = 0.5


def connect_redis(
    url: str, patience_seconds: float = _PATIENCE_SECONDS, *, tells_of_breaks: bool = False
) -> Redis:
    """A client whose calls raise RedisError within about twice its patience where Redis does not
    answer; with `tells_of_breaks`, where a connection was cut, too.
    """
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=patience_seconds,
        socket_connect_timeout=_PATIENCE_SECONDS,
        # Once more at once: a pooled connection may be one that a restart of Redis has cut.
        retry=Retry(NoBackoff(), 0 if tells_of_breaks else 1),
    )
