"""Processes are started, found again, and only ever ended when they are ours."""

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local import processes
from local.processes import Register, Running

# Says a line, and then waits to be ended.
TALKER = "print('the last words', flush=True); import signal; signal.pause()"
# Does not listen when asked to end.
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + TALKER


@pytest.fixture
def talker(tmp_path: Path) -> Iterator[Running]:
    started = start(tmp_path, TALKER)
    yield started
    processes.kill(started)


def start(folder: Path, program: str) -> Running:
    return processes.start(
        "talker",
        [sys.executable, "-c", program],
        folder / "talker.log",
        ports={"talker": 1},
        environment=os.environ,
        directory=folder,
    )


def test_one_that_was_started_is_found_again_by_the_next_command(
    tmp_path: Path, talker: Running
) -> None:
    Register(tmp_path / "processes.json").add(talker)
    assert Register(tmp_path / "processes.json").read() == {"talker": talker}
    assert talker.is_alive


def test_it_does_not_end_with_the_terminal_of_who_started_it(talker: Running) -> None:
    assert os.getsid(talker.pid) == talker.pid != os.getsid(0)


def test_a_process_that_has_only_got_the_same_id_is_neither_alive_nor_ended(
    talker: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As for the next command: what it finds written down is no child of its own.
    monkeypatch.setattr(processes, "_children", {})
    another = replace(talker, began=talker.began - 60)
    assert not another.is_alive
    processes.stop(another)
    processes.kill(another)
    assert talker.is_alive


def test_a_stopped_one_can_be_stopped_again(talker: Running) -> None:
    processes.stop(talker)
    assert not talker.is_alive
    processes.stop(talker)


def test_one_that_does_not_listen_is_ended_anyway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_STOP_SECONDS", 0.2)
    stubborn = start(tmp_path, STUBBORN)
    while "the last words" not in processes.tail(Path(stubborn.log)):
        os.sched_yield()
    processes.stop(stubborn)
    assert stubborn.died().how == "signal SIGKILL"


@pytest.mark.parametrize(
    ("program", "how"),
    [
        ("import os; os._exit(3)", "exit status 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "signal SIGSEGV"),
    ],
)
def test_how_one_ended_is_told(tmp_path: Path, program: str, how: str) -> None:
    ended = start(tmp_path, program)
    processes.stop(ended, signal.SIGCONT)
    assert ended.died().how == how
    assert str(ended.died()).startswith(f"talker died ({how}). The end of its log:\n")


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert processes.tail(log) == "(no log)"
    log.write_text("")
    assert processes.tail(log) == "(an empty log)"
    log.write_text("\n".join(str(number) for number in range(100)))
    assert processes.tail(log, lines=3) == "97\n98\n99"
