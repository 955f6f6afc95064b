"""The outcomes as tables, beside what others reach, and as a summary for machines."""

import json
from collections import defaultdict
from collections.abc import Mapping
from string import digits

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.mdrp.metrics import Outcome, pooled
from bench.mdrp.published import PUBLISHED

_ROWS = (
    ("orders", "orders", 0),
    ("delivered", "delivered", 0),
    ("undelivered", "undelivered", 0),
    ("clickToDoorMean", "click to door, mean min", 2),
    ("clickToDoorP90", "click to door, 90th percentile", 1),
    ("lowerBoundMean", "lower bound of the mean", 2),
    ("excessMean", "excess over the lower bound", 2),
    ("over60", "over 60 min", 0),
    ("over60AtBest", "over 60 min by the lower bound", 0),
    ("overTarget", "over target", 0),
    ("overTargetMean", "of these, min over on average", 1),
    ("readyToPickupMean", "ready to pickup, mean min", 2),
    ("ordersPerBundle", "orders per bundle", 2),
    ("costPerOrder", "cost per order, $", 2),
    ("seconds", "the policy took, s", 1),
    ("slowestSeconds", "at most at once, s", 3),
)


def show(policy: str, outcomes: Mapping[str, Outcome], console: Console) -> None:
    """A table for each family: every day, all of them, and what others reach there."""
    for family, members in _families(outcomes).items():
        columns = [
            *(
                (name.removesuffix(family) or name, played.figures())
                for name, played in members.items()
            ),
            ("[bold]all", pooled(members.values()).figures()),
            *((row.title, row.figures()) for row in PUBLISHED.get(family, ())),
        ]
        table = Table(title=f"{policy} on {family}, by day", title_justify="left", box=SIMPLE)
        table.add_column("", no_wrap=True)
        for title, _ in columns:
            table.add_column(title, justify="right", no_wrap=True)
        for key, title, decimals in _ROWS:
            table.add_row(title, *(_cell(figures.get(key), decimals) for _, figures in columns))
        console.print(table)


def summary(policy: str, outcomes: Mapping[str, Outcome]) -> str:
    """Every figure, as JSON."""
    families = {
        family: pooled(members.values()).figures()
        for family, members in _families(outcomes).items()
    }
    instances = {name: outcome.figures() for name, outcome in outcomes.items()}
    return json.dumps({"policy": policy, "families": families, "instances": instances}, indent=2)


def _families(outcomes: Mapping[str, Outcome]) -> Mapping[str, Mapping[str, Outcome]]:
    """The outcomes by what their instances have in common: all but the day, their first number."""
    families: dict[str, dict[str, Outcome]] = defaultdict(dict)
    for name, outcome in outcomes.items():
        families[name.lstrip(digits)][name] = outcome
    return families


def _cell(value: float | None, decimals: int) -> str:
    return "?" if value is None else f"{value:,.{decimals}f}"
