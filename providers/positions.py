"""Where the drivers are: the quick copy, in Redis."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple, cast
from uuid import UUID

import structlog
from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.geo import Point
from domain.tracking import Fix, Track

_PLACES = "drivers:places"
_SEEN = "drivers:seen"
_PHONE = "drivers:phone:"
# After so long, whoever has not said where he is could be anywhere.
_KEPT = timedelta(days=1)
# All or nothing: a fresh moment must not be told of an old place. The few that are swept away each
# time are more than come, so that the search does not wade through those who have left.
_PUT = """
local seen = redis.call('ZSCORE', KEYS[1], ARGV[1])
if seen and tonumber(seen) > tonumber(ARGV[2]) then return end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('GEOADD', KEYS[2], ARGV[3], ARGV[4], ARGV[1])
if KEYS[3] then redis.call('SET', KEYS[3], ARGV[6], 'EX', ARGV[5]) end
for _, gone in ipairs(redis.call(
    'ZRANGE', KEYS[1], '-inf', ARGV[2] - ARGV[5], 'BYSCORE', 'LIMIT', 0, 10)) do
  redis.call('ZREM', KEYS[1], gone)
  redis.call('ZREM', KEYS[2], gone)
end
"""

_log = structlog.get_logger()


class Phone(NamedTuple):
    """What is remembered of what a driver's phone says."""

    driver_id: UUID
    track: Track


_phone = TypeAdapter(Phone)


class Positions:
    """The latest position of each driver, with the moment it was taken."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._put = redis.register_script(_PUT)

    async def phone(self, user_id: UUID) -> Phone | None:
        """What is remembered of a user's phone; None where nothing is. Raises RedisError."""
        kept = await self._redis.get(f"{_PHONE}{user_id}")
        try:
            return None if kept is None else _phone.validate_json(kept)
        except ValidationError as error:
            # Another version wrote it; what it says next is taken as the first.
            _log.warning("a phone's track cannot be read", error=str(error))
            return None

    async def put(
        self,
        driver_id: UUID,
        point: Point,
        at: datetime,
        *,
        remember: tuple[UUID, Track] | None = None,
    ) -> None:
        """Remember a driver's position unless a newer one is known, and with it the track of his
        (the user's) phone, which ends there. Raises RedisError.
        """
        keys = [_SEEN, _PLACES]
        args: list[str | float] = [
            str(driver_id),
            at.timestamp(),
            point.longitude,
            point.latitude,
            int(_KEPT.total_seconds()),
        ]
        if remember is not None:
            user_id, track = remember
            keys.append(f"{_PHONE}{user_id}")
            args.append(_phone.dump_json(Phone(driver_id, track)).decode())
        await self._put(keys=keys, args=args)

    async def forget(self, driver_id: UUID) -> None:
        """Do not find a driver any more until he says where he is."""
        try:
            async with self._redis.pipeline() as pipe:
                pipe.zrem(_SEEN, str(driver_id))
                pipe.zrem(_PLACES, str(driver_id))
                await pipe.execute()
        except RedisError as error:
            _log.warning("a position was not forgotten", error=str(error))

    async def forget_all(self, driver_id: UUID | None, user_id: UUID) -> None:
        """Know nothing of a user's phone any more, and of the driver that he is.

        Raises RedisError.
        """
        async with self._redis.pipeline() as pipe:
            pipe.delete(f"{_PHONE}{user_id}")
            if driver_id is not None:
                pipe.zrem(_SEEN, str(driver_id))
                pipe.zrem(_PLACES, str(driver_id))
            await pipe.execute()

    async def of(self, driver_id: UUID) -> Fix | None:
        """Where a driver is, and since when; None where it is not known. Raises RedisError."""
        async with self._redis.pipeline() as pipe:
            pipe.zscore(_SEEN, str(driver_id))
            pipe.geopos(_PLACES, str(driver_id))
            seen, places = await pipe.execute()
        return None if seen is None else _fix(places[0], seen)

    async def around(
        self, point: Point, radius_km: float, *, now: datetime, max_age: timedelta
    ) -> dict[UUID, Fix]:
        """Where the drivers are that are within `radius_km` and were seen within `max_age`, the
        nearest first. Raises RedisError.
        """
        reply = await self._redis.geosearch(
            _PLACES,
            longitude=point.longitude,
            latitude=point.latitude,
            radius=radius_km,
            unit="km",
            sort="ASC",
            withcoord=True,
        )
        # The SDK's type covers every form of the reply; with coordinates it is this one.
        found = cast("list[tuple[str, tuple[float, float]]]", reply)
        if not found:
            return {}
        seen = await self._redis.zmscore(_SEEN, [member for member, _ in found])
        oldest = (now - max_age).timestamp()
        return {
            UUID(member): _fix(place, at)
            for (member, place), at in zip(found, seen, strict=True)
            if at is not None and at >= oldest
        }


def _fix(place: tuple[float, float], at: float) -> Fix:
    longitude, latitude = place
    return Fix(Point(latitude, longitude), datetime.fromtimestamp(at, UTC))
