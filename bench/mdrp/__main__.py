"""Play instances of the Meal Delivery Routing Problem through a dispatch policy.

    make bench-mdrp ARGS="0o100t100s1p100 --policy nearest --out result"

Time is simulated, minute by minute; the policy is the very code that dispatches. What it did is
written down in the published format, read again and checked: the figures are of solutions that an
independent evaluator would accept. Without an instance, all in ../shared/data/mdrp are played.
Ends with status 1 if a solution is not feasible, with 2 if there is nothing to play.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.mdrp import report
from bench.mdrp.evaluator import violations
from bench.mdrp.instance import Instance, NoInstance, load
from bench.mdrp.metrics import Outcome, outcome
from bench.mdrp.policies import DEFAULT, POLICIES
from bench.mdrp.simulation import Impossible, minutes, play
from bench.mdrp.solution import read, write
from domain.dispatch.plan import Policy

INSTANCES = Path(__file__).resolve().parents[3] / "shared" / "data" / "mdrp"

# What the tables take where there is no terminal to ask.
_WIDTH = 180


class Infeasible(Exception):
    """A solution that breaks the rules of its instance."""


def measure(
    instance: Instance, policy: Policy, folder: Path, passed: Callable[[], object]
) -> Outcome:
    """Play one instance, leave its solution in `folder`, and judge what is found there.

    Raises `Infeasible` or `Impossible`.
    """
    played = play(instance, policy, passed)
    write(played.solution, folder)
    found = read(folder)
    wrong = violations(instance, found)
    if wrong:
        raise Infeasible(f"{instance.name}: {len(wrong)} violations\n" + "\n".join(wrong[:20]))
    return outcome(instance, found, seconds=played.seconds, slowest=played.slowest)


def run(
    instances: Sequence[Instance], policy: Policy, folder: Path, console: Console
) -> dict[str, Outcome]:
    """Play all of them, one after the other. Raises `Infeasible` or `Impossible`."""
    outcomes: dict[str, Outcome] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        whole = progress.add_task("instances", total=len(instances))
        for instance in instances:
            day = progress.add_task(f"minutes of {instance.name}", total=len(minutes(instance)))
            outcomes[instance.name] = measure(
                instance, policy, folder / instance.name, partial(progress.advance, day)
            )
            progress.remove_task(day)
            progress.advance(whole)
    return outcomes


def main(arguments: Sequence[str] | None = None) -> None:
    """Play what is asked for, and print how it went."""
    parser = argparse.ArgumentParser(prog="python -m bench.mdrp", description=__doc__)
    parser.add_argument("instances", nargs="*", help=f"a folder, or a name in {INSTANCES}")
    parser.add_argument("--policy", choices=sorted(POLICIES), default=DEFAULT)
    parser.add_argument("--out", type=Path, help="where to leave the solutions and summary.json")
    asked = parser.parse_args(arguments)
    try:
        instances = [load(folder) for folder in _folders(asked.instances)]
    except NoInstance as error:
        parser.error(str(error))
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    with tempfile.TemporaryDirectory() as passing:
        try:
            folder = asked.out or Path(passing)
            outcomes = run(instances, POLICIES[asked.policy](), folder, console)
        except (Impossible, Infeasible) as error:
            console.print(f"[red]not feasible:[/] {error}", highlight=False)
            sys.exit(1)
    report.show(asked.policy, outcomes, console)
    if asked.out:
        (asked.out / "summary.json").write_text(report.summary(asked.policy, outcomes) + "\n")


def _folders(names: Sequence[str]) -> list[Path]:
    """Where the instances are. Raises `NoInstance`."""
    if names:
        return [Path(name) if Path(name).is_dir() else INSTANCES / name for name in names]
    found = sorted(INSTANCES.glob("*/"), key=lambda folder: folder.name)
    if not found:
        raise NoInstance(f"there are no instances in {INSTANCES}; name a folder that holds one")
    return found


if __name__ == "__main__":
    main()
