"""Orders per second, beside a workflow that does nothing, on the same server in the same run.

    make bench ARGS="--orders 300 --concurrency 30 --json result.json"

Everything shares this machine: the facade, a worker, Temporal, PostgreSQL, Valkey, the stand-ins,
and this program, which is all customers, chefs and drivers. The ratio is what counts; the other
figures are this machine's.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from bench import control, meters
from local import processes
from local.cast import Cast, cast, holds
from local.people import until
from local.processes import Running
from local.stack import PROJECT, Stack
from workflows.connection import connect

console = Console()

# How often an app that is not told looks whether something has changed.
LOOK_AGAIN_SECONDS = 0.25

Timings = dict[str, list[float]]
Tick = Callable[[], None]


async def order(play: Cast, timings: Timings, tick: Tick) -> None:
    """One order through the public API, every request timed (in seconds)."""

    async def timed(kind: str, request: Awaitable[Any]) -> Any:
        began = time.perf_counter()
        answer = await request
        timings[kind].append(time.perf_counter() - began)
        return answer

    async def is_paid() -> bool:
        order = await timed("GET /orders/{id}", play.customer.get(f"/orders/{placed['id']}"))
        return bool(order["status"] != "pending")

    async def offered() -> dict[str, Any] | None:
        offers = await timed("GET /delivery/offers", play.drivers[0].get("/delivery/offers"))
        return next((offer for offer in offers if holds(offer, placed)), None)

    placed = await timed("POST /orders", play.place())
    await play.wallet.pay(placed["clientSecret"])
    await until(is_paid, pause=LOOK_AGAIN_SECONDS)
    for status in ("accepted", "preparing", "ready_for_pickup"):
        await timed("PUT /chef/orders/{id}/status", play.chef_says(placed, status))
    offer = await until(offered, pause=LOOK_AGAIN_SECONDS)
    taken = play.drivers[0].post(f"/delivery/offers/{offer['id']}/accept")
    await timed("POST /delivery/offers/{id}/accept", taken)
    for status in ("picked_up", "in_transit", "delivered"):
        await timed("PUT /delivery/orders/{id}", play.driver_says(0, placed, status))
    tick()


async def spread(lanes: list[Callable[[], Awaitable[None]]], total: int) -> float:
    """Do `total` things in the given lanes, each lane one after the other; things per second."""
    left = total

    async def run(lane: Callable[[], Awaitable[None]]) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await lane()

    began = time.perf_counter()
    await asyncio.gather(*(run(lane) for lane in lanes))
    return total / (time.perf_counter() - began)


async def measure(stack: Stack, orders: int, concurrency: int) -> dict[str, Any]:
    """Both figures, one after the other, on the same servers."""
    environment = stack.environment()
    timings: Timings = defaultdict(list)
    with Progress(console=console, transient=True) as progress:
        async with AsyncExitStack() as casts:
            plays = [
                await casts.enter_async_context(cast(environment, drivers=1))
                for _ in range(concurrency)
            ]
            bar = progress.add_task("orders", total=orders)
            lanes = [_lane(play, timings, progress, bar) for play in plays]
            ours, spent = await _metered(lanes, orders, stack.running())
        theirs, theirs_spent = await _control(stack, environment, orders, concurrency, progress)
    return {
        "orders": orders,
        "concurrency": concurrency,
        "ordersPerSecond": round(ours, 2),
        "controlPerSecond": round(theirs, 2),
        "ratio": round(ours / theirs, 3),
        "requests": {kind: _percentiles(seconds) for kind, seconds in sorted(timings.items())},
        "processorMsPerOrder": spent,
        "controlProcessorMs": theirs_spent,
    }


async def _metered(
    lanes: list[Callable[[], Awaitable[None]]], total: int, servers: list[Running]
) -> tuple[float, dict[str, float]]:
    """Things per second, and what one costs each process, in ms of processor."""
    before = meters.processor_seconds(servers)
    rate = await spread(lanes, total)
    return rate, meters.each(before, meters.processor_seconds(servers), total)


def _lane(
    play: Cast, timings: Timings, progress: Progress, bar: TaskID
) -> Callable[[], Awaitable[None]]:
    return lambda: order(play, timings, lambda: progress.advance(bar))


async def _control(
    stack: Stack, environment: Mapping[str, str], total: int, concurrency: int, progress: Progress
) -> tuple[float, dict[str, float]]:
    worker = processes.start(
        "control",
        [sys.executable, "-m", "bench.control"],
        stack.home / "log" / "control.log",
        ports={},
        environment=environment,
        directory=PROJECT,
    )
    try:
        client = await connect(environment)
        await control.one(client)
        bar = progress.add_task("control", total=total)

        async def lane() -> None:
            await control.one(client)
            progress.advance(bar)

        (temporal,) = [running for running in stack.running() if running.name == "temporal"]
        return await _metered([lane] * concurrency, total, [temporal, worker])
    finally:
        processes.stop(worker)


def _percentiles(seconds: list[float]) -> dict[str, float]:
    ranked = sorted(seconds)

    def at(share: float) -> float:
        return round(ranked[min(len(ranked) - 1, int(share * len(ranked)))] * 1000, 1)

    return {"count": len(ranked), "p50": at(0.50), "p95": at(0.95), "p99": at(0.99)}


def show(result: Mapping[str, Any]) -> None:
    """The result, as tables."""
    requests = Table("request", "count", "p50 ms", "p95 ms", "p99 ms", title="Requests")
    for kind, row in result["requests"].items():
        requests.add_row(kind, *(f"{row[name]:g}" for name in ("count", "p50", "p95", "p99")))
    console.print(requests)
    for title, costs in (
        ("Where it goes: an order", result["processorMsPerOrder"]),
        ("Where it goes: a control", result["controlProcessorMs"]),
    ):
        spent = Table("process", "ms of processor", title=title)
        for name, cost in sorted(costs.items(), key=lambda row: -row[1]):
            spent.add_row(name, f"{cost:g}")
        spent.add_row("all", f"{sum(costs.values()):g}")
        console.print(spent)
    console.print(
        f"{result['ordersPerSecond']} orders/s; the control {result['controlPerSecond']}/s;"
        f" ratio [bold]{result['ratio']}[/]"
    )


def main() -> None:
    """Start servers of its own, measure, stop them."""
    parser = argparse.ArgumentParser(prog="python -m bench.orders", description=__doc__)
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--concurrency", type=int, default=20)
    parser.add_argument("--json", type=Path, help="where to leave the result as JSON")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        stack = Stack.apart(Path(home))
        with console.status("starting servers"):
            stack.up()
        try:
            result = uvloop.run(measure(stack, asked.orders, asked.concurrency))
        finally:
            stack.reset()
    show(result)
    console.print_json(json.dumps(result))
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
