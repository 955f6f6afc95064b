"""What it takes to tell ten thousand customers what happens, beside a server that only passes on.

    make bench-realtime ARGS="--clients 10000 --seconds 60 --json result.json"

One process of the facade, as the stack starts it, with PostgreSQL and Valkey of its own. Each
client is a customer with a token and an order, speaks Socket.IO, and looks at his order. Orders
change state by `record_step`, as workers record them; drivers say where they are by a socket, too.
In the midst some clients lose their connection, and come back with the last number that they saw.
The bare server then gets as many clients, and texts of the same form at the same rates.

Times are from right before the commit, or from the sending of a position, to the client. Clients
are processes of their own. Ends with status 1 if an aim is missed.
"""

import argparse
import asyncio
import json
import math
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import connect

from bench import bare, bulk, crowd, market
from bench.crowd import Crowd
from bench.deliveries import delivered
from bench.listeners import Person
from bench.market import Market, PassedOn, Sent
from bench.watchers import Noted, Watchers, watching
from domain.live import Happening
from local import meters, ports, prepare, processes
from local.people import until
from local.processes import Running
from local.servers import OURS
from local.stack import PROJECT, Stack
from schema.database import Database
from settings import Settings

console = Console()

MOST_MB = 1024.0
MOST_MS = 1000.0

# Orders that change state per minute, and drivers, each of whom says once a second where he is.
CHANGES_PER_MINUTE = 500
DRIVERS = 200
# Fewer clients look at fewer deliveries.
_BROUGHT = 0.25
# How many of the clients are cut off, and for how long, as part of the whole time.
_CUT = 0.01
_AWAY = 0.1
# A server of the bench's own beside whatever else uses this Valkey.
_REDIS_DATABASE = 8
_STILL_SECONDS = 0.5
_READY_SECONDS = 60.0

_SHOWN = {
    "connectingSeconds": "s until all are connected",
    "beforeMb": "MB without clients",
    "connectedMb": "MB with all",
    "afterMb": "MB at the end",
    "kbPerConnection": "kB for each connection",
    "processorShare": "of a core, under the load",
    "lostConnections": "connections lost",
    "cutOff": "clients cut off, and back",
    "refused": "positions refused",
}
_TOLD = (
    "sent",
    "live",
    "givenBack",
    "passed",
    "lost",
    "twice",
    "p50Ms",
    "p95Ms",
    "p99Ms",
    "worstMs",
)


@dataclass(frozen=True)
class Load:
    """How much of it: clients, and for how many seconds."""

    clients: int
    seconds: float

    @property
    def drivers(self) -> int:
        """How many drivers are on their way, and so positions come per second."""
        return min(DRIVERS, int(self.clients * _BROUGHT))

    @property
    def changes(self) -> int:
        """How many orders change state."""
        return round(CHANGES_PER_MINUTE * self.seconds / 60)

    @property
    def positions(self) -> int:
        """How many positions are sent."""
        return round(self.drivers * self.seconds)

    @property
    def leaving(self) -> float:
        """After how many seconds some are cut off."""
        return self.seconds / 2

    @property
    def away(self) -> float:
        """For how many seconds they are away, at least."""
        return self.seconds * _AWAY

    @property
    def unseen(self) -> range:
        """Which changes come while those who look at the order are away."""
        first, last = (
            math.ceil(moment * self.changes / self.seconds)
            for moment in (self.leaving, self.leaving + self.away)
        )
        return range(first, last)


@dataclass(frozen=True)
class Run:
    """What came of a run: the seconds that connecting took, memory in MB before, with all clients
    and at the end, and the seconds of processor that the server spent on the load.
    """

    connecting: float
    before: float
    connected: float
    after: float
    processor: float
    sent: Sent
    noted: Noted


