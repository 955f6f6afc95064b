"""Evenings side by side, as docs/dispatch.md shows them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def _eta(promise: str, figure: str) -> Callable[[Mapping[str, Any]], object]:
    return lambda found: (found["eta"][promise] or {figure: "none"})[figure]


_ROWS: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    "orders delivered": lambda found: found["clickToDoor"]["count"],
    "orders that no driver was found for": lambda found: found["orders"]["cancelReasons"].get(
        "no_driver_found", 0
    ),
    "click to door, mean (min)": lambda found: found["clickToDoor"]["mean"],
    "click to door, p50 (min)": lambda found: found["clickToDoor"]["p50"],
    "click to door, p90 (min)": lambda found: found["clickToDoor"]["p90"],
    "orders over 60 min": lambda found: found["clickToDoor"]["over60"],
    "ready to picked up, mean (min)": lambda found: found["readyToPickup"]["mean"],
    "had a driver when the food was ready": lambda found: found["hadDriverWhenReady"],
    "driver waits at the kitchen, mean (min)": lambda found: found["waitingAtKitchen"]["mean"],
    "offers made": lambda found: found["offers"]["made"],
    "offers accepted": lambda found: found["offers"]["acceptance"],
    "orders per run": lambda found: found["bundles"]["ordersPerRun"],
    "drivers busy": lambda found: found["drivers"]["utilisation"],
    "earned per driver and hour (cents)": lambda found: found["drivers"]["earnedCents"]["perHour"],
    "earned by a driver, p10 to p90 (cents)": lambda found: "{p10} to {p90}".format_map(
        found["drivers"]["earnedCents"]
    ),
    "how unevenly (Gini)": lambda found: found["drivers"]["earnedCents"]["gini"],
    "ETA at placing, median error (min)": _eta("atPlacing", "median"),
    "ETA at placing, half are less off than (min)": _eta("atPlacing", "off"),
    "ETA at placing, within 5 min": _eta("atPlacing", "withinFive"),
    "ETA at pickup, median error (min)": _eta("atPickup", "median"),
    "ETA at pickup, half are less off than (min)": _eta("atPickup", "off"),
    "ETA at pickup, within 5 min": _eta("atPickup", "withinFive"),
    "lag, p99 (s of ours)": lambda found: found["lagSeconds"]["p99"],
    "the machine kept up": lambda found: "yes" if found["keptUp"] else "no",
    "violations": lambda found: len(found["violations"]),
}


def table(evenings: Sequence[Mapping[str, Any]]) -> str:
    """A Markdown table, one column for each evening."""
    heads = ["", *(found["scenario"]["policy"] for found in evenings)]
    lines = [_row(heads), _row(["---"] * len(heads))]
    lines += [_row([name, *(of(found) for found in evenings)]) for name, of in _ROWS.items()]
    return "\n".join(lines)


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"
