"""Following an order by Server-Sent Events: what comes first, what was missed, and when it ends."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx
import pytest

from api.auth import access_token
from domain.live import Happening
from domain.order_status import OrderStatus
from domain.permissions import Role
from local.cast import Cast
from schema.queries.people import Login
from settings import Settings
from tests.api.listening import PATIENCE, Gateway, gateway
from tests.conftest import TEST_REDIS_DATABASE

H, S = Happening, OrderStatus


class Event(NamedTuple):
    name: str
    id: str | None
    data: dict[str, Any]


@pytest.fixture(scope="module")
async def at(environment: Mapping[str, str]) -> AsyncIterator[Gateway]:
    redis_url = environment["REDIS_URL"].rsplit("/", 1)[0] + f"/{TEST_REDIS_DATABASE}"
    with pytest.MonkeyPatch.context() as patched:
        async with gateway(environment, patched, redis_url, LIVE_BACKLOG="20") as running:
            yield running


class Stream:
    """A stream that is read."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self) -> Event | None:
        """The next event; None once the stream has ended."""
        read: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if line and name:
                    read[name] = value
                elif read:
                    return Event(read["event"], read.get("id"), json.loads(read["data"]))
        return None

    async def rest(self) -> list[Event]:
        """All that comes until the end."""
        found = []
        while (event := await self.next()) is not None:
            found.append(event)
        return found


@asynccontextmanager
async def stream(
    at: Gateway, order: Mapping[str, Any], authorization: str, last: str | None = None
) -> AsyncIterator[Stream]:
    headers = {"Authorization": authorization, "Accept": "text/event-stream"}
    headers |= {} if last is None else {"Last-Event-ID": last}
    async with (
        httpx.AsyncClient(base_url=f"{at.http}/api/v1", timeout=PATIENCE) as http,
        http.stream("GET", f"/orders/{order['id']}/track", headers=headers) as response,
    ):
        yield Stream(response)


async def test_a_stream_begins_with_the_order_and_ends_with_it(at: Gateway, play: Cast) -> None:
    order = await play.bring(S.PICKED_UP)
    customer = play.world.customer.user_id
    async with stream(at, order, play.customer.authorization) as following:
        state = await following.next()
        assert following.response.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in following.response.headers
        assert state is not None
        assert (state.name, state.id, state.data["sequence"]) == ("state", "0", 0)
        assert state.data["order"] == await play.customer.get(f"/orders/{order['id']}")
        await at.tell(H.NEW_ORDER, order["id"], customer, what="not here")
        await at.tell(H.POSITION, order["id"], customer, latitude=1.0)
        await at.tell(H.MESSAGE, order["id"], play.world.chef.user_id, text="not his")
        await at.tell(H.MESSAGE, order["id"], customer, text="his")
        heard = [await following.next(), await following.next()]
        assert [one and (one.name, one.id) for one in heard] == [
            ("driver:location_update", "2"),
            ("message:new", "4"),
        ]

    async with stream(at, order, play.customer.authorization, last="2") as again:
        message = await again.next()
        assert message is not None
        assert (message.id, message.data["text"]) == ("4", "his")
        await at.tell(H.STATUS, order["id"], customer, status="delivered")
        assert [(one.name, one.id) for one in await again.rest()] == [
            ("order:status_update", "5"),
            ("end", "over"),
        ]
    assert at.held.hub.listeners == set()
    async with stream(at, order, play.customer.authorization, last="over") as over:
        assert over.response.status_code == 204

    async with stream(at, order, play.customer.authorization, last="99") as ahead:
        assert [(await ahead.next() or state).name for _ in range(2)] == ["resync", "state"]
        at.held.hub.resync()
        assert [(await ahead.next() or state).name for _ in range(2)] == ["resync", "state"]

    for status in (S.IN_TRANSIT, S.DELIVERED):
        await play.driver_says(0, order, status)
    async with stream(at, order, play.customer.authorization, last="5") as late:
        assert [one.name for one in await late.rest()] == ["state", "end"]


async def test_a_stream_is_for_whom_the_order_concerns_as_long_as_his_token_is_good(
    at: Gateway, play: Cast, environment: Mapping[str, str]
) -> None:
    order = await play.place()
    for stranger in (play.chef, play.drivers[0]):
        async with stream(at, order, stranger.authorization) as refused:
            assert refused.response.status_code == 404
    async with stream(at, order, "Bearer none") as refused:
        assert refused.response.status_code == 401

    settings, somebody = Settings.of(environment), play.world.customer
    given_at = datetime.now(UTC) + timedelta(seconds=3)
    given_at -= timedelta(minutes=settings.access_token_minutes)
    login = Login(somebody.user_id, somebody.email, Role.CUSTOMER, "", "Test", "Person")
    short = access_token(login, settings, given_at)
    async with (
        stream(at, order, f"Bearer {short}") as expiring,
        stream(at, order, play.admin.authorization) as other,
    ):
        assert (await other.next() or None) is not None
        *_, last = await expiring.rest()
        assert (last.name, last.id, last.data["code"]) == ("end", None, "token_expired")
        await at.held.shut_outs.shut_out(play.world.admin.user_id)
        (ended,) = await other.rest()
        assert (ended.name, ended.data["code"]) == ("end", "session_ended")


async def test_who_does_not_read_a_stream_is_cut_off(at: Gateway, play: Cast) -> None:
    order = await play.place()
    async with stream(at, order, play.customer.authorization) as deaf:
        await deaf.next()
        async with asyncio.timeout(PATIENCE):
            while at.held.hub.listeners:
                await at.tell(
                    H.MESSAGE, order["id"], play.world.customer.user_id, text="x" * 200_000
                )
        with pytest.raises(httpx.TransportError):
            await deaf.rest()
