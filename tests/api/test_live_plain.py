"""Clients of a plain WebSocket: who is let in, and the shapes of seed 004, section 8.2."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import pytest
import websockets

from api.live import plain
from domain.live import Happening
from domain.order_status import OrderStatus
from local.cast import Cast
from tests.api.listening import PATIENCE, Gateway, frame, gateway, token_of
from tests.conftest import TEST_REDIS_DATABASE

H = Happening


@pytest.fixture(scope="module")
async def at(environment: Mapping[str, str]) -> AsyncIterator[Gateway]:
    redis_url = environment["REDIS_URL"].rsplit("/", 1)[0] + f"/{TEST_REDIS_DATABASE}"
    with pytest.MonkeyPatch.context() as patched:
        async with gateway(environment, patched, redis_url, LIVE_MESSAGES_AT_ONCE="10") as running:
            yield running


async def said(connection: websockets.ClientConnection) -> dict[str, Any]:
    """The next message."""
    async with asyncio.timeout(PATIENCE):
        read: dict[str, Any] = json.loads(await connection.recv())
    return read


async def closed(connection: websockets.ClientConnection) -> int:
    """The code that the server closes with."""
    async with asyncio.timeout(PATIENCE):
        await connection.wait_closed()
    assert connection.close_code is not None
    return connection.close_code


async def test_a_client_says_who_it_is_by_a_header_or_first_of_all(
    at: Gateway, play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = {"Authorization": play.customer.authorization}
    async with websockets.connect(at.plain, additional_headers=theirs) as connection:
        assert (await said(connection))["type"] == "CONNECTED"
    token = token_of(play.customer)
    for first in ({"token": token}, {"payload": {"token": token}, "id": 7}):
        async with websockets.connect(at.plain) as connection:
            await connection.send(json.dumps({"type": "AUTH", **first}))
            greeting = await said(connection)
        assert greeting["payload"]["userId"] == str(play.world.customer.user_id)
        assert set(greeting["payload"]) == {"userId", "role", "expiresAt"}

    for wrong in (frame("AUTH", 1, token="no token"), frame("SUBSCRIBE_ORDER", 1), "hello", "[]"):
        async with websockets.connect(at.plain) as connection:
            await connection.send(wrong)
            refused = await said(connection)
            assert (refused["type"], refused["ok"], refused["code"]) == (
                "ACK",
                False,
                "unauthorized",
            )
            assert await closed(connection) == 4401
    with pytest.raises(websockets.InvalidStatus) as sent_away:
        await websockets.connect(at.plain, additional_headers={"Authorization": "Bearer none"})
    assert sent_away.value.response.status_code == 401
    assert json.loads(sent_away.value.response.body)["code"] == "unauthorized"

    monkeypatch.setattr(plain, "SETTLING_SECONDS", 0.1)
    async with websockets.connect(at.plain) as silent:
        assert await closed(silent) == 4408
    assert at.held.hub.listeners == set()


async def test_events_and_answers_have_the_shapes_of_the_seed(at: Gateway, play: Cast) -> None:
    order = await play.bring(OrderStatus.ACCEPTED)
    customer, chef = play.world.customer.user_id, play.world.chef.user_id
    async with (
        websockets.connect(
            at.plain, additional_headers={"Authorization": play.customer.authorization}
        ) as eater,
        websockets.connect(
            at.plain, additional_headers={"Authorization": play.chef.authorization}
        ) as cook,
    ):
        await said(eater)
        await said(cook)
        await eater.send(frame("SUBSCRIBE_ORDER", 1, orderId=order["id"]))
        subscribed = await said(eater)
        await at.tell(
            H.STATUS,
            order["id"],
            customer,
            status="preparing",
            estimatedDeliveryAt="2026-01-31T19:00:00Z",
        )
        status = await said(eater)
        await at.tell(
            H.POSITION,
            order["id"],
            customer,
            deliveryId="d1",
            latitude=12.9716,
            longitude=77.5946,
            estimatedDeliveryAt=None,
        )
        position = await said(eater)
        await at.tell(H.MESSAGE, order["id"], customer, text="ten minutes")
        message = await said(eater)
        await at.tell(H.ETA, order["id"], customer, isNearDoor=True)
        eta = await said(eater)
        await at.tell(
            H.NEW_ORDER, order["id"], chef, orderNumber="RND-1", items=[], totalCents=2599
        )
        new = await said(cook)

        await eater.send(frame("SUBSCRIBE_ORDER", 2, orderId=order["id"], sequence=1))
        missed = [await said(eater) for _ in range(3)]
        await eater.send(frame("SUBSCRIBE_ORDER", 3, orderId=str(uuid4())))
        not_theirs = await said(eater)
        await eater.send("no JSON")
        nonsense = await said(eater)
        await eater.send(b"\xff")
        bytes_ = await said(eater)
        await eater.send(frame("TOKEN_RENEW", 4, token=token_of(play.customer)))
        renewed = await said(eater)

    assert subscribed == {
        "type": "ACK",
        "id": 1,
        "ok": True,
        "orderId": order["id"],
        "sequence": 0,
        "resync": False,
    }
    assert status["type"] == "ORDER_STATUS_UPDATE"
    assert status["payload"]["orderId"] == order["id"]
    assert status["payload"]["status"] == "preparing"
    assert status["payload"]["timestamp"] == status["payload"]["at"]
    assert status["payload"]["estimatedTime"] == "2026-01-31T19:00:00Z"
    assert status["payload"]["sequence"] == 1
    assert position["type"] == "DELIVERY_LOCATION"
    assert position["payload"]["location"] == {"lat": 12.9716, "lng": 77.5946}
    assert (position["payload"]["deliveryId"], position["payload"]["eta"]) == ("d1", None)
    assert (message["type"], message["payload"]["text"]) == ("CHAT_MESSAGE", "ten minutes")
    assert (eta["type"], eta["payload"]["isNearDoor"]) == ("ORDER_ETA_UPDATE", True)
    assert (new["type"], new["payload"]["total"]) == ("NEW_ORDER", 25.99)
    # Where a driver is, nobody is told afterwards who may not see it now.
    assert [one["type"] for one in missed] == ["CHAT_MESSAGE", "ORDER_ETA_UPDATE", "ACK"]
    assert (not_theirs["id"], not_theirs["code"]) == (3, "not_found")
    assert (nonsense["id"], nonsense["code"], bytes_["code"]) == (
        None,
        "invalid_request",
        "invalid_request",
    )
    assert (renewed["id"], renewed["ok"]) == (4, True)


async def test_who_goes_on_and_on_or_does_not_read_is_hung_up_on(at: Gateway, play: Cast) -> None:
    theirs = {"Authorization": play.customer.authorization}
    async with websockets.connect(at.plain, additional_headers=theirs) as flooding:
        for _ in range(40):
            await flooding.send(frame("UNSUBSCRIBE_ORDER"))
        codes: list[str | None] = []
        with pytest.raises(websockets.ConnectionClosedError):
            await read_on(flooding, codes)
    assert codes[:11] == [None, *["invalid_request"] * 10]
    assert codes.count("too_many") >= 10
    assert flooding.close_code == 4429
    assert at.held.hub.listeners == set()

    order = await play.place()
    async with websockets.connect(
        at.plain, additional_headers=theirs, max_queue=1, ping_interval=None
    ) as deaf:
        await deaf.send(frame("SUBSCRIBE_ORDER", 1, orderId=order["id"]))
        while json.loads(await deaf.recv())["type"] != "ACK":
            pass
        async with asyncio.timeout(PATIENCE):
            while at.held.hub.listeners:
                await at.tell(
                    H.MESSAGE, order["id"], play.world.customer.user_id, text="x" * 200_000
                )
        with pytest.raises(websockets.ConnectionClosedError):
            await read_on(deaf, [])


async def read_on(connection: websockets.ClientConnection, codes: list[str | None]) -> None:
    """Read until the server has hung up, and note the codes."""
    async with asyncio.timeout(PATIENCE):
        while True:
            codes.append(json.loads(await connection.recv()).get("code"))
