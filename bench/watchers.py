"""The processes that the bench's clients live in, as the bench sees them."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.listeners import Person, Receipt
from local.stack import PROJECT

# Each process has a core's worth of work at most, and the gateway needs one.
_IN_ONE_PROCESS = 5_000
# So large that what is noted of a whole run fits into a line.
_LINE = 2**20


@dataclass
class Noted:
    """What all clients noted. `away` is who was away, from when until when (monotonic seconds)."""

    receipts: list[Receipt] = field(default_factory=list)
    away: list[tuple[str, float, float]] = field(default_factory=list)
    lost: int = 0
    refused: list[str] = field(default_factory=list)
    samples: dict[str, dict[str, Any]] = field(default_factory=dict)


class Watchers:
    """All clients."""

    def __init__(self, processes: Sequence[Process], logs: Sequence[Path], seconds: float) -> None:
        self._processes = processes
        self._logs = logs
        self.seconds = seconds

    async def cut(self, order_ids: Sequence[str]) -> None:
        """Have some lose their connection; return when they have."""
        await self._all(do="cut", orders=order_ids)

    async def take_back(self, order_ids: Sequence[str]) -> None:
        """Have those who were cut off connect again; return when they are back."""
        await self._all(do="take back", orders=order_ids)

    async def count(self) -> int:
        """How much they have noted so far."""
        return sum(answer["count"] for answer in await self._all(do="count"))

    async def end(self) -> Noted:
        """Have them leave; what they noted."""
        noted = Noted()
        for process, log in zip(self._processes, self._logs, strict=True):
            assert process.stdin is not None  # noqa: S101 - it was asked for
            process.stdin.close()
            await process.wait()
            said = json.loads(log.read_text())
            noted.receipts += [Receipt(*row) for row in said["receipts"]]
            noted.away += [tuple(row) for row in said["away"]]
            noted.lost += said["lost"]
            noted.refused += said["refused"]
            noted.samples |= said["samples"]
        return noted

    async def _all(self, **command: Any) -> list[dict[str, Any]]:
        for process in self._processes:
            assert process.stdin is not None  # noqa: S101 - it was asked for
            process.stdin.write((json.dumps(command) + "\n").encode())
        return await asyncio.gather(*(_answer(process) for process in self._processes))


@asynccontextmanager
async def watching(
    home: Path, url: str, kind: str, people: Sequence[Person]
) -> AsyncIterator[Watchers]:
    """All connected and subscribed."""
    processes, logs = [], []
    try:
        for begin in range(0, len(people), _IN_ONE_PROCESS):
            logs.append(home / f"{kind}-{begin}.json")
            who = home / f"{kind}-{begin}-people.json"
            who.write_text(json.dumps(people[begin : begin + _IN_ONE_PROCESS]))
            command = [sys.executable, "-m", "bench.listeners", "--url", url, "--kind", kind]
            command += ["--people", str(who), "--log", str(logs[-1])]
            processes.append(
                await asyncio.create_subprocess_exec(
                    *command, stdin=PIPE, stdout=PIPE, cwd=PROJECT, limit=_LINE
                )
            )
        ready = await asyncio.gather(*(_answer(process) for process in processes))
        yield Watchers(processes, logs, max(answer["seconds"] for answer in ready))
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _answer(process: Process) -> dict[str, Any]:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError("the clients are gone")
    answer: dict[str, Any] = json.loads(line)
    return answer
