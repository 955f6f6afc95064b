"""How often somebody may ask, by whom it is counted, and what he is told."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from redis.asyncio import Redis

from local import ports
from local.cast import Cast, token
from local.world import PASSWORD
from settings import Settings
from tests.api.facade import AWAY, facade
from tests.test_settings import NEEDED

Facade = tuple[FastAPI, httpx.AsyncClient]
Opened = Callable[..., AbstractAsyncContextManager[Facade]]

CHEFS = "/api/v1/chefs"
ORDERS = "/api/v1/orders"


@pytest.fixture
async def limited(
    environment: Mapping[str, str],
    redis: Redis,  # noqa: ARG001 - nothing is counted yet
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Opened:
    """Facades that are set up like the running one, but for these limits."""

    def opened(**limits: str) -> AbstractAsyncContextManager[Facade]:
        return facade(environment, monkeypatch, **{"REDIS_URL": redis_url, **limits})

    return opened


def from_address(app: FastAPI, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 4711))
    return httpx.AsyncClient(transport=transport, base_url="http://facade")


def bearer(play: Cast) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(play.environment, play.world.customer)}"}


async def statuses(http: httpx.AsyncClient, path: str, times: int, **what: Any) -> list[int]:
    return [(await http.get(path, **what)).status_code for _ in range(times)]


async def test_who_asks_too_often_is_told_when_to_ask_again(limited: Opened) -> None:
    async with limited(RATE_LIMIT_ANONYMOUS="3/15 minutes") as (_, http):
        answers = [await http.get(CHEFS) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"anonymous";q=3;w=900'}
    told = [answer.headers["ratelimit"].split(";t=") for answer in answers]
    assert [remaining for remaining, _ in told] == [
        '"anonymous";r=2',
        '"anonymous";r=1',
        '"anonymous";r=0',
        '"anonymous";r=0',
    ]
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "rate_limited"
    assert refused.headers["retry-after"] == told[-1][1]
    assert 890 <= int(refused.headers["retry-after"]) <= 900
    assert "retry-after" not in answers[0].headers


async def test_who_waited_may_ask_again(limited: Opened) -> None:
    async with limited(RATE_LIMIT_ANONYMOUS="2/second") as (_, http):
        while (refused := await http.get(CHEFS)).status_code == 200:
            pass
        began = time.monotonic()
        while (await http.get(CHEFS)).status_code == 429:
            assert time.monotonic() - began < 10

    assert refused.headers["retry-after"] == "1"


async def test_each_address_is_counted_by_itself_and_a_network_of_ipv6_as_one(
    limited: Opened,
) -> None:
    async with limited(RATE_LIMIT_ANONYMOUS="1/hour") as (app, _):
        seen = {}
        for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1", "2001:db8::1", "2001:db8::2"):
            async with from_address(app, address) as http:
                seen.setdefault(address, []).extend(await statuses(http, CHEFS, 1))

    assert seen == {
        "192.0.2.1": [200, 429],
        "192.0.2.2": [200],
        "2001:db8::1": [200],
        "2001:db8::2": [429],
    }


async def test_an_account_is_counted_by_itself_wherever_it_asks_from(
    limited: Opened, play: Cast
) -> None:
    limits = {"RATE_LIMIT_ANONYMOUS": "1/hour", "RATE_LIMIT_SIGNED_IN": "2/hour"}
    async with limited(**limits) as (app, http):
        own = bearer(play)
        assert await statuses(http, CHEFS, 2) == [200, 429]
        assert await statuses(http, ORDERS, 1, headers=own) == [200]
        async with from_address(app, "192.0.2.9") as elsewhere:
            first = await elsewhere.get(ORDERS, headers=own)
            refused = await elsewhere.post(ORDERS, headers=own, json=play.world.basket())

    assert first.headers["ratelimit"].startswith('"signed-in";r=0;t=')
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert (await play.customer.get("/orders"))["total"] == 0


async def test_a_token_that_is_not_ours_is_counted_by_address(limited: Opened) -> None:
    async with limited(RATE_LIMIT_ANONYMOUS="2/hour") as (_, http):
        seen = [
            (await http.get(ORDERS, headers={"Authorization": f"Bearer made.up.{number}"}))
            for number in range(3)
        ]

    assert [answer.status_code for answer in seen] == [401, 401, 429]


async def test_passwords_are_not_guessed_quickly_and_the_right_one_waits_too(
    limited: Opened, play: Cast
) -> None:
    email = play.world.customer.email
    async with limited(RATE_LIMIT_AUTH="2/minute") as (app, http):
        tried = [
            await http.post("/api/v1/auth/login", json={"email": email, "password": password})
            for password in ("wrong", "wrong, too", PASSWORD)
        ]
        others = await http.get(CHEFS)
        async with from_address(app, "192.0.2.3") as home:
            own = await home.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD})

    assert [answer.status_code for answer in tried] == [401, 401, 429]
    assert tried[0].headers["ratelimit-policy"] == '"auth";q=2;w=60'
    assert "accessToken" not in tried[-1].json()
    assert (others.status_code, own.status_code) == (200, 200)


async def test_what_nobody_guesses_does_not_use_up_the_tries_of_an_address(limited: Opened) -> None:
    async with limited(RATE_LIMIT_AUTH="1/hour") as (_, http):
        for path in ("refresh", "logout", "social/apple/callback"):
            for _ in range(2):
                answer = await http.post(f"/api/v1/auth/{path}", data={})
                assert answer.headers["ratelimit-policy"].startswith('"anonymous";'), path


async def test_a_drivers_positions_do_not_use_up_his_requests(limited: Opened, play: Cast) -> None:
    limits = {"RATE_LIMIT_SIGNED_IN": "1/hour", "RATE_LIMIT_POSITIONS": "2/hour"}
    position = {"latitude": 30.2672, "longitude": -97.7431}
    headers = {"Authorization": play.drivers[0].authorization}
    async with limited(**limits) as (_, http):
        posted = [
            await http.post("/api/v1/delivery/location", json=position, headers=headers)
            for _ in range(3)
        ]
        profile = await http.get("/api/v1/delivery/profile", headers=headers)

    assert posted[-1].status_code == 429
    assert posted[0].status_code < 300
    assert posted[0].headers["ratelimit-policy"] == '"positions";q=2;w=3600'
    assert profile.status_code == 200


async def test_health_webhooks_and_pictures_are_not_counted(limited: Opened) -> None:
    paths = ("/healthz", "/readyz", "/api/v1/pictures/nobody/none.jpg")
    async with limited(RATE_LIMIT_ANONYMOUS="1/hour") as (_, http):
        answers = [await http.get(path) for path in paths for _ in range(3)]
        answers += [await http.post("/api/v1/webhooks/stripe") for _ in range(3)]

    assert 429 not in {answer.status_code for answer in answers}
    assert not [answer for answer in answers if "ratelimit" in answer.headers]


async def test_a_limit_that_is_set_to_nothing_is_off(limited: Opened) -> None:
    async with limited(RATE_LIMIT_ANONYMOUS="") as (_, http):
        answer = await http.get(CHEFS)

    assert (answer.status_code, "ratelimit" in answer.headers) == (200, False)


async def test_processes_count_together(limited: Opened) -> None:
    async with AsyncExitStack() as running:
        limit = {"RATE_LIMIT_ANONYMOUS": "3/hour"}
        _, one = await running.enter_async_context(limited(**limit))
        _, other = await running.enter_async_context(limited(**limit))
        seen = [(await http.get(CHEFS)).status_code for http in (one, other, one, other, one)]

    assert seen == [200, 200, 200, 429, 429]


async def test_of_many_at_once_so_many_are_let_in_as_there_is_room_for(limited: Opened) -> None:
    async with limited(RATE_LIMIT_ANONYMOUS="5/hour") as (_, http):
        answers = await asyncio.gather(*(http.get(CHEFS) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [429] * 15


async def test_without_redis_nobody_is_held_up(limited: Opened) -> None:
    name, address = AWAY["redis"]
    away = {name: address.format(port=ports.any_free())}
    async with limited(RATE_LIMIT_AUTH="1/hour", RATE_LIMIT_ANONYMOUS="1/hour", **away) as (
        _,
        http,
    ):
        answers = [await http.get("/openapi.json") for _ in range(3)]

    assert {answer.status_code for answer in answers} == {200}
    assert not [answer for answer in answers if "ratelimit" in answer.headers]


async def test_nobody_is_believed_to_ask_for_another_address(
    environment: Mapping[str, str],
) -> None:
    async with httpx.AsyncClient(base_url=environment["API_URL"]) as http:
        left = []
        for address in ("192.0.2.1", "192.0.2.2"):
            answer = await http.get(CHEFS, headers={"X-Forwarded-For": address})
            left.append(int(answer.headers["ratelimit"].split(";")[1].removeprefix("r=")))

    assert left[1] < left[0]


async def test_every_operation_documents_that_it_may_be_too_much(limited: Opened) -> None:
    async with limited() as (app, _):
        paths = app.openapi()["paths"]

    answers = {
        f"{method} {path}": set(said["responses"])
        for path, methods in paths.items()
        for method, said in methods.items()
        if path.startswith("/api/")
    }
    assert [name for name, statuses in answers.items() if "429" not in statuses] == []


@pytest.mark.parametrize(
    "written", ["often", "10", "0/minute", "10/fortnight", "10/minute;100/hour"]
)
def test_a_limit_that_is_none_stops_the_process_at_once(written: str) -> None:
    with pytest.raises(ValidationError, match="rate_limit_auth"):
        Settings.of({**NEEDED, "RATE_LIMIT_AUTH": written})
