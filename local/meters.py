"""What running processes spend."""

from collections.abc import Iterable, Mapping

import psutil

from local.processes import Running


def processor_seconds(servers: Iterable[Running], own: str = "bench") -> dict[str, float]:
    """What each process has spent so far, this one under the name `own`."""
    spent = {own: _of(psutil.Process())}
    for running in servers:
        process = psutil.Process(running.pid)
        spent[running.name] = sum(_of(p) for p in (process, *process.children(recursive=True)))
    return spent


def each(before: Mapping[str, float], after: Mapping[str, float], things: int) -> dict[str, float]:
    """What one of so many things has cost each process, in ms of processor."""
    return {name: round((after[name] - before[name]) / things * 1000, 1) for name in after}


def megabytes(running: Running) -> float:
    """The memory that a process holds."""
    return float(psutil.Process(running.pid).memory_info().rss) / 2**20


def _of(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
