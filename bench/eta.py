"""How good estimates are: those that learn beside the menu's minutes, in a city without servers.

    python -m bench.eta [--chefs 40] [--orders 300] [--seed 7] [--json result.json]

Chefs have habits: each is late by some minutes of his own, more so when he is busy and with what
takes long; now and then one forgets to say that the food is ready, or changes his ways. Half of
them give their word, which leaves out most of what they do not know about themselves. Each order is
estimated by `domain.prep_time` from what its kitchen has shown by then, and by the menu (or the
word) alone. Drives and handovers are as long as estimated, give or take, so that what is measured
is the kitchens.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console
from rich.table import Table

from domain import eta_quality, prep_time
from domain.eta_quality import Distribution
from domain.prep_time import Cooked, Since

console = Console()

MENUS = (10, 15, 20, 25, 35)
WORD_GIVERS = 0.5
FORGOTTEN = 1 / 50
NEW_HABITS = 1 / 150
DRIVE_MINUTES = 9.0
HANDOVERS_MINUTES = 6.0


@dataclass
class Kitchen:
    """A chef's habits, in minutes: how late he is, for each other order, and give or take; and by
    which factor he is slower than his menu.
    """

    late: float
    slower: float
    per_order: float
    noise: float
    answers: float
    gives_word: bool
    past: list[Cooked] = field(default_factory=list)


Errors = dict[str, list[float]]


def kitchens(count: int, random: Random) -> list[Kitchen]:
    """Chefs of all kinds."""
    return [
        Kitchen(
            late=random.gauss(5, 6),
            slower=random.uniform(0.9, 1.25),
            per_order=random.uniform(0, 3),
            noise=random.uniform(1, 5),
            answers=random.uniform(0.5, 3),
            gives_word=random.random() < WORD_GIVERS,
        )
        for _ in range(count)
    ]


def cook(kitchen: Kitchen, random: Random) -> Cooked:
    """One order, from its placing until it is ready."""
    menu, load = random.choice(MENUS), min(int(random.expovariate(0.4)), 9)
    if random.random() < NEW_HABITS:
        kitchen.late = random.gauss(5, 6)
    lateness = kitchen.late + kitchen.per_order * load + menu * (kitchen.slower - 1)
    took = max(3.0, menu + lateness + random.gauss(0, kitchen.noise))
    if random.random() < FORGOTTEN:
        took += random.uniform(20, 60)
    said = None
    if kitchen.gives_word:
        said = max(1, round(menu + 0.3 * lateness + random.gauss(0, 2)))
    return Cooked(
        menu=menu,
        answering=random.expovariate(1 / kitchen.answers),
        accepted=Since(took, said, load),
        started=None,
    )


def play(all_kitchens: Sequence[Kitchen], orders: int, random: Random) -> dict[str, Errors]:
    """Errors in minutes, by when it was estimated and how."""
    errors: dict[str, Errors] = {
        when: {"learned": [], "menu": []} for when in ("placed", "accepted", "by the chef's word")
    }
    for _ in range(orders):
        for kitchen in all_kitchens:
            order = cook(kitchen, random)
            menu, load, said = order.menu, order.accepted.load or 0, order.accepted.said
            way = DRIVE_MINUTES + HANDOVERS_MINUTES
            came = order.answering + order.accepted.minutes + way + random.gauss(0, 1.5)
            placed = prep_time.from_placing(kitchen.past, menu, load).minutes
            accepted = prep_time.from_acceptance(kitchen.past, menu, load, said).minutes
            when = "accepted" if said is None else "by the chef's word"
            for name, learned, naive in (
                ("placed", placed, menu),
                (when, order.answering + accepted, order.answering + (said or menu)),
            ):
                errors[name]["learned"].append(came - way - learned)
                errors[name]["menu"].append(came - way - naive)
            kitchen.past = [*kitchen.past, order][-prep_time.WINDOW :]
    return errors


def measure(chefs: int, orders: int, seed: int) -> dict[str, Any]:
    """The distributions, as JSON."""
    random = Random(seed)  # noqa: S311 - a city, not a secret
    errors = play(kitchens(chefs, random), orders, random)
    result: dict[str, Any] = {}
    for when, by_how in errors.items():
        told = {how: _distribution(minutes) for how, minutes in by_how.items()}
        ratio = told["learned"].off / told["menu"].off
        result[when] = {
            **{how: _rounded(distribution) for how, distribution in told.items()},
            "ratio": round(ratio, 3),
        }
    return result


def _distribution(minutes: Sequence[float]) -> Distribution:
    told = eta_quality.of_errors(minutes)
    if told is None:
        raise ValueError("no order was estimated: there must be chefs and orders")
    return told


def _rounded(told: Distribution) -> dict[str, float]:
    return {name: round(value, 2) for name, value in asdict(told).items()}


def show(result: dict[str, Any]) -> None:
    """The result, as a table."""
    columns = ("count", "median", "p10", "p90", "off", "within 5 min")
    table = Table("estimated", "how", *columns, title="Errors of the ETA, minutes (late is +)")
    for when, told in result.items():
        for how in ("learned", "menu"):
            errors = told[how]
            table.add_row(
                when,
                how if how == "learned" or "word" not in when else "word as it is",
                f"{errors['count']:g}",
                *(f"{errors[name]:+.1f}" for name in ("median", "low", "high")),
                f"{errors['off']:.1f}",
                f"{errors['within_five']:.0%}",
            )
    console.print(table)
    for when, told in result.items():
        learned, naive = told["learned"]["off"], told["menu"]["off"]
        console.print(
            f"{when}: off by {learned:.1f} min where {naive:.1f} without learning;"
            f" ratio [bold]{told['ratio']}[/]"
        )


def main() -> None:
    """Play, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.eta", description=__doc__)
    parser.add_argument("--chefs", type=int, default=40)
    parser.add_argument("--orders", type=int, default=300, help="of each chef")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path, help="where to leave the result as JSON")
    asked = parser.parse_args()
    result = measure(asked.chefs, asked.orders, asked.seed)
    show(result)
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
