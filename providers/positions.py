"""Where the drivers are: the quick copy, in Redis."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, cast
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.geo import Point

_PLACES = "drivers:places"
_SEEN = "drivers:seen"
# Both or neither: a fresh moment must not be told of an old place.
_PUT = """
if redis.call('ZADD', KEYS[1], 'GT', 'CH', ARGV[2], ARGV[1]) == 1 then
  redis.call('GEOADD', KEYS[2], ARGV[3], ARGV[4], ARGV[1])
end
"""
# Stale positions are filtered after the search, so that not all of these may count.
_MOST_FOUND = 3000


_log = structlog.get_logger()


@contextmanager
def _unless_away() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        _log.warning("position not remembered in Redis", error=str(error))


class Seen(NamedTuple):
    """Where a driver was, and when."""

    point: Point
    at: datetime


class Positions:
    """The latest position of each driver, with the moment it was taken."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._put = redis.register_script(_PUT)

    async def put(self, driver_id: UUID, point: Point, at: datetime) -> None:
        """Remember a driver's position unless a newer one is known.

        Where Redis is away it is not remembered here: the database has it too.
        """
        with _unless_away():
            await self._put(
                keys=[_SEEN, _PLACES],
                args=[str(driver_id), at.timestamp(), point.longitude, point.latitude],
            )

    async def forget(self, driver_id: UUID) -> None:
        """Do not find a driver any more until he says where he is."""
        with _unless_away():
            async with self._redis.pipeline() as pipe:
                pipe.zrem(_SEEN, str(driver_id))
                pipe.zrem(_PLACES, str(driver_id))
                await pipe.execute()

    async def around(
        self, centre: Point, radius_km: float, *, now: datetime, max_age: timedelta
    ) -> dict[UUID, Seen]:
        """The drivers within `radius_km` that were seen within `max_age`, and where.

        Raises RedisError.
        """
        reply = await self._redis.geosearch(
            _PLACES,
            longitude=centre.longitude,
            latitude=centre.latitude,
            radius=radius_km,
            unit="km",
            sort="ASC",
            count=_MOST_FOUND,
            withcoord=True,
        )
        # The SDK's type covers every form of the reply; with coordinates it is this one.
        found = cast("list[tuple[str, tuple[float, float]]]", reply)
        if not found:
            return {}
        seen = await self._redis.zmscore(_SEEN, [member for member, _ in found])
        oldest = (now - max_age).timestamp()
        return {
            UUID(member): Seen(Point(latitude, longitude), datetime.fromtimestamp(at, UTC))
            for (member, (longitude, latitude)), at in zip(found, seen, strict=True)
            if at is not None and at >= oldest
        }
