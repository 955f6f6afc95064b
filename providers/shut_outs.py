"""Whose access tokens are not good any more although they have not expired: in Redis, for as long
as such a token could live.
"""

import math
from datetime import UTC, datetime, timedelta
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from providers.live import Live
from providers.quiet import Pause

_KEY = "shut-out:"


class ShutOuts:
    """Where Redis is away nobody is shut out: tokens are good until they expire, and the log says
    so.
    """

    def __init__(self, redis: Redis, lasting: timedelta, live: Live) -> None:
        self._redis = redis
        self._live = live
        self._lasting = lasting
        self._pause = Pause("the memory of who is shut out")

    async def shut_out(self, user_id: UUID) -> None:
        """From now on no token is good that a user was given before, and whoever listens with one
        is hung up on.
        """
        since = math.floor(datetime.now(UTC).timestamp()) + 1
        try:
            await self._redis.set(f"{_KEY}{user_id}", since, ex=self._lasting)
            await self._live.end_sessions(user_id, datetime.fromtimestamp(since, UTC))
        except RedisError as error:
            self._pause.begin(error)

    async def good_from(self, user_id: UUID) -> datetime | None:
        """From which second on a user's tokens are good again, None if all are."""
        if self._pause.lasts:
            return None
        try:
            since = await self._redis.get(f"{_KEY}{user_id}")
        except RedisError as error:
            self._pause.begin(error)
            return None
        return None if since is None else datetime.fromtimestamp(int(since), UTC)

    async def is_out(self, user_id: UUID, issued_at: datetime) -> bool:
        """Whether a token that was given to a user at that second is good no more."""
        since = await self.good_from(user_id)
        return since is not None and issued_at < since
