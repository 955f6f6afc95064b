"""Clients of Socket.IO: who is let in, who hears what, what was missed, and who is hung up on."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import websockets

from api.auth import access_token
from api.live import socket_io
from domain.live import AUDIENCE, OF_ORDER, Happening
from domain.order_status import OrderStatus
from domain.permissions import Role
from local.cast import Cast, cast, token
from local.people import Person, until
from schema.messages.live import ADMINS
from schema.queries.people import Login
from settings import Settings
from tests.api.listening import PATIENCE, Ear, Gateway, ear, gateway, token_of
from tests.conftest import TEST_REDIS_DATABASE

H, R = Happening, Role


@pytest.fixture(scope="module")
async def at(environment: Mapping[str, str]) -> AsyncIterator[Gateway]:
    redis_url = environment["REDIS_URL"].rsplit("/", 1)[0] + f"/{TEST_REDIS_DATABASE}"
    with pytest.MonkeyPatch.context() as patched:
        async with gateway(
            environment, patched, redis_url, LIVE_CONNECTIONS="3", LIVE_ORDERS="2"
        ) as running:
            yield running


@pytest.fixture(scope="module")
async def houses(environment: Mapping[str, str]) -> AsyncIterator[tuple[Cast, Cast]]:
    async with cast(environment) as here, cast(environment, drivers=1) as elsewhere:
        yield here, elsewhere


@pytest.fixture(scope="module")
async def order(houses: tuple[Cast, Cast]) -> dict[str, Any]:
    """One that is with its driver."""
    return await houses[0].bring(OrderStatus.ASSIGNED_TO_DRIVER)


def everybody(play: Cast) -> dict[Role, Person]:
    return {
        R.CUSTOMER: play.customer,
        R.CHEF: play.chef,
        R.DRIVER: play.drivers[0],
        R.ADMIN: play.admin,
    }


def ids(play: Cast) -> dict[Role, str]:
    world = play.world
    people = (world.customer, world.chef, world.drivers[0], world.admin)
    return dict(zip(everybody(play), (str(one.user_id) for one in people), strict=True))


def old_token(play: Cast, environment: Mapping[str, str], *, left: timedelta) -> str:
    """A token of the customer's that is about to expire, or has."""
    settings = Settings.of(environment)
    given_at = datetime.now(UTC) + left - timedelta(minutes=settings.access_token_minutes)
    somebody = play.world.customer
    login = Login(somebody.user_id, somebody.email, R.CUSTOMER, "", "Test", "Person")
    return access_token(login, settings, given_at)


async def test_nobody_is_let_in_without_a_good_token(
    at: Gateway, houses: tuple[Cast, Cast], environment: Mapping[str, str]
) -> None:
    for bad in ("", "no token", old_token(houses[0], environment, left=timedelta(seconds=-1))):
        async with ear(at, bad) as refused:
            assert [said["data"]["code"] for said in refused.refused] == ["unauthorized"]
            assert not refused.greeting

    assert at.held.hub.listeners == set()


async def test_a_client_is_told_who_it_is_and_answered(
    at: Gateway, houses: tuple[Cast, Cast], order: dict[str, Any]
) -> None:
    play = houses[0]
    async with ear(at, token_of(play.customer)) as customer:
        assert await customer.follow(order) == {
            "ok": True,
            "orderId": order["id"],
            "sequence": (await at.held.live.missed(order["id"], None)).sequence,
            "resync": False,
        }
        wrong = await customer.ask("subscribe:order", orderId="x", more=1)
        unknown = await customer.ask("disconnect")
        forbidden = await customer.ask("driver:location", latitude=1.0, longitude=1.0)
        elsewhere = await customer.ask("subscribe:order", orderId=order["id"], sequence=-1)

    assert customer.greeting["userId"] == ids(play)[R.CUSTOMER]
    assert customer.greeting["role"] == "customer"
    assert datetime.fromisoformat(customer.greeting["expiresAt"]) > datetime.now(UTC)
    assert {error["field"] for error in wrong["errors"]} == {"orderId", "more"}
    refused = [wrong, unknown, forbidden, elsewhere]
    assert [said["ok"] for said in refused] == [False] * 4
    assert [said["code"] for said in refused] == [
        "invalid_request",
        "unknown_command",
        "forbidden",
        "invalid_request",
    ]


