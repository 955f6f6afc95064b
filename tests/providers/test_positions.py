"""The quick copy of where drivers are: only what is newer counts, and it has its age."""

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.geo import Point, distance_km
from domain.tracking import Fix, Track
from local.ports import any_free
from providers.positions import Phone, Positions
from providers.redis import connect_redis
from tests.frozen import frozen_server

HERE = Point(30.2672, -97.7431)
AGE = timedelta(minutes=5)
METRE = 0.001


@pytest.fixture
def positions(redis: Redis) -> Positions:
    return Positions(redis)


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


def north(km: float) -> Point:
    return Point(HERE.latitude + km / 111.195, HERE.longitude)


async def test_who_is_around_is_told_with_place_and_moment_the_nearest_first(
    positions: Positions, now: datetime
) -> None:
    near, far, beyond, stale = (uuid4() for _ in range(4))
    await positions.put(far, north(1.9), now - timedelta(seconds=7))
    await positions.put(near, north(0.5), now)
    await positions.put(beyond, north(2.1), now)
    await positions.put(stale, HERE, now - AGE - timedelta(seconds=1))

    found = await positions.around(HERE, 2.0, now=now, max_age=AGE)

    assert list(found) == [near, far]
    assert found[far].at == now - timedelta(seconds=7)
    assert distance_km(found[far].point, north(1.9)) < METRE


async def test_nobody_is_around_where_nobody_is(positions: Positions, now: datetime) -> None:
    assert await positions.around(HERE, 5.0, now=now, max_age=AGE) == {}
    assert await positions.of(uuid4()) is None
    assert await positions.phone(uuid4()) is None


async def test_a_thousand_and_more_drivers_are_all_found(
    positions: Positions, now: datetime
) -> None:
    crowd = [uuid4() for _ in range(1100)]
    for number, driver in enumerate(crowd):
        await positions.put(driver, north(0.001 * number), now)
    assert list(await positions.around(HERE, 2.0, now=now, max_age=AGE)) == crowd


async def test_of_positions_written_at_once_the_newest_stays_whole(
    positions: Positions, now: datetime
) -> None:
    driver, user = uuid4(), uuid4()
    fixes = [Fix(north(number / 10), now + timedelta(seconds=number)) for number in range(50)]
    Random(7).shuffle(fixes)

    await asyncio.gather(
        *(positions.put(driver, f.point, f.at, remember=(user, Track(f))) for f in fixes)
    )

    newest = max(fixes, key=lambda one: one.at)
    found = await positions.of(driver)
    assert found is not None
    assert found.at == newest.at
    assert distance_km(found.point, newest.point) < METRE
    assert await positions.phone(user) == Phone(driver, Track(newest))


async def test_what_is_doubted_is_remembered_beside_a_position_that_stays(
    positions: Positions, now: datetime
) -> None:
    driver, user = uuid4(), uuid4()
    last = Fix(HERE, now, accuracy=8.0, speed=7.5, heading=90.0)
    doubted = (Fix(north(80), now + timedelta(seconds=5)),)

    await positions.put(driver, HERE, now, remember=(user, Track(last)))
    await positions.put(driver, HERE, now, remember=(user, Track(last, doubted)))

    assert await positions.phone(user) == Phone(driver, Track(last, doubted))


async def test_what_another_version_has_written_is_taken_for_nothing(
    positions: Positions, redis: Redis, now: datetime
) -> None:
    driver, user = uuid4(), uuid4()
    await positions.put(driver, HERE, now, remember=(user, Track(Fix(HERE, now))))
    (key,) = [key async for key in redis.scan_iter(f"*{user}*")]
    assert await redis.ttl(key) == pytest.approx(86_400, abs=60)

    await redis.set(key, '{"v": 2}')

    assert await positions.phone(user) is None


async def test_a_driver_who_is_forgotten_is_not_found(positions: Positions, now: datetime) -> None:
    driver = uuid4()
    await positions.put(driver, HERE, now)
    await positions.forget(driver)

    assert await positions.around(HERE, 5.0, now=now, max_age=AGE) == {}
    assert await positions.of(driver) is None


async def test_who_has_said_nothing_for_a_day_is_swept_away(
    positions: Positions, redis: Redis, now: datetime
) -> None:
    gone: list[UUID] = [uuid4() for _ in range(25)]
    for driver in gone:
        await positions.put(driver, HERE, now - timedelta(days=1, seconds=10))
    yesterday, today = uuid4(), uuid4()
    await positions.put(yesterday, HERE, now - timedelta(hours=23))

    for _ in range(3):
        await positions.put(today, HERE, now)

    members = {str(yesterday), str(today)}
    assert set(await redis.zrange("drivers:seen", 0, -1)) == members
    assert set(await redis.zrange("drivers:places", 0, -1)) == members


@pytest.mark.parametrize("frozen", [False, True], ids=["away", "frozen"])
async def test_a_redis_that_does_not_answer_is_said_so_soon(frozen: bool, now: datetime) -> None:
    async with frozen_server() as silent:
        redis = connect_redis(f"redis://127.0.0.1:{silent if frozen else any_free()}/0")
        positions, driver = Positions(redis), uuid4()
        async with asyncio.timeout(20):
            for asked in (
                positions.put(driver, HERE, now),
                positions.of(driver),
                positions.phone(driver),
                positions.around(HERE, 5.0, now=now, max_age=AGE),
            ):
                with pytest.raises(RedisError):
                    await asked
            # Whoever goes off duty does so all the same.
            await positions.forget(driver)
        await redis.aclose()