async def measure(environment: Mapping[str, str], home: Path, load: Load) -> dict[str, Any]:
    """Both figures, one after the other, on the same servers."""
    server, _, _ = environment["REDIS_URL"].rpartition("/")
    own = dict(environment) | {
        "DATABASE_URL": await bulk.database(environment["DATABASE_URL"], "realtime"),
        "REDIS_URL": f"{server}/{_REDIS_DATABASE}",
    }
    settings = Settings.of(own)
    database = Database(own["DATABASE_URL"], pool_size=2)
    try:
        with console.status("customers, orders and drivers"):
            there = await crowd.gather(
                database, own["DATABASE_URL"], settings, load.clients, load.drivers
            )
    finally:
        await database.close()
    with console.status("the gateway"):
        gateway = await _at_gateway(own, home, there, load)
    with console.status("the bare server"):
        plain = await _at_bare_server(own, home, there, load, gateway.noted.samples)
    ours, theirs = _figures(gateway, load), _figures(plain, load)
    return {
        "clients": load.clients,
        "seconds": load.seconds,
        "gateway": ours,
        "bare": theirs,
        "ratios": {
            "kbPerConnection": _ratio(ours["kbPerConnection"], theirs["kbPerConnection"]),
            **{
                f"{what}{at.title()}": _ratio(ours[what][f"{at}Ms"], theirs[what][f"{at}Ms"])
                for what in ("changes", "positions")
                for at in ("p50", "p99")
            },
        },
    }


async def _at_gateway(environment: Mapping[str, str], home: Path, there: Crowd, load: Load) -> Run:
    port = ports.any_free()
    found = {**environment, "API_URL": f"http://{ports.HOST}:{port}"}
    url = f"ws://{ports.HOST}:{port}/socket.io/?EIO=4&transport=websocket"
    (server,) = [one for one in OURS if one.name == "api"]
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(
            _started("api", server.command(home, {"api": port}), home, found, port)
        )
        await until(lambda: asyncio.to_thread(prepare.is_ready, api, found), within=_READY_SECONDS)
        engine = await stack.enter_async_context(market.engine(found, there, url))
        watched = watching(home, url, "gateway", _people(there))
        return await _run(api, watched, there, load, engine)


async def _at_bare_server(
    environment: Mapping[str, str],
    home: Path,
    there: Crowd,
    load: Load,
    samples: Mapping[str, Mapping[str, Any]],
) -> Run:
    port = ports.any_free()
    command = [sys.executable, "-m", "bench.bare", "--port", str(port)]
    url = f"ws://{ports.HOST}:{port}"
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(_started("bare", command, home, environment, port))
        await until(lambda: asyncio.to_thread(ports.answers, port), within=_READY_SECONDS)
        feeder = await stack.enter_async_context(connect(url, compression=None))
        await feeder.send(bare.FEEDER)
        watched = watching(home, url, "bare", _people(there))
        return await _run(server, watched, there, load, PassedOn(feeder, there, samples))


def _people(there: Crowd) -> list[Person]:
    return [Person(str(one.order_id), one.token) for one in there.customers]


