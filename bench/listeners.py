"""Thousands of clients in one process, that note what they are told and when.

Run as a program by the bench of the gateway. They offer compression, as browsers do, answer pings,
and come back with the last number they saw if they lose their connection. Commands are read from
stdin as lines of JSON, what came of them is printed likewise.
"""

import argparse
import asyncio
import itertools
import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import uvloop
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

# Connections that are being made at once.
_AT_ONCE = 100
_NAMESPACE = "/realtime"
# The number of the command that each begins with, and those of others.
_SUBSCRIBING = "0"
_IDS = itertools.count(1)
_AGAIN_SECONDS = 0.5
# Whoever is refused so often will not get in.
_MOST_TRIES = 60


class Person(NamedTuple):
    """Whose order a client looks at, and with which token."""

    order_id: str
    token: str


class Receipt(NamedTuple):
    """What a client was told of its order, and when (monotonic seconds); `mark` tells it from
    others of its kind. Not `live` is what it was given when it came back.
    """

    order_id: str
    about: str
    happening: str
    sequence: int
    mark: str
    at: float
    live: bool


class Station:
    """All clients of this process, and what they noted."""

    def __init__(self, url: str, kind: type["Listener"]) -> None:
        self.url = parse_uri(url)
        self.receipts: list[Receipt] = []
        # From when until when which client was away.
        self.away: list[tuple[str, float, float]] = []
        self.lost = 0
        self.refused: list[str] = []
        self.samples: dict[str, dict[str, Any]] = {}
        self._kind = kind
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._clients: dict[str, Listener] = {}
        self._returning: set[asyncio.Task[None]] = set()

    async def open(self, people: Sequence[Person]) -> float:
        """Have all connected and subscribed; the seconds that it took."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for person in people:
                self._clients[person.order_id] = client = self._kind(self, person)
                group.create_task(self._connect(client))
        return time.monotonic() - began

    async def ask(self, order_id: str, command: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a command of a client's."""
        client = self._clients[order_id]
        async with asyncio.timeout(client.patience):
            return await client.ask(command, body)

    def close(self) -> None:
        """Have all leave."""
        for client in self._clients.values():
            client.break_off()

    def cut(self, order_ids: Sequence[str]) -> None:
        """Break the connections of some."""
        for client in self._among(order_ids):
            client.break_off()

    async def take_back(self, order_ids: Sequence[str]) -> None:
        """Have those come back whose connections were broken."""
        await asyncio.gather(*(self._come_back(client) for client in self._among(order_ids)))

    def is_lost(self, client: "Listener") -> None:
        """Somebody was hung up on."""
        self.lost += 1
        task = asyncio.create_task(self._come_back(client))
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    def note(self, client: "Listener", happening: str, told: dict[str, Any], *, live: bool) -> None:
        """Somebody was told something."""
        at = time.monotonic()
        self.samples.setdefault(happening, told)
        mark = str(told.get("recordedAt") or told.get("status"))
        client.sequence = max(client.sequence or 0, told["sequence"])
        self.receipts.append(
            Receipt(
                client.person.order_id,
                told["orderId"],
                happening,
                told["sequence"],
                mark,
                at,
                live,
            )
        )

    def _among(self, order_ids: Sequence[str]) -> list["Listener"]:
        return [self._clients[one] for one in order_ids if one in self._clients]

    async def _come_back(self, client: "Listener") -> None:
        left = client.left_at
        await self._connect(client)
        self.away.append((client.person.order_id, left, time.monotonic()))

    async def _connect(self, client: "Listener") -> None:
        for _ in range(_MOST_TRIES):
            async with self._turns:
                try:
                    await client.connect()
                except (OSError, TimeoutError) as error:
                    self.refused.append(repr(error))
                else:
                    return
            await asyncio.sleep(_AGAIN_SECONDS)
        raise ConnectionError(f"refused {_MOST_TRIES} times: {self.refused[-1]}")


