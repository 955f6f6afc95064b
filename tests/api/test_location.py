"""Where drivers say they are: what is believed, what is kept, and who sees it when."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy import select, text, update
from sqlmodel import col
from uuid_utils.compat import uuid7

from api import locations
from domain.live import Happening
from domain.order_status import OrderStatus
from local.cast import Cast, cast
from local.people import Person, Unanswered, insisting, until
from local.ports import any_free
from providers.positions import Positions
from schema.tables import Driver, DriverLocation
from tests.api.facade import AWAY, facade
from tests.frozen import frozen_server
from tests.told import told_to_all
from tests.valkeys import valkey

S = OrderStatus
PATH = "/delivery/location"


def at(play: Cast, north_m: float, ago: float = 0, **more: object) -> dict[str, Any]:
    """A position so many metres north of the kitchen, so many seconds ago."""
    return {
        "latitude": play.world.kitchen.latitude + north_m / 111_195,
        "longitude": play.world.kitchen.longitude,
        "recordedAt": (datetime.now(UTC) - timedelta(seconds=ago)).isoformat(),
        **more,
    }


async def unplaced(play: Cast) -> None:
    """Nobody has heard of the first driver yet."""
    await place(play, current_latitude=None, current_longitude=None, located_at=None)


async def place(play: Cast, **values: object) -> None:
    async with play.database.write() as session:
        await session.execute(
            update(Driver).where(col(Driver.id) == play.world.drivers[0].id).values(**values)
        )


async def driver(play: Cast) -> Driver:
    async with play.database.read() as session:
        row = await session.get(Driver, play.world.drivers[0].id)
    assert row is not None
    return row


async def history(play: Cast) -> list[DriverLocation]:
    async with play.database.read() as session:
        found = await session.scalars(
            select(DriverLocation)
            .where(col(DriverLocation.driver_id) == play.world.drivers[0].id)
            .order_by(col(DriverLocation.recorded_at))
        )
        return list(found)


def metres(play: Cast, rows: list[DriverLocation]) -> list[int]:
    return [round((row.latitude - play.world.kitchen.latitude) * 111_195) for row in rows]


async def test_a_batch_with_impossible_positions_keeps_the_good_ones(play: Cast) -> None:
    await unplaced(play)

    answer = await play.drivers[0].post(
        PATH,
        positions=[
            at(play, 0, ago=60),
            at(play, 400_000, ago=50),
            at(play, 200, ago=-3600),
            at(play, 300, ago=20, accuracy=2000),
            at(play, 300, ago=30, accuracy=5, speed=10.5, heading=0),
            at(play, 9, ago=90_000),
        ],
    )

    assert answer["accepted"] == 2
    assert [(one["index"], one["code"]) for one in answer["refused"]] == [
        (1, "too_far"),
        (2, "in_the_future"),
        (3, "inaccurate"),
        (5, "too_old"),
    ]
    assert all(one["detail"] for one in answer["refused"])
    rows = await history(play)
    assert metres(play, rows) == [0, 300]
    assert (rows[1].accuracy, rows[1].speed, rows[1].heading) == (5, 10.5, 0)


async def test_one_position_of_an_impossible_moment_is_refused_and_changes_nothing(
    play: Cast,
) -> None:
    before = await driver(play)
    for ago, code in ((-3600, "in_the_future"), (172_800, "too_old")):
        with pytest.raises(Unanswered) as refused:
            await play.drivers[0].post(PATH, **at(play, 0, ago=ago))
        assert (refused.value.status, refused.value.code) == (422, code)
        assert refused.value.problem["errors"][0]["field"] == "recordedAt"

    assert (await driver(play)) == before
    assert await history(play) == []


async def test_a_position_that_comes_late_is_let_be(play: Cast) -> None:
    assert (await play.drivers[0].post(PATH, **at(play, 300)))["accepted"] == 1
    answer = await play.drivers[0].post(PATH, **at(play, 300, ago=30))
    assert (answer["accepted"], answer["refused"][0]["code"]) == (0, "superseded")


async def test_a_driver_who_leaps_is_doubted_and_believed_when_he_insists(play: Cast) -> None:
    await play.drivers[0].post(PATH, **at(play, 300))
    known = await driver(play)

    answers = []
    for number in range(3):
        answers.append(await play.drivers[0].post(PATH, **at(play, 90_000 + 10 * number)))
        if number < 2:
            assert (await driver(play)).located_at == known.located_at

    assert [answer["accepted"] for answer in answers] == [0, 0, 1]
    assert [answer["refused"][0]["code"] for answer in answers[:2]] == ["too_far"] * 2
    assert metres(play, await history(play)) == [300, 90_020]


async def test_the_history_has_samples_and_the_database_is_not_written_between_them(
    play: Cast,
) -> None:
    await unplaced(play)
    trip = [(0, 60), (10, 55), (20, 50), (25, 45), (30, 40), (120, 39), (125, 30)]
    located = []
    for north, ago in trip:
        await play.drivers[0].post(PATH, **at(play, north, ago=ago))
        located.append((await driver(play)).located_at)

    assert metres(play, await history(play)) == [0, 25, 120]
    assert located == [located[0]] * 3 + [located[3]] * 2 + [located[5]] * 2


async def test_what_is_sent_again_is_there_once(play: Cast) -> None:
    await unplaced(play)
    batch = [at(play, 0, ago=60), at(play, 100, ago=40), at(play, 200, ago=20)]

    answers = await asyncio.gather(*(play.drivers[0].post(PATH, positions=batch) for _ in range(5)))

    assert {answer["accepted"] for answer in answers} <= {1, 3}
    assert metres(play, await history(play)) == [0, 100, 200]
    assert (await driver(play)).located_at == (await history(play))[-1].recorded_at


async def test_somebody_without_a_drivers_profile_is_not_found(play: Cast) -> None:
    async with play.database.write() as session:
        await session.execute(
            update(Driver)
            .where(col(Driver.id) == play.world.drivers[1].id)
            .values(user_id=play.world.admin.user_id)
        )
    with pytest.raises(Unanswered) as missing:
        await play.drivers[1].post(PATH, **at(play, 0))
    assert missing.value.status == 404


def by_the_door(play: Cast, km: float) -> tuple[float, float]:
    return play.world.door.latitude + km / 111.195, play.world.door.longitude


async def is_near(play: Cast, order: dict[str, Any]) -> bool:
    seen = await play.customer.get(f"/orders/{order['id']}")
    return seen["nearDoorAt"] is not None


async def test_near_the_door_the_customer_is_told(play: Cast) -> None:
    order = await play.bring(S.IN_TRANSIT)

    await play.drivers[0].post(PATH, **insisting(*by_the_door(play, 1.1)))
    assert not await is_near(play, order)
    await play.drivers[0].post(PATH, **insisting(*by_the_door(play, 0.25)))

    await until(lambda: is_near(play, order))


async def test_what_was_near_the_door_once_is_not_near_it_now(play: Cast) -> None:
    order = await play.bring(S.IN_TRANSIT)
    await unplaced(play)
    latitude, longitude = by_the_door(play, 0.01)
    was_there = {"latitude": latitude, "longitude": longitude}

    def moment(ago: float) -> str:
        return (datetime.now(UTC) - timedelta(seconds=ago)).isoformat()

    old = {**was_there, "recordedAt": moment(600)}
    assert (await play.drivers[0].post(PATH, **old))["accepted"] == 1
    passed = {**was_there, "recordedAt": moment(120)}
    away = {**was_there, "latitude": latitude + 0.01, "recordedAt": moment(60)}
    assert (await play.drivers[0].post(PATH, positions=[passed, away]))["accepted"] == 2
    # What was signalled before this, the order has heard.
    await play.driver_says(0, order, "delivered")
    assert not await is_near(play, order)


async def test_the_newest_of_a_batch_is_near_the_door_in_whatever_order_they_come(
    play: Cast,
) -> None:
    order = await play.bring(S.IN_TRANSIT)
    await unplaced(play)
    here, there = by_the_door(play, 0.01), by_the_door(play, 1.1)
    now = datetime.now(UTC)

    batch = [
        {"latitude": place[0], "longitude": place[1], "recordedAt": when.isoformat()}
        for place, when in ((here, now), (there, now - timedelta(seconds=30)))
    ]
    await play.drivers[0].post(PATH, positions=batch)

    await until(lambda: is_near(play, order))


async def sees(person: Person, order: dict[str, Any]) -> dict[str, Any] | str:
    """Where somebody sees the order's driver, or why not."""
    try:
        found: dict[str, Any] = await person.get(f"/orders/{order['id']}/driver-location")
    except Unanswered as unanswered:
        return unanswered.code if unanswered.status == 404 else "not a 404"
    return found


