"""A city for an evening: customers, chefs and drivers at the public API of a stack of its own.

    make simulate ARGS="--orders-per-hour 300 --drivers 60 --hours 2 --speed 20 --seed 7"

Ctrl-C ends the evening early, with the report of what was.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console

from local.processes import Died
from local.simulate import report
from local.simulate.comparison import table
from local.simulate.dashboard import Dashboard
from local.simulate.evening import Evening
from local.simulate.figures import summary
from local.simulate.scenario import Scenario, kills
from local.stack import HOME, Stack

# Longer than any evening lasts.
_TOKEN_MINUTES = str(24 * 60)
_INTERRUPTED = 130

console = Console(highlight=False)


def main() -> int:
    """Play one evening, or two to compare; 1 when something must not be as it is."""
    parser = _parser()
    asked = parser.parse_args()
    scenario = Scenario(
        orders_per_hour=asked.orders_per_hour,
        drivers=asked.drivers,
        hours=asked.hours,
        speed=asked.speed,
        seed=asked.seed,
        policy=asked.policy,
        kitchens=asked.kitchens,
        kills=asked.kill,
    )
    scenarios = [scenario]
    if asked.compare:
        scenarios = [replace(scenario, policy=asked.compare), scenario]
    try:
        results = []
        for one in scenarios:
            folder = asked.out / f"{one.policy}-seed{one.seed}"
            results.append(_play(one, asked.home, folder))
            if results[-1]["interrupted"]:
                return _INTERRUPTED
    except (Died, OSError, RuntimeError) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    if asked.compare:
        console.print(table(results), soft_wrap=True, markup=False)
    return 1 if any(result["violations"] for result in results) else 0


def _play(scenario: Scenario, home: Path, folder: Path) -> dict[str, Any]:
    """One evening, from an empty database to the report."""
    stack = Stack.apart(
        home,
        PACE=f"{scenario.speed:g}",
        DISPATCH_POLICY=scenario.policy,
        ACCESS_TOKEN_MINUTES=_TOKEN_MINUTES,
    )
    if stack.runs:
        raise RuntimeError(f"a simulation runs already in {home}")
    stack.reset()
    try:
        with console.status("starting servers"):
            stack.up()
        with Dashboard(scenario, console) as dashboard:
            outcome = uvloop.run(Evening(stack, scenario).play(dashboard))
    finally:
        stack.down()
    found = summary(outcome)
    path = report.write(outcome, found, folder)
    _tell(found, path)
    if not found["violations"]:
        # What is wrong can be looked into: database and logs stay until the next evening.
        stack.reset()
    return found


def _tell(found: Mapping[str, Any], path: Path) -> None:
    door, lag, requests = found["clickToDoor"], found["lagSeconds"], found["requests"]
    speed = found["scenario"]["speed"]
    console.print(
        f"{found['orders']['placed']} orders, {door['count']} delivered,"
        f" click to door {door['mean']} min (p50 {door['p50']}, p90 {door['p90']}),"
        f" {door['over60']} over 60 min"
    )
    console.print(
        f"{requests['sent']} requests, {requests['perSecond']} a second, half of them answered"
        f" within {requests['p50Ms']} ms, 99 of 100 within {requests['p99Ms']} ms"
        f" ({requests['p99Ms'] * speed / 1000:.0f} s of the city's);"
        f" people woke up late by {lag['p99'] * 1000:.0f} ms (99 of 100 less),"
        f" {lag['max'] * speed:.0f} s of the city's at most"
    )
    if not found["keptUp"]:
        console.print(
            "The machine could not keep up: times are worse than the system's own."
            " Lower --speed, or leave the machine alone.",
            style="yellow",
        )
    for violation in found["violations"]:
        console.print(violation, style="red", markup=False)
    if not found["violations"]:
        console.print("Every invariant holds.", style="green")
    console.print(f"Report: {path}", soft_wrap=True, markup=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.simulate", description=__doc__)
    usual = Scenario()
    parser.add_argument("--orders-per-hour", type=float, default=usual.orders_per_hour)
    parser.add_argument("--drivers", type=int, default=usual.drivers)
    parser.add_argument("--kitchens", type=int, default=usual.kitchens)
    parser.add_argument("--hours", type=float, default=usual.hours, help="of the city's")
    parser.add_argument(
        "--speed", type=float, default=usual.speed, help="city minutes in one of ours"
    )
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--policy", choices=("matching", "nearest"), default=usual.policy)
    parser.add_argument(
        "--compare",
        choices=("matching", "nearest"),
        metavar="POLICY",
        help="play the same evening with that policy first, and print both",
    )
    parser.add_argument(
        "--kill",
        type=kills,
        default=(),
        metavar="SERVER@MINUTE,…",
        help="kill -9 worker, valkey or api at a minute of the city's, and start it again",
    )
    parser.add_argument("--home", type=Path, default=HOME / "simulate", help="the servers' folder")
    parser.add_argument(
        "--out", type=Path, default=HOME / "simulations", help="where reports are left"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
