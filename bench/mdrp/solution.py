"""What was done in an instance, in the three files that evaluators of others read too.

Moments are minutes of the day. The files are separated by blanks and begin with a header each.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

ASSIGNMENTS = "solution_info_assignments.txt"
ORDERS = "solution_info_orders.txt"
COURIERS = "solution_info_couriers.txt"

START = "0"
"""The origin of a courier's first leg: where he begins."""


class UnreadableSolution(Exception):
    """Files that are not a solution in the published format."""


class Assignment(NamedTuple):
    """A courier's bundle: when he was sent, when he took it, whom he served one after the other."""

    assigned: float
    pickup: float
    courier: str
    orders: tuple[str, ...]


class Delivery(NamedTuple):
    """What became of an order that was delivered."""

    order: str
    placed: float
    ready: float
    pickup: float
    dropoff: float
    courier: str


class Leg(NamedTuple):
    """One drive of a courier, from and to a restaurant or an order's door, or from `START`."""

    courier: str
    departure: float
    origin: str
    destination: str


@dataclass(slots=True)
class Solution:
    """All that was done, each courier's legs in the sequence in which he drove them."""

    assignments: list[Assignment] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    legs: list[Leg] = field(default_factory=list)


def write(solution: Solution, folder: Path) -> None:
    """Leave the three files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(
        folder / ASSIGNMENTS,
        "assignment_time pickup_time courier order_list",
        ((a.assigned, a.pickup, a.courier, *a.orders) for a in solution.assignments),
    )
    _write(
        folder / ORDERS,
        "order placement_time ready_time pickup_time dropoff_time courier",
        solution.deliveries,
    )
    _write(
        folder / COURIERS,
        "courier departure_time origin destination",
        # The published evaluator takes a courier's rows for his only while they follow each other.
        sorted(solution.legs, key=attrgetter("courier")),
    )


def read(folder: Path) -> Solution:
    """Read the three files. Raises `UnreadableSolution`."""
    try:
        return Solution(
            [
                Assignment(float(assigned), float(pickup), courier, tuple(orders))
                for assigned, pickup, courier, *orders in _read(folder / ASSIGNMENTS)
            ],
            [
                Delivery(order, float(placed), float(ready), float(pickup), float(dropoff), courier)
                for order, placed, ready, pickup, dropoff, courier in _read(folder / ORDERS)
            ],
            [
                Leg(courier, float(departure), origin, destination)
                for courier, departure, origin, destination in _read(folder / COURIERS)
            ],
        )
    except (OSError, TypeError, ValueError) as error:
        raise UnreadableSolution(f"{folder} holds no solution: {error!r}") from error


def _write(file: Path, header: str, rows: Iterable[tuple[float | str, ...]]) -> None:
    lines = (" ".join(_word(value) for value in row) for row in rows)
    file.write_text("\n".join([header, *lines]) + "\n")


def _word(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _read(file: Path) -> list[list[str]]:
    return [words for line in file.read_text().splitlines()[1:] if (words := line.split())]