async def test_the_driver_is_seen_by_whom_it_concerns_while_it_concerns_him(play: Cast) -> None:
    order = await play.place()
    shown: dict[str, list[bool]] = {"customer": [], "chef": [], "driver": [], "admin": []}
    people = {
        "customer": play.customer,
        "chef": play.chef,
        "driver": play.drivers[0],
        "admin": play.admin,
    }

    async def look() -> None:
        await play.drivers[0].post(PATH, **at(play, 300))
        for role, person in people.items():
            shown[role].append(isinstance(await sees(person, order), dict))

    await look()
    await play.pay(order)
    for status in ("accepted", "preparing", "ready_for_pickup"):
        await play.chef_says(order, status)
    await look()
    await play.take(0, order)
    await look()
    for status in ("picked_up", "in_transit", "delivered"):
        await play.driver_says(0, order, status)
        await look()

    # pending, ready for pickup, assigned to a driver, picked up, in transit, delivered
    assert shown == {
        "customer": [False, False, False, True, True, False],
        "chef": [False, False, True, False, False, False],
        "driver": [False, False, True, True, True, True],
        "admin": [False, False, True, True, True, True],
    }
    assert await sees(play.customer, order) == await sees(play.chef, order) == "driver_not_shown"


async def test_nobody_else_sees_the_driver(play: Cast) -> None:
    order = await play.bring(S.IN_TRANSIT)
    await play.drivers[0].post(PATH, **at(play, 300))

    assert await sees(play.drivers[1], order) == "not_found"
    assert await sees(play.admin, {"id": uuid7()}) == "not_found"
    async with cast(play.environment, drivers=1) as strangers:
        for stranger in (strangers.customer, strangers.chef, strangers.drivers[0]):
            assert await sees(stranger, order) == "not_found"