class Listener(asyncio.Protocol):
    """A client, as far as all of them are alike."""

    patience = 30.0

    def __init__(self, station: Station, person: Person) -> None:
        self.station, self.person = station, person
        self.sequence: int | None = None
        self.left_at = 0.0
        self._breaks_off = False
        self._transport: asyncio.Transport
        self._ws: ClientProtocol
        self._subscribed: asyncio.Future[None]

    async def connect(self) -> None:
        """Return once subscribed. Raises OSError or TimeoutError."""
        loop, url = asyncio.get_running_loop(), self.station.url
        self._subscribed = loop.create_future()
        self._breaks_off = False
        self._ws = ClientProtocol(url, extensions=[ClientPerMessageDeflateFactory()])
        async with asyncio.timeout(self.patience):
            await loop.create_connection(lambda: self, url.host, url.port)
            await self._subscribed

    async def ask(self, command: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a command."""
        raise NotImplementedError

    def break_off(self) -> None:
        """Be gone without a word."""
        self._breaks_off = True
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # TCP's can be written to, whatever uvloop's is called.
        self._transport = cast("asyncio.Transport", transport)
        self._ws.send_request(self._ws.connect())
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.left_at = time.monotonic()
        if not self._subscribed.done():
            self._subscribed.set_exception(ConnectionError(f"hung up on: {exc}"))
        elif not self._breaks_off and not self._subscribed.exception():
            self.station.is_lost(self)

    def data_received(self, data: bytes) -> None:
        self._ws.receive_data(data)
        for event in self._ws.events_received():
            if isinstance(event, Response):
                if self._ws.handshake_exc is not None:
                    self.fail(f"{event.status_code}: {event.body!r}")
                else:
                    self.opened()
            elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self.heard(bytes(event.data).decode())
        self._flush()

    def opened(self) -> None:
        """The connection stands."""

    def heard(self, text: str) -> None:
        """A text has come."""
        raise NotImplementedError

    def say(self, text: str) -> None:
        """Send a text."""
        self._ws.send_text(text.encode())
        self._flush()

    @property
    def is_subscribed(self) -> bool:
        """Whether what comes is what happens now."""
        return self._subscribed.done()

    def subscribed(self) -> None:
        """From now on it is told what happens."""
        if not self._subscribed.done():
            self._subscribed.set_result(None)

    def fail(self, why: str) -> None:
        """It was not let in."""
        if not self._subscribed.done():
            self._subscribed.set_exception(ConnectionError(why))
        self._transport.abort()

    def _flush(self) -> None:
        for data in self._ws.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()


class AtGateway(Listener):
    """Speaks Socket.IO (protocol 5 on Engine.IO 4), as the official clients do."""

    def __init__(self, station: Station, person: Person) -> None:
        super().__init__(station, person)
        self._asked: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def ask(self, command: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a command."""
        id_ = str(next(_IDS))
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[id_] = answer
        self.say(f"42{_NAMESPACE},{id_}" + json.dumps([command, body]))
        return await answer

    def heard(self, text: str) -> None:
        """By the first digits: 0 open, 2 ping, 40 in, 42 an event, 43 an answer, 44 not let in."""
        kind, _, rest = text.partition(f"{_NAMESPACE},")
        if text == "2":
            self.say("3")
        elif text.startswith("0"):
            self.say(f"40{_NAMESPACE}," + json.dumps({"token": self.person.token}))
        elif kind == "40":
            asked: dict[str, Any] = {"orderId": self.person.order_id}
            if self.sequence is not None:
                asked["sequence"] = self.sequence
            self.say(f"42{_NAMESPACE},{_SUBSCRIBING}" + json.dumps(["subscribe:order", asked]))
        elif kind == "42":
            name, told = json.loads(rest)
            if "orderId" in told:
                # What was missed comes before the answer.
                self.station.note(self, name, told, live=self.is_subscribed)
        elif kind == "43":
            id_, _, said = rest.partition("[")
            self._answered(id_, json.loads(f"[{said}")[0])
        elif kind == "44":
            self.fail(rest)

    def _answered(self, id_: str, answer: dict[str, Any]) -> None:
        if id_ != _SUBSCRIBING:
            self._asked.pop(id_).set_result(answer)
        elif answer["ok"]:
            self.sequence = max(self.sequence or 0, answer["sequence"])
            self.subscribed()
        else:
            self.fail(f"{answer}")


class AtBareServer(Listener):
    """Says its name, and hears what is for it."""

    def opened(self) -> None:
        """It is known by its name."""
        self.say(self.person.order_id)
        self.subscribed()

    def heard(self, text: str) -> None:
        """An event, as the gateway would say it."""
        name, told = json.loads(text)
        self.station.note(self, name, told, live=True)


KINDS: dict[str, type[Listener]] = {"gateway": AtGateway, "bare": AtBareServer}


async def _attend(station: Station, people: Sequence[Person]) -> dict[str, Any]:
    _say(connected=len(people), seconds=round(await station.open(people), 1))
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    async for line in reader:
        command = json.loads(line)
        if command["do"] == "cut":
            station.cut(command["orders"])
        elif command["do"] == "take back":
            await station.take_back(command["orders"])
        _say(count=len(station.receipts))
    return {
        "receipts": station.receipts,
        "away": station.away,
        "lost": station.lost,
        "refused": station.refused,
        "samples": station.samples,
    }


def _say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def main() -> None:
    """Connect, and listen until stdin ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--kind", choices=KINDS, required=True)
    parser.add_argument("--people", type=Path, required=True, help="[order id, token] of each")
    parser.add_argument("--log", type=Path, required=True, help="where to leave what was noted")
    asked = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    people = [Person(*row) for row in json.loads(asked.people.read_text())]

    async def attend() -> dict[str, Any]:
        return await _attend(Station(asked.url, KINDS[asked.kind]), people)

    asked.log.write_text(json.dumps(uvloop.run(attend())))


if __name__ == "__main__":
    main()
