"""Where the drivers are: the quick copy, in Redis."""

from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from redis.asyncio import Redis

from domain.geo import Point

_PLACES = "drivers:places"
_SEEN = "drivers:seen"
# Stale positions are filtered after the search, so it must look further than the ten it is for.
_MOST_FOUND = 200


class Positions:
    """The latest position of each driver, with the moment it was taken."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put(self, driver_id: UUID, point: Point, at: datetime) -> bool:
        """Remember a driver's position; False when a newer one is known. Raises RedisError."""
        newest = await self._redis.zadd(_SEEN, {str(driver_id): at.timestamp()}, gt=True, ch=True)
        if not newest:
            return False
        await self._redis.geoadd(_PLACES, (point.longitude, point.latitude, str(driver_id)))
        return True

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
