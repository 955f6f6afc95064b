"""What a dispatch policy is asked, and what it answers.

A policy is a function from a `Scene` to a `Plan`: no I/O, no clock of its own, the same answer for
the same scene. Places are metres on a plane, moments seconds since any one epoch, durations
seconds; what a place or a second really is, only the caller knows: he says how long a drive takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float64]
Seconds = NDArray[np.float64]


class Place(NamedTuple):
    """A point of the plane, in metres."""

    x: float
    y: float


class Travel(Protocol):
    """How long the drives take from each origin to the destination of the same row."""

    def __call__(self, origins: Places, destinations: Places) -> Seconds:
        """Seconds for each of n drives; both arrays are n x 2, in metres."""


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that no driver has yet.

    `ready_at` is when its food is expected to be ready, `promised_at` when it was promised at the
    door. Nobody further than `radius_m` from the kitchen is asked for it, nobody in `excluded`;
    `preferred` is the driver whom an operator wants for it, `held_until` when he lets it go.
    """

    id: str
    kitchen_id: str
    kitchen: Place
    door: Place
    placed_at: float
    ready_at: float
    promised_at: float | None = None
    radius_m: float = inf
    excluded: frozenset[str] = frozenset()
    preferred: str | None = None
    held_until: float | None = None


@dataclass(frozen=True, slots=True)
class Courier:
    """A driver who may be asked, or could be soon.

    `place` is where he is, or will be at `free_at` when he has brought what he has in hand
    (`load` orders, of `capacity`). `seen_at` is when his position was taken, `idle_since` since
    when he has had nothing to do, `shift_ends_at` after when he picks nothing up any more.
    `earned_cents` is what he has earned in this shift, `rating` 0-5; to no kitchen further than
    `reach_m` he is sent.
    """

    id: str
    place: Place
    free_at: float
    seen_at: float
    idle_since: float
    capacity: int = 3
    load: int = 0
    shift_ends_at: float = inf
    earned_cents: int = 0
    rating: float = 0.0
    vehicle: str = "car"
    reach_m: float = inf


@dataclass(frozen=True, slots=True)
class Demand:
    """What the kitchens around a place are expected to be asked for soon.

    `notice` is how long before their food is ready such orders are placed: equally likely values.
    """

    place: Place
    orders_per_hour: float
    notice: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """A moment in a zone: who waits, who could drive, how long drives and handovers take."""

    at: float
    orders: tuple[OpenOrder, ...]
    couriers: tuple[Courier, ...]
    travel: Travel
    # From arriving to having the food in hand, and from there to driving off; the same at the door.
    arriving: float = 120.0
    leaving: float = 120.0
    # What may come next, where anybody knows: see `forecast.py`.
    demand: tuple[Demand, ...] = ()


class Stop(NamedTuple):
    """When an order is taken, or handed over."""

    order_id: str
    at: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """A driver and what he should be asked to bring, in this sequence.

    `why` names what the choice cost, term by term, in seconds.
    """

    courier_id: str
    pickups: tuple[Stop, ...]
    dropoffs: tuple[Stop, ...]
    why: Mapping[str, float] = field(default_factory=dict)


class HeldBack(StrEnum):
    """Why nobody is to be asked for an order at this moment."""

    OPERATOR = "operator"
    FOOD_NOT_SOON = "food_not_soon"
    DRIVER_NOT_FREE_YET = "driver_not_free_yet"
    NOBODY_IN_REACH = "nobody_in_reach"
    OTHERS_FIRST = "others_first"


@dataclass(frozen=True, slots=True)
class Held:
    """An order for which nobody is to be asked yet, and until when, where that is known."""

    order_id: str
    reason: HeldBack
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a policy makes of a scene: every open order is in one proposal, or held back."""

    proposals: tuple[Proposal, ...]
    held: tuple[Held, ...]


class Policy(Protocol):
    """A way to match orders and drivers."""

    def __call__(self, scene: Scene) -> Plan:
        """Propose who should be asked now to bring what."""
