"""Servers as processes of their own, that outlive the command which started them.

What runs is written down (process id and start time), so that the next command finds it, and never
ends a process that is not ours.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

_LOG_TAIL_LINES = 20
_STOP_SECONDS = 15.0

# Those that this very process has started, so that it can say how they ended.
_children: dict[int, subprocess.Popen[bytes]] = {}


class Died(Exception):
    """A server ended by itself. `tail` is the end of its log."""

    def __init__(self, name: str, how: str, tail: str) -> None:
        super().__init__(f"{name} died ({how}). The end of its log:\n{tail}")
        self.name, self.how, self.tail = name, how, tail


@dataclass(frozen=True)
class Running:
    """A process that we started: its id, when it began (seconds since 1970), its log, its ports."""

    name: str
    pid: int
    began: float
    log: str
    ports: dict[str, int]

    @property
    def is_alive(self) -> bool:
        """Whether this very process still runs: ids are given to others after a while."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.began) < 1.0
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def died(self) -> Died:
        """How it ended, and its last words."""
        return Died(self.name, _how(self.pid), tail(Path(self.log)))


class Register:
    """The list of what runs, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Running]:
        """What was started, by name; whether it still runs is another matter."""
        if not self._path.exists():
            return {}
        return {row["name"]: Running(**row) for row in json.loads(self._path.read_text())}

    def add(self, running: Running) -> None:
        """Write down that something runs."""
        self._write(self.read() | {running.name: running})

    def remove(self, name: str) -> None:
        """Forget something that has been stopped."""
        self._write({key: value for key, value in self.read().items() if key != name})

    def _write(self, rows: Mapping[str, Running]) -> None:
        # Written beside and moved over: a reader never sees half of it.
        beside = self._path.with_suffix(".new")
        beside.write_text(json.dumps([asdict(row) for row in rows.values()], indent=2))
        beside.replace(self._path)


def start(
    name: str,
    command: Sequence[str],
    log: Path,
    *,
    ports: Mapping[str, int],
    environment: Mapping[str, str],
    directory: Path,
    user: str | None = None,
) -> Running:
    """Start a server in a session of its own, so that Ctrl-C here does not reach it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=directory,
            user=user,
            extra_groups=[] if user else None,
            start_new_session=True,
        )
    _children[process.pid] = process
    return Running(
        name, process.pid, psutil.Process(process.pid).create_time(), str(log), dict(ports)
    )


def stop(running: Running, how: signal.Signals = signal.SIGTERM) -> None:
    """End a server, gently at first; no matter if it has ended already."""
    deadline = time.monotonic() + _STOP_SECONDS
    if running.is_alive:
        os.kill(running.pid, how)
    while running.is_alive:
        if time.monotonic() > deadline:
            os.kill(running.pid, signal.SIGKILL)
        time.sleep(0.02)
    _reap(running.pid)


def kill(running: Running) -> None:
    """End a server at once, as a crash would, and wait until it is gone."""
    if running.is_alive:
        os.kill(running.pid, signal.SIGKILL)
    while running.is_alive:
        time.sleep(0.01)
    _reap(running.pid)


def tail(log: Path, lines: int = _LOG_TAIL_LINES) -> str:
    """The last lines of a log."""
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) or "(an empty log)"


def _reap(pid: int) -> None:
    """Take note of the end of a child of ours; its last threads may need another moment."""
    if pid in _children:
        _children[pid].wait()


def _how(pid: int) -> str:
    code = _children[pid].poll() if pid in _children else None
    if code is None:
        return "how is not known, since another command had started it"
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
