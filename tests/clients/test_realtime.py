"""The gateway, by the official client of Socket.IO from npm and a plain one, on two processes."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from api.auth import access_token
from domain.order_status import OrderStatus
from local import processes
from local.cast import Cast, Order
from local.processes import Running
from local.world import Somebody
from schema.queries.people import Login
from schema.tables import Role
from settings import Settings
from tests.clients.facades import another_facade, balanced
from tests.clients.npm_clients import Clients, npm_clients

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm")

S = OrderStatus
STATUS, ETA, POSITION = "order:status_update", "order:eta_update", "driver:location_update"
WHOLE_LIFE = [
    "payment_confirmed",
    "accepted",
    "preparing",
    "ready_for_pickup",
    "assigned_to_driver",
    "picked_up",
    "in_transit",
    "delivered",
]


@pytest.fixture
async def clients() -> AsyncIterator[Clients]:
    async with npm_clients() as told:
        yield told


@pytest.fixture
async def second(
    environment: Mapping[str, str], tmp_path: Path
) -> AsyncIterator[tuple[Running, str]]:
    async with another_facade(environment, tmp_path) as started:
        yield started


def bearer(person: Any) -> str:
    return str(person.authorization.removeprefix("Bearer "))


def statuses(heard: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [data["status"] for event, data in heard if event == STATUS]


def numbers(heard: list[tuple[str, dict[str, Any]]], order: Order) -> list[int]:
    return [data["sequence"] for _, data in heard if data.get("orderId") == order["id"]]


async def test_nobody_comes_in_or_stays_without_a_token_that_is_good(
    play: Cast, clients: Clients
) -> None:
    url, settings = play.environment["API_URL"], Settings.of(play.environment)

    def token(of: Somebody, good_for: timedelta) -> str:
        lifetime = timedelta(minutes=settings.access_token_minutes)
        who = Login(of.user_id, of.email, Role.CUSTOMER, "", "Test", "Person")
        return access_token(who, settings, datetime.now(UTC) - lifetime + good_for)

    customer = play.world.customer
    refused = [
        await clients.connect(f"stranger {number}", url, bad)
        for number, bad in enumerate(
            (None, "no token", token(customer, -timedelta(seconds=2)), bearer(play.chef)[:-3])
        )
    ]
    came = await clients.connect("customer", url, token(customer, timedelta(seconds=3)))
    gone = await clients.ended("customer")

    assert [one["refused"]["code"] for one in refused] == ["unauthorized"] * 4
    assert came["userId"] == str(customer.user_id)
    assert gone == "io server disconnect"
    assert (await clients.heard("customer"))[-1][1]["code"] == "token_expired"


async def test_a_whole_order_is_heard_in_order_by_everybody_on_two_processes(
    play: Cast, clients: Clients, second: tuple[Running, str]
) -> None:
    here, (_, there) = play.environment["API_URL"], second
    order = await play.place()
    await asyncio.gather(
        clients.connect("customer", here, bearer(play.customer)),
        clients.connect("chef", there, bearer(play.chef)),
        clients.connect("driver", there, bearer(play.drivers[0])),
        clients.connect("stranger", here, bearer(play.drivers[1])),
    )
    assert (await clients.subscribe("customer", order["id"]))["ok"]

    await play.pay(order)
    new = await clients.until("chef", "order:new", orderId=order["id"])
    assert (await clients.subscribe("chef", order["id"], new["sequence"]))["ok"]
    for status in ("accepted", "preparing", "ready_for_pickup"):
        await play.chef_says(order, status)
    offer = await clients.until("driver", "driver:offer")
    assert offer["orderIds"] == [order["id"]]
    early = await clients.subscribe("driver", order["id"])
    await play.drivers[0].post(f"/delivery/offers/{offer['offerId']}/accept")
    await clients.until("driver", "driver:new_assignment", orderId=order["id"])
    assert (await clients.subscribe("driver", order["id"]))["ok"]
    refused = await clients.subscribe("stranger", order["id"])
    await play.driver_says(0, order, "picked_up")
    await play.driver_says(0, order, "in_transit")
    kitchen = play.world.kitchen
    said = await clients.ask(
        "driver",
        "driver:location",
        latitude=kitchen.latitude + 0.003,
        longitude=kitchen.longitude,
    )
    seen = await clients.until("customer", POSITION, orderId=order["id"])
    await play.driver_says(0, order, "delivered")
    for who in ("customer", "chef", "driver"):
        await clients.until(who, STATUS, status="delivered")

    heard = {who: await clients.heard(who) for who in ("customer", "chef", "driver", "stranger")}
    assert new["totalCents"] == order["totalCents"]
    assert (early["code"], refused["code"]) == ("not_found", "not_found")
    assert said["accepted"] == 1
    assert seen["latitude"] == pytest.approx(kitchen.latitude + 0.003)
    assert statuses(heard["customer"]) == WHOLE_LIFE
    assert statuses(heard["chef"]) == WHOLE_LIFE[1:]
    assert statuses(heard["driver"]) == WHOLE_LIFE[-3:]
    assert [event for event, _ in heard["stranger"]] == ["connected"]
    for who in ("customer", "chef", "driver"):
        of_it = numbers(heard[who], order)
        assert all(one < later for one, later in pairwise(of_it)), who
        assert {event for event, _ in heard[who]} - {STATUS, ETA, "connected"} == OTHERS[who]


# Beside the steps of the order and when it is expected.
OTHERS = {
    "customer": {POSITION},
    "chef": {"order:new"},
    "driver": {"driver:offer", "driver:new_assignment"},
}


async def test_a_killed_process_costs_nobody_an_event(
    play: Cast, clients: Clients, second: tuple[Running, str]
) -> None:
    first_to_ask, there = second
    order = await play.bring(S.PAYMENT_CONFIRMED)
    async with balanced(there, play.environment["API_URL"]) as url:
        plain = Plain(url, bearer(play.customer), order)
        listening = asyncio.create_task(plain.listen())
        await clients.connect("customer", url, bearer(play.customer))
        await clients.connect("chef", url, bearer(play.chef))
        for who in ("customer", "chef"):
            assert (await clients.subscribe(who, order["id"], 0))["ok"]
        await play.chef_says(order, "accepted")
        await asyncio.gather(
            *(clients.until(who, STATUS, status="accepted") for who in ("customer", "chef")),
            plain.has_heard("accepted"),
        )

        await asyncio.to_thread(processes.kill, first_to_ask)
        for status in ("preparing", "ready_for_pickup"):
            await play.chef_says(order, status)
        await asyncio.gather(
            *(
                clients.until(who, STATUS, status="ready_for_pickup")
                for who in ("customer", "chef")
            ),
            plain.has_heard("ready_for_pickup"),
        )
        heard = [await clients.heard(who) for who in ("customer", "chef")] + [plain.heard]
        came = [sum(event in {"connected", "CONNECTED"} for event, _ in one) for one in heard]
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    assert came == [2, 2, 2]
    assert statuses(heard[0]) == WHOLE_LIFE[:4]
    customer, chef, without_a_library = (numbers(one, order) for one in heard)
    assert len(set(customer)) == len(customer)
    assert without_a_library == customer
    # That there is a new order is for the chef alone.
    assert sorted({*customer, *chef}) == chef == list(range(1, len(chef) + 1))


class Plain:
    """A client of a plain WebSocket, that comes back by itself."""

    def __init__(self, url: str, token: str, order: Order) -> None:
        self._url = url.replace("http", "ws") + "/api/v1/ws"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._order = order
        self._sequence = 0
        self._changed = asyncio.Condition()
        self.heard: list[tuple[str, dict[str, Any]]] = []

    async def listen(self) -> None:
        """Follow the order, whatever becomes of connections."""
        async for socket in connect(self._url, additional_headers=self._headers):
            body = {"orderId": self._order["id"], "sequence": self._sequence}
            await socket.send(json.dumps({"type": "SUBSCRIBE_ORDER", "payload": body, "id": 1}))
            try:
                async for text in socket:
                    await self._note(json.loads(text))
            except ConnectionClosed:
                continue

    async def has_heard(self, status: str) -> None:
        """Wait until it was told of a step."""
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(
                lambda: any(data.get("status") == status for _, data in self.heard)
            )

    async def _note(self, said: dict[str, Any]) -> None:
        async with self._changed:
            if said["type"] != "ACK":
                data = said["payload"]
                self.heard.append((said["type"], data))
                self._sequence = max(self._sequence, data.get("sequence") or 0)
            self._changed.notify_all()
