"""Travel times: the map's where it was asked, estimated where it was not, and never waited for."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest
from redis.asyncio import Redis

from domain import geo
from domain.eta import City
from domain.geo import Point
from local.ports import any_free
from providers.maps import GoogleMatrix, TravelTimes
from providers.maps.matrix import MOST_ORIGINS, MatrixError
from providers.maps.travel import Degrees
from providers.redis import connect_redis
from tests.frozen import frozen_server
from tests.local.maps.maps_serving import GOOGLE_KEY, MATRIX, maps_stand_in

KITCHEN, DOOR = Point(30.2672, -97.7431), Point(30.2850, -97.7350)
AT_SEA = Point(25.0, -60.0)
SLOW = City(kmh=15)
"""Half as fast as the stand-in's map says that drivers are, so that the two can be told apart."""
A_WEEK = timedelta(days=7)
TUESDAY_NOON = datetime(2026, 1, 27, 12, tzinfo=UTC)

MakeTravel = Callable[..., TravelTimes]


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with maps_stand_in() as url:
        yield url


@pytest.fixture
async def stand_in(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The stand-in's control panel, without faults or calls."""
    async with httpx.AsyncClient(base_url=base_url) as client:
        await client.delete("/_control/calls")
        yield client
        await client.delete("/_control/faults")


@pytest.fixture
async def make_travel(base_url: str, redis: Redis) -> AsyncIterator[MakeTravel]:
    made: list[TravelTimes] = []

    def make(**changes: object) -> TravelTimes:
        given = {
            "redis": redis,
            "matrix": GoogleMatrix(api_key=GOOGLE_KEY, base_url=base_url, timeout_seconds=10),
            "city": SLOW,
            "keep_for": A_WEEK,
            "clock": lambda: TUESDAY_NOON,
        }
        made.append(TravelTimes(**{**given, **changes}))
        return made[-1]

    yield make
    for travel in made:
        await travel.aclose()


@pytest.fixture
def travel(make_travel: MakeTravel) -> TravelTimes:
    return make_travel()


def array(*points: Point) -> Degrees:
    return np.array([(point.latitude, point.longitude) for point in points])


def around(count: int) -> list[Point]:
    """So many places in the city, each in a cell of its own."""
    return [Point(KITCHEN.latitude + 0.006 * (n + 1) / 2, KITCHEN.longitude) for n in range(count)]


def by_the_map(start: Point, end: Point) -> float:
    return geo.road_km(start, end) / 30 * 3600


def estimated(start: Point, end: Point) -> float:
    return geo.road_km(start, end) / SLOW.kmh * 3600


async def calls(stand_in: httpx.AsyncClient) -> int:
    return int((await stand_in.get("/_control/calls")).json().get(MATRIX, 0))


async def order_fault(stand_in: httpx.AsyncClient, **fault: object) -> None:
    answer = await stand_in.post("/_control/faults", json=fault)
    assert answer.status_code == 201


async def test_a_drive_is_as_long_as_the_map_says(
    stand_in: httpx.AsyncClient, travel: TravelTimes
) -> None:
    drive = await travel.drive(KITCHEN, DOOR)

    assert drive.total_seconds() == pytest.approx(by_the_map(KITCHEN, DOOR), rel=0.01)
    assert await calls(stand_in) == 1


async def test_a_drive_is_asked_for_once_by_all_processes(
    stand_in: httpx.AsyncClient, make_travel: MakeTravel
) -> None:
    for travel in (make_travel(), make_travel()):
        for _ in range(2):
            drive = await travel.drive(KITCHEN, DOOR)
            assert drive.total_seconds() == pytest.approx(by_the_map(KITCHEN, DOOR), rel=0.01)

    assert await calls(stand_in) == 1


async def test_the_house_next_door_is_no_other_question_but_another_drive(
    stand_in: httpx.AsyncClient, travel: TravelTimes
) -> None:
    next_door = Point(DOOR.latitude + 0.0003, DOOR.longitude)
    await travel.drive(KITCHEN, DOOR)

    drive = await travel.drive(KITCHEN, next_door)

    assert drive.total_seconds() == pytest.approx(by_the_map(KITCHEN, next_door), rel=0.01)
    assert await calls(stand_in) == 1


async def test_a_drive_is_kept_as_long_as_it_is_set(redis: Redis, travel: TravelTimes) -> None:
    await travel.drive(KITCHEN, DOOR)

    (name,) = await redis.keys()
    assert name.startswith("travel:week:12:")
    left = timedelta(seconds=await redis.ttl(name))
    assert A_WEEK - timedelta(minutes=1) < left <= A_WEEK


@pytest.mark.parametrize(
    ("later", "asked"),
    [
        (timedelta(minutes=59), 1),
        (timedelta(hours=1), 2),
        (timedelta(days=1), 1),
        (timedelta(days=5), 2),
    ],
    ids=["this hour", "the next hour", "the same hour tomorrow", "the same hour on sunday"],
)
async def test_the_roads_are_others_at_another_hour_and_on_weekends(
    stand_in: httpx.AsyncClient, make_travel: MakeTravel, later: timedelta, asked: int
) -> None:
    now = TUESDAY_NOON
    travel = make_travel(clock=lambda: now)
    await travel.drive(KITCHEN, DOOR)

    now = TUESDAY_NOON + later
    await travel.drive(KITCHEN, DOOR)

    assert await calls(stand_in) == asked


@pytest.mark.parametrize("kind", ["over_query_limit", "request_denied", "server_error", "not_json"])
async def test_without_the_map_drives_are_estimated_and_it_is_left_alone_for_a_while(
    stand_in: httpx.AsyncClient, travel: TravelTimes, kind: str
) -> None:
    await order_fault(stand_in, kind=kind)

    for _ in range(3):
        drive = await travel.drive(KITCHEN, DOOR)
        assert drive.total_seconds() == pytest.approx(estimated(KITCHEN, DOOR))

    assert await calls(stand_in) == 1


async def test_a_silent_map_is_not_waited_for(
    stand_in: httpx.AsyncClient, travel: TravelTimes
) -> None:
    await order_fault(stand_in, kind="timeout")
    began = time.monotonic()

    drive = await travel.drive(KITCHEN, DOOR, patience_seconds=0.2)

    assert drive.total_seconds() == pytest.approx(estimated(KITCHEN, DOOR))
    assert time.monotonic() - began < 5


async def test_where_no_road_leads_a_drive_is_estimated_and_not_asked_for_again(
    stand_in: httpx.AsyncClient, make_travel: MakeTravel
) -> None:
    for travel in (make_travel(), make_travel()):
        drive = await travel.drive(KITCHEN, AT_SEA)
        assert drive.total_seconds() == pytest.approx(estimated(KITCHEN, AT_SEA), rel=0.01)

    assert await calls(stand_in) == 1


@pytest.mark.parametrize("redis_is", ["away", "frozen"])
async def test_without_redis_the_map_is_asked(
    stand_in: httpx.AsyncClient, make_travel: MakeTravel, redis_is: str
) -> None:
    async with frozen_server() as frozen:
        port = any_free() if redis_is == "away" else frozen
        nowhere = connect_redis(f"redis://127.0.0.1:{port}/0")
        travel = make_travel(redis=nowhere)
        for _ in range(2):
            drive = await travel.drive(KITCHEN, DOOR, patience_seconds=10)
            assert drive.total_seconds() == pytest.approx(by_the_map(KITCHEN, DOOR), rel=0.01)
        await nowhere.aclose()

    assert await calls(stand_in) == 1


async def test_in_a_faster_city_drives_are_as_much_shorter(make_travel: MakeTravel) -> None:
    fast = City(kmh=SLOW.kmh, pace=20)

    known = await make_travel(city=fast).drive(KITCHEN, DOOR)
    unknown = await make_travel(city=fast, matrix=None).drive(AT_SEA, DOOR)

    assert known.total_seconds() == pytest.approx(by_the_map(KITCHEN, DOOR) / 20, rel=0.01)
    assert unknown.total_seconds() == pytest.approx(estimated(AT_SEA, DOOR) / 20)


class TestManyDrives:
    async def test_are_estimated_at_once_and_learned_later(
        self, stand_in: httpx.AsyncClient, travel: TravelTimes
    ) -> None:
        places = around(30)
        origins, doors = array(*places), array(*[DOOR] * 30)

        first = travel.seconds(origins, doors)
        assert first == pytest.approx([estimated(place, DOOR) for place in places])
        assert await calls(stand_in) == 0

        assert await travel.learn() > 20
        later = travel.seconds(origins, doors)
        assert later == pytest.approx([by_the_map(place, DOOR) for place in places], rel=0.05)

    async def test_are_asked_for_within_a_budget_and_never_twice(
        self, stand_in: httpx.AsyncClient, travel: TravelTimes
    ) -> None:
        places = around(2 * MOST_ORIGINS)
        travel.seconds(array(*places), array(*[AT_SEA] * len(places)))

        learned = [await travel.learn(most_requests=1) for _ in range(4)]

        assert learned[0] == MOST_ORIGINS
        assert learned[-1] == 0
        assert await calls(stand_in) == sum(count > 0 for count in learned)

    async def test_that_another_process_has_learned_are_read_in_one_go(
        self, stand_in: httpx.AsyncClient, make_travel: MakeTravel
    ) -> None:
        origins, doors = array(*around(20)), array(*[DOOR] * 20)
        teacher, pupil = make_travel(), make_travel()
        teacher.seconds(origins, doors)
        await teacher.learn()
        asked = await calls(stand_in)

        pupil.seconds(origins, doors)
        assert await pupil.learn(most_requests=0) > 15
        assert pupil.seconds(origins, doors) == pytest.approx(teacher.seconds(origins, doors))
        assert await calls(stand_in) == asked

    async def test_make_the_region_known_where_nothing_was_asked(self, travel: TravelTimes) -> None:
        places = around(50)
        travel.seconds(array(*places), array(*[DOOR] * 50))
        await travel.learn()
        elsewhere = Point(DOOR.latitude, DOOR.longitude + 0.05)

        told = travel.seconds(array(KITCHEN, AT_SEA), array(elsewhere, DOOR))

        assert told[0] == pytest.approx(by_the_map(KITCHEN, elsewhere), rel=0.05)
        assert told[1] == pytest.approx(estimated(AT_SEA, DOOR))

    async def test_agree_with_the_plain_distance(self, make_travel: MakeTravel) -> None:
        travel = make_travel(matrix=None)
        places = [KITCHEN, DOOR, AT_SEA, Point(-60, 170), KITCHEN]
        others = [DOOR, KITCHEN, Point(-60, -170), Point(60, -10), KITCHEN]

        told = travel.seconds(array(*places), array(*others))

        expected = [estimated(a, b) for a, b in zip(places, others, strict=True)]
        assert told == pytest.approx(expected)

    async def test_that_nobody_answers_for_hurt_nobody(
        self, stand_in: httpx.AsyncClient, make_travel: MakeTravel
    ) -> None:
        await order_fault(stand_in, kind="server_error")
        nowhere = connect_redis(f"redis://127.0.0.1:{any_free()}/0")
        travel = make_travel(redis=nowhere)
        places = around(10)
        travel.seconds(array(*places), array(*[DOOR] * 10))

        assert await travel.learn() == 0

        await nowhere.aclose()
        assert await calls(stand_in) == 1

    async def test_of_none_are_none(self, travel: TravelTimes) -> None:
        assert len(travel.seconds(np.empty((0, 2)), np.empty((0, 2)))) == 0
        assert await travel.learn() == 0


class Detour:
    """A map on which every road is twice as long, and some are absurd."""

    async def drives(self, origins: Sequence[Point], destination: Point) -> list[float | None]:
        if destination.longitude > KITCHEN.longitude + 1:
            raise MatrixError("closed")
        return [1e9 if o.latitude > 31 else 2 * estimated(o, destination) for o in origins]

    async def aclose(self) -> None:
        await asyncio.sleep(0)


async def test_an_absurd_answer_is_not_believed(make_travel: MakeTravel) -> None:
    travel = make_travel(matrix=Detour())
    far = Point(31.5, -97.7431)

    assert (await travel.drive(KITCHEN, DOOR)).total_seconds() == pytest.approx(
        2 * estimated(KITCHEN, DOOR), rel=0.01
    )
    assert (await travel.drive(far, DOOR)).total_seconds() < 3 * estimated(far, DOOR)


async def test_without_a_key_no_map_is_asked_and_drives_are_estimated(redis: Redis) -> None:
    travel = TravelTimes.by_google(
        redis,
        api_key="",
        base_url=None,
        timeout_seconds=5,
        city=City(),
        keep_for=timedelta(days=1),
    )

    drive = await travel.drive(Point(30.0, -97.0), Point(30.1, -97.0))

    assert drive > timedelta(minutes=25)
    await travel.aclose()
