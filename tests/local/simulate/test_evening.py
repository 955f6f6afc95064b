"""Whole evenings of a small city, as the command plays them, against servers of their own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local.simulate.demand import City
from local.simulate.scenario import Scenario
from local.stack import PROJECT, Stack

SMALL = Scenario(orders_per_hour=70, drivers=6, kitchens=3, hours=0.15, speed=90, seed=17)


@contextmanager
def playing(folder: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """The command, with servers and reports in a folder of the test's."""
    command = [sys.executable, "-m", "local.simulate"]
    for name in ("orders_per_hour", "drivers", "kitchens", "hours", "speed", "seed"):
        command += [f"--{name.replace('_', '-')}", str(getattr(SMALL, name))]
    command += ["--home", str(folder / "home"), "--out", str(folder / "out"), *more]
    playing = subprocess.Popen(
        command,
        cwd=PROJECT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield playing
    finally:
        if playing.poll() is None:
            playing.send_signal(signal.SIGINT)
            playing.wait(60)
        assert playing.stdout is not None
        playing.stdout.close()
        Stack.apart(folder / "home").reset()


def summary_of(folder: Path) -> dict[str, Any]:
    (report,) = (folder / "out").glob("*/summary.json")
    assert (report.parent / "report.html").exists()
    found: dict[str, Any] = json.loads(report.read_text())
    return found


@pytest.mark.timeout(400)
def test_worker_and_valkey_killed_at_the_peak_lose_no_order_no_cent_and_no_position(
    tmp_path: Path,
) -> None:
    with playing(tmp_path, "--kill", "worker@5,valkey@8,worker@25") as command:
        said, _ = command.communicate(timeout=380)
        assert command.returncode == 0, said
    found = summary_of(tmp_path)
    orders = found["orders"]
    # Whoever got his answer only when the order had waited too long for its payment has none; nor
    # has whose payment could not be opened while nobody worked, and he was told so.
    assert set(orders["turnedAway"]) <= {"idempotency_key_expired", "payment_unavailable"}
    assert orders["placed"] + sum(orders["turnedAway"].values()) == len(City(SMALL).arrivals) == 12
    assert sum(orders["byStatus"].values()) == 12
    assert set(orders["byStatus"]) <= {"delivered", "cancelled"}
    assert found["clickToDoor"]["count"] == orders["byStatus"]["delivered"] > 0
    assert found["drivers"]["earnedCents"]["total"] > 0
    assert found["violations"] == []
    assert set(found["invariants"].values()) == {0}
    assert sorted(kill["server"] for kill in found["kills"]) == ["valkey", "worker", "worker"]
    (valkey,) = [kill for kill in found["kills"] if kill["server"] == "valkey"]
    assert valkey["positionsBackAfter"] > 0
    # Nothing stays behind where nothing has to be looked into.
    assert not (tmp_path / "home").exists()


@pytest.mark.timeout(200)
def test_ctrl_c_ends_the_evening_with_the_report_of_what_was(tmp_path: Path) -> None:
    with playing(tmp_path) as command:
        assert command.stdout is not None
        for line in command.stdout:
            if "pending" in line or "preparing" in line:
                break
        command.send_signal(signal.SIGINT)
        said, _ = command.communicate(timeout=100)
        assert command.returncode == 130, said
    found = summary_of(tmp_path)
    assert found["interrupted"]
    # Orders that were on their way are no violation.
    assert found["violations"] == []
    assert 0 < found["orders"]["placed"] < 12


def test_what_cannot_be_killed_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with playing(tmp_path, "--kill", "customer@5") as command:
        said, _ = command.communicate(timeout=60)
        assert command.returncode == 2
    assert "--kill" in said
    assert not (tmp_path / "home").exists()