async def _run(
    server: Running,
    watched: AbstractAsyncContextManager[Watchers],
    there: Crowd,
    load: Load,
    at: Market,
) -> Run:
    """The same for both; only those at the gateway can come back to what they missed."""
    before = meters.megabytes(server)
    async with watched as watchers:
        connected = meters.megabytes(server)
        spent = meters.processor_seconds([server])[server.name]
        waiting, couriers = there.waiting, there.couriers
        are_away = asyncio.Event()

        async def change(turn: int) -> None:
            if turn in load.unseen:
                await are_away.wait()
            await at.change(waiting[turn % len(waiting)], turn // len(waiting))

        async with asyncio.TaskGroup() as group:
            group.create_task(_paced(load.changes, load.seconds, change))
            group.create_task(
                _paced(
                    load.positions,
                    load.seconds,
                    lambda turn: at.position(couriers[turn % len(couriers)]),
                )
            )
            if server.name == "api":
                group.create_task(_cut(watchers, there, load, at.sent, are_away))
            else:
                are_away.set()
        await _stillness(watchers)
        spent = meters.processor_seconds([server])[server.name] - spent
        after = meters.megabytes(server)
        noted = await watchers.end()
    return Run(watchers.seconds, before, connected, after, spent, at.sent, noted)


async def _paced(number: int, seconds: float, do: Callable[[int], Awaitable[None]]) -> None:
    """Do something so often, evenly spread, whether or not the last time is over."""
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for turn in range(number):
            await asyncio.sleep(began + turn * seconds / number - time.monotonic())
            group.create_task(_coroutine(do(turn)))


async def _coroutine(done: Awaitable[None]) -> None:
    await done


async def _cut(
    watchers: Watchers, there: Crowd, load: Load, sent: Sent, are_away: asyncio.Event
) -> None:
    """Cut those off whose orders change while they are away, and others up to a share of all."""
    rounds = [divmod(turn, len(there.waiting)) for turn in load.unseen]
    to_change = {str(there.waiting[which]): before + 1 for before, which in rounds}
    others = max(1, round(_CUT * load.clients) - len(to_change))
    gone = [*to_change, *(str(courier.order_id) for courier in there.couriers[:others])]

    async def have_changed() -> bool:
        return Counter(order_id for order_id, _ in sent.changes) >= Counter(to_change)

    await asyncio.sleep(load.leaving)
    await watchers.cut(gone)
    are_away.set()
    await asyncio.sleep(load.away)
    # On a slow machine their orders change later than was planned.
    await until(have_changed)
    await watchers.take_back(gone)


async def _stillness(watchers: Watchers) -> None:
    """Return when nobody has been told anything for a while."""
    heard = [-1]

    async def is_still() -> bool:
        heard.append(await watchers.count())
        return heard[-1] == heard[-2]

    await until(is_still, pause=_STILL_SECONDS)


@asynccontextmanager
async def _started(
    name: str, command: Sequence[str], home: Path, environment: Mapping[str, str], port: int
) -> AsyncIterator[Running]:
    running = processes.start(
        name,
        command,
        home / "log" / f"bench-{name}.log",
        ports={name: port},
        environment=environment,
        directory=PROJECT,
    )
    try:
        yield running
    finally:
        await asyncio.to_thread(processes.stop, running)


def _figures(run: Run, load: Load) -> dict[str, Any]:
    gained = run.connected - run.before
    return {
        "connectingSeconds": run.connecting,
        "beforeMb": round(run.before, 1),
        "connectedMb": round(run.connected, 1),
        "afterMb": round(run.after, 1),
        "kbPerConnection": round(gained * 1024 / load.clients, 1),
        "processorShare": round(run.processor / load.seconds, 2),
        "lostConnections": run.noted.lost,
        "cutOff": len(run.noted.away),
        "refused": dict(run.sent.refused),
        "changes": delivered(run.noted, Happening.STATUS, run.sent.changes),
        "positions": delivered(run.noted, Happening.POSITION, run.sent.positions),
    }


def _ratio(ours: float | None, theirs: float | None) -> float | None:
    return round(ours / theirs, 2) if ours and theirs else None


def misses(result: Mapping[str, Any]) -> list[str]:
    """The aims that were missed."""
    ours = result["gateway"]
    missed = []
    if ours["afterMb"] > MOST_MB:
        missed.append(f"{ours['afterMb']} MB are more than {MOST_MB:g}")
    for what in ("changes", "positions"):
        found = ours[what]
        if found["p99Ms"] is None or found["p99Ms"] >= MOST_MS:
            missed.append(f"p99 of {what} is {found['p99Ms']} ms")
        missed += [
            f"{what}, {how}: {found[how]}" for how in ("lost", "twice", "toOthers") if found[how]
        ]
    return missed


def show(result: Mapping[str, Any]) -> None:
    """The result, as tables."""
    title = f"{result['clients']} clients, {result['seconds']:g} s"
    servers = Table("", "gateway", "bare server", title=title)
    for name, told in _SHOWN.items():
        servers.add_row(told, *(str(result[which][name]) for which in ("gateway", "bare")))
    console.print(servers)
    columns = [(which, what) for which in ("gateway", "bare") for what in ("changes", "positions")]
    table = Table(
        "", *(f"{which}: {what}" for which, what in columns), title="Told, and after how many ms"
    )
    for name in _TOLD:
        table.add_row(name, *(str(result[which][what][name]) for which, what in columns))
    console.print(table)
    ratios = ", ".join(f"{name} [bold]{ratio}[/]" for name, ratio in result["ratios"].items())
    console.print(f"ratios, gateway to bare server: {ratios}")
    for missed in misses(result):
        console.print(f"[red]missed:[/] {missed}")


def main() -> None:
    """Start servers of its own, connect, measure, stop them."""
    parser = argparse.ArgumentParser(prog="python -m bench.realtime", description=__doc__)
    parser.add_argument("--clients", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path, help="where to leave the result as JSON")
    asked = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as home:
        stack = Stack.apart(Path(home))
        with console.status("starting servers"):
            stack.up()
        try:
            load = Load(asked.clients, asked.seconds)
            result = uvloop.run(measure(stack.environment(), Path(home), load))
        finally:
            stack.reset()
    show(result)
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=2) + "\n")
    sys.exit(bool(misses(result)))


if __name__ == "__main__":
    main()
