"""The maps provider: Google, Mapbox and Redis as they answer, fail and fall silent."""

import asyncio
import os
import re
import signal
import socket
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta

import httpx
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from domain.geo import Point
from providers.maps import AddressNotFound, Maps, MapsUnavailable
from tests.local.maps.maps_serving import (
    FORWARD,
    GEOCODE,
    GOOGLE_KEY,
    MAPBOX_TOKEN,
    REVERSE,
    SEED_ADDRESS,
    maps_stand_in,
)
from tests.valkeys import valkey

POSITION = Point(30.2672, -97.7431)
FAILURES = ["over_query_limit", "request_denied", "timeout", "server_error", "not_json"]

MakeMaps = Callable[..., Maps]


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with maps_stand_in() as url:
        yield url


@pytest.fixture(scope="module")
def valkey_port() -> Iterator[int]:
    with valkey() as (_, port):
        yield port


@pytest.fixture
async def stand_in(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The stand-in's control panel, without faults or calls."""
    async with httpx.AsyncClient(base_url=base_url) as client:
        await client.delete("/_control/calls")
        yield client
        await client.delete("/_control/faults")


@pytest.fixture
async def redis(valkey_port: int) -> AsyncIterator[Redis]:
    async with Redis(port=valkey_port) as client:
        await client.flushall()
        yield client


@pytest.fixture
async def make_maps(base_url: str, redis: Redis) -> AsyncIterator[MakeMaps]:
    made: list[Maps] = []

    def make(**changes: object) -> Maps:
        settings = {
            "redis": redis,
            "google_maps_api_key": GOOGLE_KEY,
            "google_maps_base_url": base_url,
            "mapbox_access_token": MAPBOX_TOKEN,
            "mapbox_base_url": base_url,
            "timeout_seconds": 10.0,
        }
        made.append(Maps(**{**settings, **changes}))
        return made[-1]

    yield make
    for maps in made:
        await maps.aclose()


@pytest.fixture
def maps(make_maps: MakeMaps) -> Maps:
    return make_maps()


async def order_fault(stand_in: httpx.AsyncClient, **fault: object) -> None:
    answer = await stand_in.post("/_control/faults", json=fault)
    assert answer.status_code == 201


def patience(kind: str) -> float:
    """Seconds: a test of the timeout waits for it, any other has time enough on any machine."""
    return 0.4 if kind == "timeout" else 10.0


async def calls(stand_in: httpx.AsyncClient) -> dict[str, int]:
    counted: dict[str, int] = (await stand_in.get("/_control/calls")).json()
    return counted


async def test_an_address_has_a_position(stand_in: httpx.AsyncClient, maps: Maps) -> None:
    assert await maps.geocode(SEED_ADDRESS) == POSITION
    assert await calls(stand_in) == {GEOCODE: 1}


async def test_a_position_has_an_address(stand_in: httpx.AsyncClient, maps: Maps) -> None:
    assert await maps.reverse_geocode(POSITION) == f"{SEED_ADDRESS}, USA"
    assert await calls(stand_in) == {GEOCODE: 1}


@pytest.mark.parametrize("kind", FAILURES)
class TestGoogleFails:
    async def test_mapbox_gives_the_position(
        self, stand_in: httpx.AsyncClient, make_maps: MakeMaps, kind: str
    ) -> None:
        await order_fault(stand_in, kind=kind)
        maps = make_maps(timeout_seconds=patience(kind))
        assert await maps.geocode(SEED_ADDRESS) == POSITION
        assert await calls(stand_in) == {GEOCODE: 1, FORWARD: 1}

    async def test_mapbox_gives_the_address(
        self, stand_in: httpx.AsyncClient, make_maps: MakeMaps, kind: str
    ) -> None:
        await order_fault(stand_in, kind=kind)
        maps = make_maps(timeout_seconds=patience(kind))
        address = await maps.reverse_geocode(POSITION)
        assert address == "123 Main Street, Austin, Texas 78701, United States"
        assert await calls(stand_in) == {GEOCODE: 1, REVERSE: 1}

    async def test_without_mapbox_nobody_answers(
        self, stand_in: httpx.AsyncClient, make_maps: MakeMaps, kind: str
    ) -> None:
        await order_fault(stand_in, kind=kind)
        maps = make_maps(mapbox_access_token=None, timeout_seconds=patience(kind))
        with pytest.raises(MapsUnavailable):
            await maps.geocode(SEED_ADDRESS)
        assert await calls(stand_in) == {GEOCODE: 1}


@pytest.mark.parametrize("kind", FAILURES)
async def test_both_fail_and_that_is_not_remembered(
    stand_in: httpx.AsyncClient, make_maps: MakeMaps, redis: Redis, kind: str
) -> None:
    await order_fault(stand_in, kind="request_denied")
    await order_fault(stand_in, kind=kind, provider="mapbox")
    maps = make_maps(timeout_seconds=patience(kind))
    with pytest.raises(MapsUnavailable):
        await maps.geocode(SEED_ADDRESS)
    assert await redis.keys() == []
    assert await maps.geocode(SEED_ADDRESS) == POSITION


async def test_a_server_that_is_gone_is_a_failure(
    stand_in: httpx.AsyncClient, make_maps: MakeMaps
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    assert await make_maps(google_maps_base_url=nobody).geocode(SEED_ADDRESS) == POSITION
    assert await calls(stand_in) == {FORWARD: 1}


@pytest.mark.parametrize(
    ("kind", "google", "mapbox"),
    [
        ("over_query_limit", "OVER_QUERY_LIMIT", "HTTP 429"),
        ("request_denied", "REQUEST_DENIED", "HTTP 403"),
        # The client's own patience and ours end together, and either may be the first.
        ("timeout", "Timeout|TimeoutError", "ReadTimeout|TimeoutError"),
        ("server_error", "HTTP 500", "HTTP 500"),
        ("not_json", "JSONDecodeError", "JSONDecodeError"),
    ],
)
async def test_why_they_failed_is_logged_and_nothing_else(
    stand_in: httpx.AsyncClient, make_maps: MakeMaps, kind: str, google: str, mapbox: str
) -> None:
    await order_fault(stand_in, kind=kind)
    await order_fault(stand_in, kind=kind, provider="mapbox")
    maps = make_maps(timeout_seconds=patience(kind))
    with capture_logs() as logs, pytest.raises(MapsUnavailable):
        await maps.geocode(SEED_ADDRESS)
    assert [(log["event"], log["provider"]) for log in logs] == [
        ("geocoder_failed", "google"),
        ("geocoder_failed", "mapbox"),
    ]
    for log, reason in zip(logs, (google, mapbox), strict=True):
        assert log.keys() == {"event", "log_level", "provider", "reason"}
        assert re.fullmatch(reason, log["reason"])


async def test_the_key_and_the_address_stay_out_of_every_error(make_maps: MakeMaps) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    maps = make_maps(google_maps_base_url=nobody, mapbox_base_url=nobody)
    with capture_logs() as logs, pytest.raises(MapsUnavailable) as unavailable:
        await maps.geocode(SEED_ADDRESS)
    told = "".join(traceback.format_exception(unavailable.value)) + repr(logs)
    assert [secret for secret in (GOOGLE_KEY, MAPBOX_TOKEN, "Main") if secret in told] == []


class TestNotFound:
    async def test_if_google_knows_no_such_address_mapbox_is_not_asked(
        self, stand_in: httpx.AsyncClient, maps: Maps
    ) -> None:
        with pytest.raises(AddressNotFound):
            await maps.geocode("1 Nowhere St, Austin, TX")
        assert await calls(stand_in) == {GEOCODE: 1}

    async def test_nor_if_it_says_so_of_one_that_exists(
        self, stand_in: httpx.AsyncClient, maps: Maps
    ) -> None:
        await order_fault(stand_in, kind="zero_results")
        with pytest.raises(AddressNotFound):
            await maps.geocode(SEED_ADDRESS)
        assert await calls(stand_in) == {GEOCODE: 1}

    async def test_mapbox_may_be_the_one_who_finds_nothing(
        self, stand_in: httpx.AsyncClient, maps: Maps
    ) -> None:
        await order_fault(stand_in, kind="request_denied")
        await order_fault(stand_in, kind="zero_results", provider="mapbox")
        with pytest.raises(AddressNotFound):
            await maps.geocode(SEED_ADDRESS)
        assert await calls(stand_in) == {GEOCODE: 1, FORWARD: 1}

    async def test_a_position_at_sea_has_no_address(
        self, stand_in: httpx.AsyncClient, maps: Maps
    ) -> None:
        with pytest.raises(AddressNotFound):
            await maps.reverse_geocode(Point(25, -60))
        assert await calls(stand_in) == {GEOCODE: 1}

    async def test_a_city_is_no_address(self, stand_in: httpx.AsyncClient, maps: Maps) -> None:
        with pytest.raises(AddressNotFound):
            await maps.geocode("Austin, TX")
        assert await calls(stand_in) == {GEOCODE: 1}

    async def test_a_house_that_mapbox_has_to_guess_is_no_address(
        self, stand_in: httpx.AsyncClient, maps: Maps
    ) -> None:
        await order_fault(stand_in, kind="request_denied")
        with pytest.raises(AddressNotFound):
            await maps.geocode("99999 Main St, Austin, TX 78701")
        assert await calls(stand_in) == {GEOCODE: 1, FORWARD: 1}

    @pytest.mark.parametrize("address", ["", "  ", " , "])
    async def test_nobody_is_asked_for_an_empty_address(
        self, stand_in: httpx.AsyncClient, maps: Maps, address: str
    ) -> None:
        with pytest.raises(AddressNotFound):
            await maps.geocode(address)
        assert await calls(stand_in) == {}


class TestMemory:
    async def test_a_question_is_asked_once(
        self, stand_in: httpx.AsyncClient, make_maps: MakeMaps
    ) -> None:
        for maps in (make_maps(), make_maps()):
            assert await maps.geocode(SEED_ADDRESS) == POSITION
            assert await maps.reverse_geocode(POSITION) == f"{SEED_ADDRESS}, USA"
        assert await calls(stand_in) == {GEOCODE: 2}

    @pytest.mark.parametrize(
        "spelling",
        [
            "123 MAIN ST, AUSTIN, TX 78701",
            "  123  Main St ,Austin,TX\t78701,",
            "123 Main St, Austin, TX 78701",
        ],
    )
    async def test_spelling_does_not_make_another_question(
        self, stand_in: httpx.AsyncClient, maps: Maps, spelling: str
    ) -> None:
        await maps.geocode(SEED_ADDRESS)
        assert await maps.geocode(spelling) == POSITION
        assert await calls(stand_in) == {GEOCODE: 1}

    async def test_another_house_is_another_question(
        self, stand_in: httpx.AsyncClient, maps: Maps
    ) -> None:
        assert await maps.geocode(SEED_ADDRESS) != await maps.geocode(
            "124 Main St, Austin, TX 78701"
        )
        assert await calls(stand_in) == {GEOCODE: 2}

    async def test_what_mapbox_found_is_remembered_too(
        self, stand_in: httpx.AsyncClient, maps: Maps
    ) -> None:
        await order_fault(stand_in, kind="request_denied")
        assert await maps.geocode(SEED_ADDRESS) == await maps.geocode(SEED_ADDRESS) == POSITION
        assert await calls(stand_in) == {GEOCODE: 1, FORWARD: 1}

    async def test_nothing_found_is_remembered_too(
        self, stand_in: httpx.AsyncClient, maps: Maps
    ) -> None:
        for _ in range(2):
            with pytest.raises(AddressNotFound):
                await maps.geocode("1 Nowhere St, Austin, TX")
        assert await calls(stand_in) == {GEOCODE: 1}

    async def test_a_find_is_kept_for_a_day(self, maps: Maps, redis: Redis) -> None:
        await maps.geocode(SEED_ADDRESS)
        await assert_kept_for(timedelta(hours=24), redis)

    async def test_nothing_found_is_kept_for_ten_minutes(self, maps: Maps, redis: Redis) -> None:
        with pytest.raises(AddressNotFound):
            await maps.geocode("1 Nowhere St, Austin, TX")
        await assert_kept_for(timedelta(minutes=10), redis)

    async def test_the_names_of_keys_are_hashes(self, maps: Maps, redis: Redis) -> None:
        await maps.geocode(SEED_ADDRESS)
        await maps.reverse_geocode(POSITION)
        names = [name.decode() for name in await redis.keys()]
        assert len(names) == 2
        assert all(re.fullmatch(r"maps:[0-9a-f]{64}", name) for name in names)

    async def test_a_client_that_decodes_is_as_good(
        self, stand_in: httpx.AsyncClient, make_maps: MakeMaps, valkey_port: int
    ) -> None:
        async with Redis(port=valkey_port, decode_responses=True) as decoding:
            maps = make_maps(redis=decoding)
            assert await maps.geocode(SEED_ADDRESS) == await maps.geocode(SEED_ADDRESS) == POSITION
        assert await calls(stand_in) == {GEOCODE: 1}

    async def test_what_cannot_be_read_is_asked_again(
        self, stand_in: httpx.AsyncClient, maps: Maps, redis: Redis
    ) -> None:
        await maps.geocode(SEED_ADDRESS)
        (name,) = await redis.keys()
        await redis.set(name, "written by somebody else")
        with capture_logs() as logs:
            assert await maps.geocode(SEED_ADDRESS) == POSITION
        assert [log["event"] for log in logs] == ["geocode_not_recalled"]
        assert await calls(stand_in) == {GEOCODE: 2}


async def assert_kept_for(duration: timedelta, redis: Redis) -> None:
    (name,) = await redis.keys()
    left = timedelta(seconds=await redis.ttl(name))
    assert duration - timedelta(seconds=60) < left <= duration


@pytest.mark.parametrize("outage", [signal.SIGKILL, signal.SIGSTOP], ids=["gone", "silent"])
async def test_without_redis_every_question_is_asked(
    stand_in: httpx.AsyncClient, make_maps: MakeMaps, outage: signal.Signals
) -> None:
    with valkey() as (process, port):
        async with Redis(port=port) as redis:
            maps = make_maps(redis=redis)
            await maps.geocode(SEED_ADDRESS)
            process.send_signal(outage)
            await asyncio.to_thread(os.waitpid, process.pid, os.WUNTRACED)
            with capture_logs() as logs:
                assert await maps.geocode(SEED_ADDRESS) == POSITION
    assert [log["event"] for log in logs] == ["geocode_not_recalled", "geocode_not_remembered"]
    assert await calls(stand_in) == {GEOCODE: 2}