async def test_where_no_websocket_gets_through_a_client_may_poll(
    at: Gateway, houses: tuple[Cast, Cast], order: dict[str, Any]
) -> None:
    play = houses[0]
    async with httpx.AsyncClient(base_url=at.http, params={"EIO": "4"}) as http:
        opened = await http.get("/socket.io/", params={"transport": "polling"})
        here = {"transport": "polling", "sid": json.loads(opened.text[1:])["sid"]}

        async def ask(packet: str) -> list[str]:
            assert (await http.post("/socket.io/", params=here, content=packet)).text == "OK"
            return (await http.get("/socket.io/", params=here)).text.split("\x1e")

        joined = await ask(f'40/realtime,{{"token":"{token_of(play.customer)}"}}')
        answered = await ask(f'42/realtime,1["subscribe:order",{{"orderId":"{order["id"]}"}}]')
        waiting = asyncio.create_task(http.get("/socket.io/", params=here))
        await at.tell(H.MESSAGE, order["id"], ids(play)[R.CUSTOMER], text="x" * 5_000)
        told = await waiting
        left = await http.post("/socket.io/", params=here, content="1")

    assert [packet[:12] for packet in joined] == ["40/realtime,", "42/realtime,"]
    assert answered[0].startswith('43/realtime,1[{"ok":true')
    assert told.text.startswith('42/realtime,["message:new",')
    assert told.headers["content-encoding"] == "gzip"
    assert left.status_code == 200
    assert at.held.hub.listeners == set()


async def test_each_hears_what_is_for_his_role_and_addressed_to_him_and_no_more(
    at: Gateway, houses: tuple[Cast, Cast], order: dict[str, Any]
) -> None:
    here, elsewhere = houses
    insiders, strangers = ids(here), ids(elsewhere)
    async with AsyncExitStack() as open_ears:

        async def listen(play: Cast) -> dict[Role, Ear]:
            return {
                role: await open_ears.enter_async_context(ear(at, token_of(person)))
                for role, person in everybody(play).items()
            }

        ours, others = await listen(here), await listen(elsewhere)
        for role, listener in ours.items():
            assert (await listener.follow(order))["ok"], role
        answers = {role: await listener.follow(order) for role, listener in others.items()}
        assert answers.pop(R.ADMIN)["ok"]
        assert {said["code"] for said in answers.values()} == {"not_found"}

        # Said to all the world: what keeps it from the wrong ones is what they are.
        world = [*insiders.values(), *strangers.values(), ADMINS]
        await tell_everything(at, order, *world, what="all")
        # Said to one: it is nobody else's.
        for role, user_id in insiders.items():
            to = ADMINS if role is R.ADMIN else user_id
            await tell_everything(at, order, to, what=role.value)
        await at.tell(H.STATUS, order["id"], *world, what="the last")
        for listener in ours.values():
            await until_last(listener)
        for listener in others.values():
            await listener.ask("unsubscribe:order", orderId=order["id"])

    for role, listener in ours.items():
        heard = [(name, said["what"]) for name, said in listener.heard]
        may = names(role)
        both = [*((name, "all") for name in may), *((name, role.value) for name in may)]
        assert heard == [*both, (H.STATUS.value, "the last")], role
        numbers = [said["sequence"] for _, said in listener.heard]
        assert numbers == sorted(set(numbers))
        assert {said["orderId"] for _, said in listener.heard} == {order["id"]}
    assert others.pop(R.ADMIN).names == ours[R.ADMIN].names
    for role, listener in others.items():
        # What is of no order that one subscribes to goes to whom it is addressed.
        assert listener.names == names(role, *set(H) - OF_ORDER), role


def names(role: Role, *among: Happening) -> list[str]:
    """What a role may hear of."""
    return [h.value for h in H if role in AUDIENCE[h] and h in (among or H)]


async def tell_everything(at: Gateway, order: dict[str, Any], *to: str, what: str) -> None:
    """Tell one of each."""
    for happening in H:
        await at.tell(happening, order["id"], *to, what=what)


async def until_last(listener: Ear) -> None:
    async def has_come() -> bool:
        return any(said.get("what") == "the last" for _, said in listener.heard)

    await until(has_come)