async def test_the_customer_sees_how_old_the_position_is(play: Cast) -> None:
    order = await play.bring(S.PICKED_UP)
    place = at(play, 310, ago=20)
    await play.drivers[0].post(PATH, **place)

    seen = await sees(play.customer, order)

    assert isinstance(seen, dict)
    assert seen["latitude"] == pytest.approx(place["latitude"], abs=1e-5)
    assert seen["longitude"] == pytest.approx(place["longitude"], abs=1e-5)
    recorded_at = datetime.fromisoformat(seen["recordedAt"])
    assert abs(recorded_at - datetime.fromisoformat(place["recordedAt"])) < timedelta(seconds=1)
    assert 20 <= seen["ageSeconds"] < 60


async def test_where_the_driver_was_before_he_had_the_order_is_not_the_customers_business(
    play: Cast,
) -> None:
    long_ago = datetime.now(UTC) - timedelta(seconds=90)
    await place(play, located_at=long_ago)
    order = await play.bring(S.PICKED_UP)

    assert await sees(play.customer, order) == "driver_not_seen"
    assert isinstance(await sees(play.admin, order), dict)
    await play.drivers[0].post(PATH, **at(play, 310))
    assert isinstance(await sees(play.customer, order), dict)


class Phone:
    """The first driver's, at a facade of the test's own, with its other readers beside it."""

    def __init__(self, play: Cast, http: httpx.AsyncClient) -> None:
        self.play = play
        self.http = http

    async def says(self, north_m: float, ago: float = 0) -> httpx.Response:
        return await self.http.post(
            f"/api/v1{PATH}",
            json=at(self.play, north_m, ago=ago),
            headers={"Authorization": self.play.drivers[0].authorization},
        )

    async def customer_sees(self, path: str) -> httpx.Response:
        return await self.http.get(
            f"/api/v1{path}", headers={"Authorization": self.play.customer.authorization}
        )


