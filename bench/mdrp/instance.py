"""An instance of the Meal Delivery Routing Problem, as Grubhub published them.

Places are metres on a plane, moments minutes of the day, durations minutes, pay is dollars.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path

from domain.dispatch.plan import Place


class NoInstance(Exception):
    """A folder that holds no instance, or one that cannot be read."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be brought where, when it was placed and when its food is ready."""

    id: str
    door: Place
    placed: float
    restaurant: str
    ready: float


@dataclass(frozen=True, slots=True)
class Shift:
    """A courier: where he begins, from when he may be sent, until when he picks up."""

    courier: str
    start: Place
    on: float
    off: float


@dataclass(frozen=True, slots=True)
class Parameters:
    """What holds for the whole instance."""

    meters_per_minute: float
    pickup_service: float
    dropoff_service: float
    target_click_to_door: float
    pay_per_order: float
    guaranteed_pay_per_hour: float


@dataclass(frozen=True, slots=True)
class Instance:
    """One day of one city: its orders, restaurants and couriers by id."""

    name: str
    orders: Mapping[str, Order]
    restaurants: Mapping[str, Place]
    shifts: Mapping[str, Shift]
    parameters: Parameters

    def drive(self, origin: Place, destination: Place) -> int:
        """Minutes from one place to another; a minute that has begun counts whole."""
        east, north = destination.x - origin.x, destination.y - origin.y
        return ceil(sqrt(east**2 + north**2) / self.parameters.meters_per_minute)


def load(folder: Path) -> Instance:
    """Read the four files of an instance. Raises `NoInstance`."""
    try:
        return Instance(
            name=folder.resolve().name,
            orders={
                row["order"]: Order(
                    row["order"],
                    _place(row),
                    float(row["placement_time"]),
                    row["restaurant"],
                    float(row["ready_time"]),
                )
                for row in _rows(folder / "orders.txt")
            },
            restaurants={
                row["restaurant"]: _place(row) for row in _rows(folder / "restaurants.txt")
            },
            shifts={
                row["courier"]: Shift(
                    row["courier"], _place(row), float(row["on_time"]), float(row["off_time"])
                )
                for row in _rows(folder / "couriers.txt")
            },
            parameters=_parameters(folder / "instance_parameters.txt"),
        )
    except (OSError, KeyError, ValueError) as error:
        raise NoInstance(f"{folder} holds no instance that can be read: {error!r}") from error


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def _place(row: Mapping[str, str]) -> Place:
    return Place(float(row["x"]), float(row["y"]))


def _parameters(file: Path) -> Parameters:
    (row,) = _rows(file)
    return Parameters(
        meters_per_minute=float(row["meters_per_minute"]),
        pickup_service=float(row["pickup service minutes"]),
        dropoff_service=float(row["dropoff service minutes"]),
        target_click_to_door=float(row["target click-to-door"]),
        pay_per_order=float(row["pay per order"]),
        guaranteed_pay_per_hour=float(row["guaranteed pay per hour"]),
    )