async def test_whoever_was_away_gets_what_he_missed_before_the_answer(
    at: Gateway, houses: tuple[Cast, Cast], order: dict[str, Any]
) -> None:
    customer, chef = ids(houses[0])[R.CUSTOMER], ids(houses[0])[R.CHEF]
    async with ear(at, token_of(houses[0].customer)) as first:
        await first.follow(order)
        seen = await at.tell(H.STATUS, order["id"], customer, what=1)
        await first.hears(H.STATUS)
    missed = await at.tell(H.MESSAGE, order["id"], customer, what=2)
    await at.tell(H.MESSAGE, order["id"], chef, what="not his")
    # Where the driver is before pickup is none of the customer's business, whoever says so.
    reached = await at.tell(H.POSITION, order["id"], customer, what="not now")

    async with ear(at, token_of(houses[0].customer)) as again:
        answered = await again.follow(order, sequence=seen)
        assert [(name, said["what"]) for name, said in again.heard] == [(H.MESSAGE.value, 2)]
        assert again.heard[0][1]["sequence"] == missed
        assert (answered["sequence"], answered["resync"]) == (reached, False)
        await again.ask("unsubscribe:order", orderId=order["id"])
        await at.tell(H.MESSAGE, order["id"], customer, what=3)
        ahead = await again.follow(order, sequence=reached + 100)

    assert ahead["resync"] is True
    assert len(again.heard) == 1


async def test_a_connection_ends_with_its_token_unless_it_is_renewed(
    at: Gateway, houses: tuple[Cast, Cast], environment: Mapping[str, str]
) -> None:
    play = houses[0]
    short = old_token(play, environment, left=timedelta(seconds=3))
    async with ear(at, short) as left, ear(at, short) as renewed:
        answered = await renewed.ask("token:renew", token=token_of(play.customer))
        others = await renewed.ask("token:renew", token=token_of(play.chef))
        bad = await renewed.ask("token:renew", token=short + "x")
        ended = await left.hears("session:ended")
        await left.is_gone()

        assert ended["code"] == "token_expired"
        assert answered["ok"]
        assert answered["expiresAt"] > renewed.greeting["expiresAt"]
        assert (others["code"], bad["code"]) == ("forbidden", "unauthorized")
        assert (await renewed.ask("unsubscribe:order", orderId=play.world.chef.id.hex))["ok"]
        assert renewed.names == []


async def test_whoever_is_shut_out_is_hung_up_on_and_not_let_in_again(
    at: Gateway, environment: Mapping[str, str]
) -> None:
    async with cast(environment, drivers=1) as play:
        theirs, user = token_of(play.chef), play.world.chef.user_id
        async with ear(at, theirs) as chef, ear(at, token_of(play.customer)) as customer:
            # What is heard late says nothing of who has logged in since.
            earlier = datetime.now(UTC) - timedelta(minutes=1)
            await at.held.live.end_sessions(play.world.customer.user_id, earlier)
            await at.held.shut_outs.shut_out(user)
            assert (await chef.hears("session:ended"))["code"] == "session_ended"
            await chef.is_gone()
            assert (await customer.ask("unsubscribe:order", orderId=str(user)))["ok"]

        async with ear(at, theirs) as again:
            assert again.refused[0]["data"]["code"] == "unauthorized"


async def test_there_are_limits_to_connections_orders_and_messages(
    at: Gateway, houses: tuple[Cast, Cast], order: dict[str, Any]
) -> None:
    play = houses[0]
    more = [await play.place() for _ in range(2)]
    async with AsyncExitStack() as open_ears:
        ears = [
            await open_ears.enter_async_context(ear(at, token_of(play.customer))) for _ in range(4)
        ]
        assert ears[3].refused[0]["data"]["code"] == "too_many_connections"
        answers = [await ears[0].follow(one) for one in (order, *more, order)]
        assert [said.get("code") for said in answers] == [None, None, "too_many_orders", None]

        flood = await asyncio.gather(
            *(ears[1].ask("unsubscribe:order", orderId=order["id"]) for _ in range(60))
        )
        assert {said.get("code") for said in flood} == {None, "too_many"}
        for _ in range(100):
            await ears[1].socket.emit("unsubscribe:order", {}, namespace="/realtime")
        assert (await ears[1].hears("session:ended"))["code"] == "too_many"
        await ears[1].is_gone()
        assert (await ears[2].follow(order))["ok"]


async def test_who_does_not_read_is_cut_off_and_holds_up_nobody(
    environment: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    redis_url: str,
    houses: tuple[Cast, Cast],
    order: dict[str, Any],
) -> None:
    customer = ids(houses[0])[R.CUSTOMER]
    async with gateway(environment, monkeypatch, redis_url, LIVE_BACKLOG="20") as at:
        url = f"{at.http.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket"
        async with (
            ear(at, token_of(houses[0].customer)) as reading,
            websockets.connect(url, max_queue=1, ping_interval=None) as deaf,
        ):
            await reading.follow(order)
            await deaf.send(f'40/realtime,{{"token":"{token_of(houses[0].customer)}"}}')
            await deaf.send(f'42/realtime,["subscribe:order",{{"orderId":"{order["id"]}"}}]')

            async def both_listen() -> bool:
                return len(at.held.hub._of_order) == 1 and len(at.held.hub.listeners) == 2

            await until(both_listen)
            told = 0
            async with asyncio.timeout(PATIENCE * 2):
                while len(at.held.hub.listeners) > 1:
                    await at.tell(H.MESSAGE, order["id"], customer, text="x" * 200_000)
                    told += 1
                    await reading.hears(H.MESSAGE, times=told)
            await is_cut_off(deaf)
            assert (await reading.follow(order))["ok"]