@asynccontextmanager
async def phone(
    play: Cast, monkeypatch: pytest.MonkeyPatch, redis_url: str, **changes: Any
) -> AsyncIterator[Phone]:
    async with facade(play.environment, monkeypatch, REDIS_URL=redis_url, **changes) as (_, http):
        yield Phone(play, http)


@asynccontextmanager
async def locked(play: Cast, table: str) -> AsyncIterator[None]:
    """While a table is locked, whoever wants something of it waits."""
    async with play.database.write() as session:
        await session.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        yield


async def waiting_for_locks(play: Cast) -> int:
    """How many statements wait for a lock on the history."""
    async with play.database.read() as session:
        return int(
            await session.scalar(
                text(
                    "SELECT count(*) FROM pg_locks"
                    " WHERE relation = 'driver_locations'::regclass AND NOT granted"
                )
            )
        )


async def quick_copy(redis: Redis, play: Cast) -> int | None:
    """How many metres north of the kitchen Redis has the driver."""
    fix = await Positions(redis).of(play.world.drivers[0].id)
    return (
        None if fix is None else round((fix.point.latitude - play.world.kitchen.latitude) * 111_195)
    )


@pytest.mark.parametrize("outage", ["away", "frozen"])
async def test_while_the_database_is_away_the_newest_position_is_in_redis(
    play: Cast,
    monkeypatch: pytest.MonkeyPatch,
    redis: Redis,
    redis_url: str,
    outage: str,
) -> None:
    async with phone(play, monkeypatch, redis_url) as known:
        assert (await known.says(300, ago=20)).json()["accepted"] == 1
    async with frozen_server() as silent:
        port = any_free() if outage == "away" else silent
        nowhere = AWAY["database"][1].format(port=port)
        async with phone(play, monkeypatch, redis_url, DATABASE_URL=nowhere) as alone:
            for north, ago in ((400, 10), (500, 1)):
                answer = await alone.says(north, ago)
                assert answer.json() == {"accepted": 1, "refused": []}
            assert (await alone.says(90_000)).json()["refused"][0]["code"] == "too_far"

    assert await quick_copy(redis, play) == pytest.approx(500, abs=1)
    assert metres(play, await history(play)) == [300]


async def test_while_the_database_is_slow_positions_are_taken_and_others_do_not_suffer(
    play: Cast, monkeypatch: pytest.MonkeyPatch, redis: Redis, redis_url: str
) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)
    # Eight connections at most, two of them for positions.
    async with phone(play, monkeypatch, redis_url, DATABASE_POOL_SIZE=4) as slowed:
        assert (await slowed.says(300, ago=30)).status_code == 200
        async with locked(play, "driver_locations"):
            posts = [asyncio.create_task(slowed.says(310 + n)) for n in range(20)]
            seen = await asyncio.gather(
                *(slowed.customer_sees(f"/orders/{order['id']}") for _ in range(20))
            )
            assert {answer.status_code for answer in seen} == {200}
            waiting = 0
            while not all(post.done() for post in posts):
                waiting = max(waiting, await waiting_for_locks(play))
            assert waiting == 2
            assert {post.result().status_code for post in posts} == {200}
            assert await quick_copy(redis, play) is not None
        answer = await slowed.says(500)
        assert answer.json()["accepted"] == 1

    assert await quick_copy(redis, play) == pytest.approx(500, abs=1)
    assert metres(play, await history(play))[-1] == 500


