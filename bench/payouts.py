"""A payout run of many payees, beside the same calls to Stripe made by a plain loop.

    make bench-payouts ARGS="--payees 10000 --json result.json"

Everything shares this machine: a worker, Temporal, PostgreSQL, the facade that hears from banks,
Stripe's stand-in, and this program. The worker may begin as many payout activities per second as
it can (PAYOUT_ACTIVITIES_PER_SECOND is 25 otherwise, for Stripe's sake). The loop makes the calls
that one payout takes (transfer, payout, look), as many at once as the run pays payees, and is told
nothing by webhooks. Ends with status 1 unless every cent is where it belongs.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import func, select
from sqlmodel import col
from temporalio.client import Client

from bench import exact, payees
from bench.payees import OWED, Payee
from domain.payouts import PayoutStatus, latest_day
from local import meters
from local.processes import Running
from local.stack import Stack
from providers.stripe import Stripe
from providers.stripe_payouts import Payouts
from schema.database import Database
from schema.messages.payouts import RunStart
from schema.tables import Payout
from schema.tables.columns import now
from settings import Settings
from workflows.connection import connect
from workflows.options import PAYOUTS_QUEUE
from workflows.payout_run import PayoutRunWorkflow, run_id
from workflows.schedules import market_payouts

console = Console()

MARKET = "austin"
# As many as it can.
PER_SECOND = 100_000
LOOK_AGAIN_SECONDS = 1.0
# Nothing happens for so long: something is wrong.
PATIENCE_SECONDS = 120.0

_SENT = (PayoutStatus.IN_TRANSIT, PayoutStatus.PAID)


@dataclass
class Bench:
    """One bench: its servers and its payees."""

    stack: Stack
    settings: Settings
    client: Client
    database: Database
    stripe: Stripe
    progress: Progress
    payees: list[Payee] = field(default_factory=list)

    async def prepare(self, number: int) -> None:
        """Payees, what they have earned, their accounts."""
        bar = self.progress.add_task("payees with earnings", total=number)
        await self.listen(to_banks=False)
        self.payees = await payees.prepare(
            self.database,
            self.settings.stripe_api_base or "",
            number,
            now() - timedelta(days=3),
            lambda: self.progress.advance(bar),
        )

    async def listen(self, *, to_banks: bool) -> None:
        """Have Stripe tell the facade what banks do, or nothing; all else is nobody's concern."""
        endpoints = self.stripe.client.v1.webhook_endpoints
        for endpoint in (await endpoints.list_async()).data:
            await endpoints.update_async(
                endpoint.id,
                {
                    "disabled": not to_banks,
                    "enabled_events": ["payout.paid", "payout.failed", "payout.canceled"],
                },
            )

    async def bare(self, parallel: int) -> float:
        """What the calls alone take, in seconds."""
        payouts = Payouts(self.stripe)
        bar = self.progress.add_task("bare calls", total=len(self.payees))
        left = iter(self.payees)

        async def lane() -> None:
            for payee in left:
                await _calls(payouts, payee)
                self.progress.advance(bar)

        began = time.perf_counter()
        await asyncio.gather(*(lane() for _ in range(parallel)))
        return time.perf_counter() - began

    async def run(self, parallel: int) -> dict[str, Any]:
        """The payout run, until every bank has its money."""
        total = len(self.payees)
        market = self.settings.markets[MARKET]
        rules = market_payouts(self.settings, MARKET)
        start = rules.run(latest_day(now(), market.timezone)).model_copy(
            update={"parallel": parallel}
        )
        await self.listen(to_banks=True)
        workers = [running for running in self.stack.running() if running.name == "worker"]
        before = meters.processor_seconds(self.stack.running())
        began = time.perf_counter()
        handle = await self.client.start_workflow(
            PayoutRunWorkflow.run, start, id=run_id(start), task_queue=PAYOUTS_QUEUE
        )
        watching = asyncio.create_task(self._watch(workers, total))
        try:
            await handle.result()
            sent = time.perf_counter() - began
            memory = await watching
        finally:
            watching.cancel()
        paid = time.perf_counter() - began
        spent = meters.each(before, meters.processor_seconds(self.stack.running()), total)
        return {
            "sentPerSecond": round(total / sent, 2),
            "payeesPerSecond": round(total / paid, 2),
            "seconds": round(paid, 1),
            "workerMegabytes": memory,
            "processorMsPerPayee": spent,
            "runHistories": await self._histories(f"WorkflowId = '{run_id(start)}'"),
            "payoutHistories": await self._histories("WorkflowType = 'PayoutWorkflow'"),
            "secondRunBegan": await self._again(start),
        }

    async def _watch(self, workers: Sequence[Running], total: int) -> dict[str, float]:
        """Watch until all is paid; the memory of the workers at each quarter, and at most."""
        sent_bar = self.progress.add_task("sent to banks", total=total)
        paid_bar = self.progress.add_task("paid", total=total)
        memory = {"before": _together(workers)}
        peak, last, moved_at = 0.0, 0, time.monotonic()
        while True:
            stand = await self._stand()
            paid, sent = stand[PayoutStatus.PAID], sum(stand[status] for status in _SENT)
            self.progress.update(sent_bar, completed=sent)
            self.progress.update(paid_bar, completed=paid)
            held = _together(workers)
            peak = max(peak, held)
            for quarter in (25, 50, 75, 100):
                if sent * 100 >= quarter * total:
                    memory.setdefault(f"{quarter} % sent", held)
            if paid == total:
                return memory | {"all paid": held, "peak": peak}
            if sent + paid > last:
                last, moved_at = sent + paid, time.monotonic()
            if time.monotonic() - moved_at > PATIENCE_SECONDS:
                raise TimeoutError(f"nothing moves any more: {dict(stand)}")
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def _stand(self) -> Counter[PayoutStatus]:
        async with self.database.read() as session:
            found = await session.execute(
                select(col(Payout.status), func.count()).group_by(col(Payout.status))
            )
            return Counter({row[0]: row[1] for row in found})

    async def _again(self, start: RunStart) -> int:
        """How many payees the same run finds if it is started once more."""
        handle = await self.client.start_workflow(
            PayoutRunWorkflow.run, start, id=run_id(start), task_queue=PAYOUTS_QUEUE
        )
        return (await handle.result()).begun

    async def _histories(self, which: str) -> dict[str, int]:
        """How many histories there are, and how long the longest is."""
        number = events = size = 0
        async for found in self.client.list_workflows(which):
            number += 1
            events = max(events, found.history_length)
            size = max(size, found.raw_info.history_size_bytes)
        return {"number": number, "mostEvents": events, "mostBytes": size}


