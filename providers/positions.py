"""Where the drivers are: the quick copy, in Redis."""

from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from redis.asyncio import Redis

from domain.geo import Point

_PLACES = "drivers:places"
_SEEN = "drivers:seen"
# Both or neither: a fresh moment must not be told of an old place.
_PUT = """
if redis.call('ZADD', KEYS[1], 'GT', 'CH', ARGV[2], ARGV[1]) == 0 then return 0 end
redis.call('GEOADD', KEYS[2], ARGV[3], ARGV[4], ARGV[1])
return 1
"""
# Stale positions are filtered after the search, so it must look further than the ten it is for.
_MOST_FOUND = 200


class Positions:
    """The latest position of each driver, with the moment it was taken."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._put = redis.register_script(_PUT)

    async def put(self, driver_id: UUID, point: Point, at: datetime) -> bool:
        """Remember a driver's position; False when a newer one is known. Raises RedisError."""
        is_newest = await self._put(
            keys=[_SEEN, _PLACES],
            args=[str(driver_id), at.timestamp(), point.longitude, point.latitude],
        )
        return bool(is_newest)

    async def near(
        self, point: Point, radius_km: float, *, now: datetime, max_age: timedelta
    ) -> dict[UUID, float]:
        """The drivers within `radius_km` that were seen within `max_age`, with their km.

        Raises RedisError.
        """
        reply = await self._redis.geosearch(
            _PLACES,
            longitude=point.longitude,
            latitude=point.latitude,
            radius=radius_km,
            unit="km",
            sort="ASC",
            count=_MOST_FOUND,
            withdist=True,
        )
        # The SDK's type covers every form of the reply; with distances it is this one.
        found = cast("list[tuple[str, float]]", reply)
        if not found:
            return {}
        seen = await self._redis.zmscore(_SEEN, [member for member, _ in found])
        oldest = (now - max_age).timestamp()
        return {
            UUID(member): km
            for (member, km), at in zip(found, seen, strict=True)
            if at is not None and at >= oldest
        }