async def test_who_looks_on_hears_of_a_position_before_it_is_in_the_history(
    play: Cast, monkeypatch: pytest.MonkeyPatch, redis: Redis, redis_url: str
) -> None:
    order = await play.bring(S.PICKED_UP)
    monkeypatch.setattr(locations, "DATABASE_SECONDS", 60.0)

    async def is_to_be_written() -> bool:
        return await waiting_for_locks(play) == 1

    async with phone(play, monkeypatch, redis_url) as known:
        async with locked(play, "driver_locations"):
            saying = asyncio.create_task(known.says(500))
            await until(is_to_be_written)
            told = [told.event for told in await told_to_all(redis)]
        assert (await saying).status_code == 200

    assert [(event.happening, str(event.order_id)) for event in told] == [
        (Happening.POSITION, order["id"])
    ]


async def test_too_many_positions_at_once_are_sent_away(
    play: Cast, monkeypatch: pytest.MonkeyPatch, redis: Redis, redis_url: str
) -> None:
    async with (
        phone(play, monkeypatch, redis_url, LOCATIONS_AT_ONCE=1) as crowded,
        locked(play, "driver_locations"),
    ):
        answers = await asyncio.gather(*(crowded.says(400, ago=n) for n in range(3)))
        alive = await crowded.customer_sees("/orders")

    taken = [answer for answer in answers if answer.status_code == 200]
    busy = [answer for answer in answers if answer.status_code != 200]
    assert (len(taken), len(busy), alive.status_code) == (1, 2, 200)
    assert {(b.status_code, b.json()["code"], b.headers["retry-after"]) for b in busy} == {
        (503, "busy", "1")
    }
    assert await quick_copy(redis, play) == pytest.approx(400, abs=1)


async def test_positions_come_back_by_themselves_after_redis_was_killed(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await play.bring(S.IN_TRANSIT)
    look = f"/orders/{order['id']}/driver-location"
    with valkey() as (process, port):
        url = f"redis://127.0.0.1:{port}/0"
        async with phone(play, monkeypatch, url) as carried:
            assert (await carried.says(310, ago=30)).json()["accepted"] == 1
            process.kill()
            process.wait()

            assert (await carried.says(400, ago=20)).json()["accepted"] == 1
            seen = (await carried.customer_sees(look)).json()
            assert seen["latitude"] == pytest.approx(at(play, 400)["latitude"], abs=1e-5)
            assert metres(play, await history(play)) == [310, 400]

            with valkey(port):
                again: Redis = Redis.from_url(url, decode_responses=True)
                # The database remembers enough to doubt.
                assert (await carried.says(90_000)).json()["refused"][0]["code"] == "too_far"
                assert await quick_copy(again, play) == pytest.approx(400, abs=1)
                assert (await carried.says(420, ago=1)).json()["accepted"] == 1
                assert await quick_copy(again, play) == pytest.approx(420, abs=1)
                seen = (await carried.customer_sees(look)).json()
                assert seen["latitude"] == pytest.approx(at(play, 420)["latitude"], abs=1e-5)
                await again.aclose()


async def test_without_redis_a_driver_whose_last_position_was_wrong_is_not_locked_out(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = at(play, 90_000)
    await place(play, current_latitude=far["latitude"], located_at=datetime.now(UTC))
    nowhere = AWAY["redis"][1].format(port=any_free())
    async with phone(play, monkeypatch, nowhere) as alone:
        assert (await alone.says(0)).json()["accepted"] == 1
    assert (await driver(play)).current_latitude == pytest.approx(play.world.kitchen.latitude)


async def test_where_nobody_can_keep_a_position_it_may_be_sent_again(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = {name: AWAY[name][1].format(port=any_free()) for name in ("redis", "database")}
    async with phone(
        play, monkeypatch, nowhere["redis"], DATABASE_URL=nowhere["database"]
    ) as alone:
        answer = await alone.says(300)
    assert (answer.status_code, answer.json()["code"]) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "1"