async def _calls(payouts: Payouts, payee: Payee) -> None:
    """What one payout takes, if nothing goes wrong."""
    reference = f"bare-{payee.id}"
    await payouts.transfer(
        payee.account, OWED, "usd", reference=reference, key=f"{reference}:transfer"
    )
    sent = await payouts.pay_out(
        payee.account, OWED, "usd", reference=reference, key=f"{reference}:payout"
    )
    await payouts.payout(payee.account, sent.id)


def _together(workers: Sequence[Running]) -> float:
    return round(sum(meters.megabytes(worker) for worker in workers), 1)


async def measure(stack: Stack, number: int, parallel: int) -> dict[str, Any]:
    """Both figures, one after the other, on the same servers; and whether every cent is right."""
    environment = stack.environment()
    settings = Settings.of(environment)
    client = await connect(environment)
    database = Database(settings.database_url, pool_size=5)
    calls = Stripe(
        settings.stripe_api_key.get_secret_value(),
        api_base=settings.stripe_api_base,
        timeout_seconds=settings.stripe_timeout_seconds,
        max_network_retries=settings.stripe_max_network_retries,
    )
    try:
        with Progress(console=console) as progress:
            bench = Bench(stack, settings, client, database, calls, progress)
            await bench.prepare(number)
            bare = await bench.bare(parallel)
            log = stack.home / "log" / "stripe.log"
            read = log.stat().st_size
            ours = await bench.run(parallel)
            made = _calls_in(log, read)
            bar = progress.add_task("counting every cent", total=number)
            wrong = await exact.check(database, calls, bench.payees, lambda: progress.advance(bar))
            if ours["secondRunBegan"]:
                wrong.append(f"a second run began with {ours['secondRunBegan']} payees")
    finally:
        await database.close()
        await calls.aclose()
    theirs = number / bare
    return {
        "payees": number,
        "parallel": parallel,
        "payoutActivitiesPerSecond": settings.payout_activities_per_second,
        **ours,
        "barePerSecond": round(theirs, 2),
        "ratio": round(ours["payeesPerSecond"] / theirs, 3),
        "stripeCalls": made,
        "wrong": wrong,
    }


def _calls_in(log: Path, begin: int) -> dict[str, int]:
    """The calls that the stand-in has logged from there on, by method and kind of object."""
    calls: Counter[str] = Counter()
    with log.open("rb") as lines:
        lines.seek(begin)
        for line in lines:
            asked = line.partition(b'"')[2].split(b" ")
            if len(asked) > 1 and asked[1].startswith(b"/v1/"):
                kind = asked[1].partition(b"?")[0].split(b"/")[2]
                calls[f"{asked[0].decode()} {kind.decode()}"] += 1
    return dict(calls)


def show(result: Mapping[str, Any]) -> None:
    """The result, as tables."""
    table = Table("what", "figure", title=f"A payout run of {result['payees']} payees")
    for name, key in (
        ("sent to banks, payees/s", "sentPerSecond"),
        ("in banks, payees/s", "payeesPerSecond"),
        ("bare calls, payees/s", "barePerSecond"),
    ):
        table.add_row(name, f"{result[key]:g}")
    for name, key in (("the run", "runHistories"), ("a payout", "payoutHistories")):
        found = result[key]
        table.add_row(
            f"histories of {name}",
            f"{found['number']}; the longest {found['mostEvents']} events,"
            f" {found['mostBytes']} bytes",
        )
    for name, held in result["workerMegabytes"].items():
        table.add_row(f"worker's memory, {name}", f"{held:g} MB")
    for name, number in sorted(result["stripeCalls"].items()):
        table.add_row(f"Stripe: {name}", str(number))
    for name, cost in sorted(result["processorMsPerPayee"].items(), key=lambda row: -row[1]):
        table.add_row(f"processor per payee: {name}", f"{cost:g} ms")
    console.print(table)
    console.print(f"ratio [bold]{result['ratio']}[/]")
    for words in result["wrong"]:
        console.print(f"[red]WRONG: {words}[/]")


def main() -> None:
    """Start servers of its own, measure, stop them."""
    parser = argparse.ArgumentParser(prog="python -m bench.payouts", description=__doc__)
    parser.add_argument("--payees", type=int, default=500)
    parser.add_argument("--parallel", type=int, default=50, help="payees paid at once")
    parser.add_argument("--json", type=Path, help="where to leave the result as JSON")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        stack = Stack.apart(Path(home), PAYOUT_ACTIVITIES_PER_SECOND=str(PER_SECOND))
        with console.status("starting servers"):
            stack.up()
        try:
            result = uvloop.run(measure(stack, asked.payees, asked.parallel))
        finally:
            stack.reset()
    show(result)
    console.print_json(json.dumps(result))
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=2) + "\n")
    sys.exit(1 if result["wrong"] else 0)


if __name__ == "__main__":
    main()