async def is_cut_off(connection: websockets.ClientConnection) -> None:
    """Read until the server has hung up."""
    with suppress(websockets.ConnectionClosed):
        async with asyncio.timeout(PATIENCE):
            while True:
                await connection.recv()


async def test_who_says_nothing_and_who_says_nonsense_is_cut_off(
    at: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{at.http.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket"
    for nonsense in ("x", "4x", "42", "42/realtime,[", '47/realtime,["a"]', "45-"):
        async with websockets.connect(url) as talking:
            await talking.send(nonsense)
            await is_cut_off(talking)
    monkeypatch.setattr(socket_io, "SETTLING_SECONDS", 0.1)
    async with websockets.connect(url) as silent:
        await is_cut_off(silent)


async def go_on_and_on(connection: websockets.ClientConnection, message: str) -> None:
    """Say the same without end, and read nothing."""
    async with asyncio.timeout(PATIENCE):
        while True:
            await connection.send(message)


async def test_who_leaves_or_never_reads_his_answers_keeps_no_connection(
    at: Gateway, houses: tuple[Cast, Cast], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{at.http.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket"
    async with websockets.connect(url, max_queue=1, ping_interval=None) as deaf:
        with pytest.raises(websockets.ConnectionClosed):
            await go_on_and_on(deaf, f"40/{'x' * 1000},")

    monkeypatch.setattr(socket_io, "SETTLING_SECONDS", 2)
    async with websockets.connect(url) as leaving:
        await leaving.send(f'40/realtime,{{"token":"{token_of(houses[0].customer)}"}}')
        async with asyncio.timeout(PATIENCE):
            while '"connected"' not in str(await leaving.recv()):
                pass
        await leaving.send("41/realtime,")
        await is_cut_off(leaving)


async def test_a_driver_says_where_he_is_by_the_limits_that_hold_by_http(
    environment: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    redis_url: str,
    houses: tuple[Cast, Cast],
) -> None:
    play = houses[0]
    kitchen = play.world.kitchen
    here = {"latitude": kitchen.latitude + 0.003, "longitude": kitchen.longitude}
    async with (
        gateway(environment, monkeypatch, redis_url, RATE_LIMIT_POSITIONS="2/minute") as at,
        ear(at, token(environment, play.world.drivers[1])) as driver,
    ):
        wrong = await driver.ask("driver:location", latitude=30.27)
        said = await driver.ask("driver:location", **here)
        again = await driver.ask("driver:location", **here)
        too_often = await driver.ask("driver:location", **here)
        seen = await at.held.positions.of(play.world.drivers[1].id)

    assert wrong["code"] == "invalid_request"
    assert (said["ok"], said["accepted"], said["refused"]) == (True, 1, [])
    assert seen is not None
    assert seen.point.latitude == pytest.approx(here["latitude"], abs=1e-5)
    assert again["ok"]
    assert (too_often["ok"], too_often["code"]) == (False, "rate_limited")
    assert at.held.hub.listeners == set()


async def test_pages_of_ours_may_poll_and_follow_from_a_browser(
    environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    ours = {"Origin": "https://app.example.com"}
    asked = {"Access-Control-Request-Method": "GET"}
    asked["Access-Control-Request-Headers"] = "Authorization, Last-Event-ID"
    async with (
        gateway(environment, monkeypatch, redis_url, CORS_ORIGINS=f'["{ours["Origin"]}"]') as at,
        httpx.AsyncClient(base_url=at.http) as http,
    ):
        polled = await http.get("/socket.io/?EIO=4&transport=polling", headers=ours)
        strangers = await http.get(
            "/socket.io/?EIO=4&transport=polling", headers={"Origin": "https://evil.example"}
        )
        may = await http.options("/api/v1/orders/1/track", headers={**ours, **asked})

    assert polled.status_code == 200
    assert polled.headers.get_list("access-control-allow-origin") == [ours["Origin"]]
    assert "access-control-allow-origin" not in strangers.headers
    assert may.status_code == 200
