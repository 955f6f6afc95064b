"""Orders that one driver could bring in one go, each bundle in its best sequence."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import combinations, permutations
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from domain.dispatch.plan import OpenOrder, Places, Scene, Seconds
from domain.dispatch.weights import Weights

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bundles:
    """Bundles of one size, one a row; the columns of each are the stops in their sequence.

    `pickups` and `dropoffs` are indices of orders. A driver who could have the first food in hand
    at t has each at max(t + `between`, `ready_at`); after the last he is `doors_after` seconds
    later at each door, and `done_after` seconds later free for the next.
    """

    pickups: Indices
    dropoffs: Indices
    between: Seconds
    ready_at: Seconds
    doors_after: Seconds
    done_after: Seconds

    @property
    def size(self) -> int:
        """How many orders each bundle holds."""
        return int(self.pickups.shape[1])

    @property
    def at_doors(self) -> Seconds:
        """When its orders are at their doors, summed, if the driver comes in time."""
        total: Seconds = self.ready_at[:, -1] * self.size + self.doors_after.sum(axis=1)
        return total

    def or_else(self, other: Self, where: NDArray[np.bool_]) -> Self:
        """The same groups of orders, in the other's sequence at the given rows."""
        return type(self)(
            *(
                np.where(where if mine.ndim == 1 else where[:, None], others, mine)
                for mine, others in (
                    (getattr(self, field.name), getattr(other, field.name))
                    for field in fields(self)
                )
            )
        )

    def __len__(self) -> int:
        return len(self.pickups)


class Legs:
    """Drives between kitchens and doors: as many as are asked for, and no table of all."""

    def __init__(self, scene: Scene, orders: Sequence[OpenOrder]) -> None:
        self._scene = scene
        self.ready = np.array([order.ready_at for order in orders], float)
        self.kitchens = np.array([order.kitchen for order in orders], float).reshape(-1, 2)
        self.doors = np.array([order.door for order in orders], float).reshape(-1, 2)

    def along(self, pickups: Indices, dropoffs: Indices) -> Bundles:
        """The bundles of these orders, in this sequence."""
        size = pickups.shape[1]
        between, ready_at = np.zeros(pickups.shape), self.ready[pickups]
        for stop in range(1, size):
            leg = self._from_kitchen_to_kitchen(pickups[:, stop - 1], pickups[:, stop])
            between[:, stop] = between[:, stop - 1] + leg
            ready_at[:, stop] = np.maximum(ready_at[:, stop], ready_at[:, stop - 1] + leg)
        for stop in range(size - 1, 0, -1):
            # What one kitchen cooks is taken together.
            together = between[:, stop] == between[:, stop - 1]
            ready_at[together, stop - 1] = ready_at[together, stop]
        legs = [self._stop(self.kitchens[pickups[:, -1]], self.doors[dropoffs[:, 0]])]
        legs += [
            self._stop(self.doors[dropoffs[:, stop - 1]], self.doors[dropoffs[:, stop]])
            for stop in range(1, size)
        ]
        doors_after = np.cumsum(np.stack(legs, axis=1), axis=1)
        done_after = doors_after[:, -1] + self._scene.leaving
        return Bundles(pickups, dropoffs, between, ready_at, doors_after, done_after)

    def _from_kitchen_to_kitchen(self, origins: Indices, destinations: Indices) -> Seconds:
        here, there = self.kitchens[origins], self.kitchens[destinations]
        return np.where((here == there).all(axis=1), 0.0, self._stop(here, there))

    def _stop(self, here: Places, there: Places) -> Seconds:
        """From a stop done to the next one done."""
        drives = np.asarray(self._scene.travel(here, there), float)
        return self._scene.leaving + drives + self._scene.arriving


def bundles(scene: Scene, orders: Sequence[OpenOrder], weights: Weights) -> list[Bundles]:
    """Every bundle worth a thought, by size: the first are the single orders.

    Orders go together if their food is ready within `ready_gap` of one another and their kitchens
    are the same, or neighbours. An order that an operator wants for one driver goes alone.
    """
    legs = Legs(scene, orders)
    companions = _companions(orders, legs, weights)
    found = [_in_best_sequence(legs, np.arange(len(orders)).reshape(-1, 1))]
    for size in range(2, weights.bundle_size + 1):
        groups = [
            (first, *others)
            for first, near in enumerate(companions)
            for others in combinations(near, size - 1)
            if all(max(pair) in companions[min(pair)] for pair in combinations(others, 2))
        ]
        if groups:
            found.append(_in_best_sequence(legs, np.array(groups)))
    return found


def _companions(orders: Sequence[OpenOrder], legs: Legs, weights: Weights) -> list[list[int]]:
    """For each order those after it that it could go with, the soonest ready first."""
    near = cKDTree(legs.kitchens).query_ball_point(legs.kitchens, weights.neighbours_m)

    def may_go_together(one: int, other: int) -> bool:
        return (
            abs(legs.ready[one] - legs.ready[other]) <= weights.ready_gap
            and (weights.neighbours_m > 0 or orders[one].kitchen_id == orders[other].kitchen_id)
            and orders[one].preferred is None
            and orders[other].preferred is None
        )

    companions = []
    for one, around in enumerate(near):
        others = [other for other in around if other > one and may_go_together(one, other)]
        gap = abs(legs.ready[others] - legs.ready[one])
        soonest = np.lexsort((others, gap))[: weights.companions]
        companions.append([others[place] for place in soonest])
    return companions


def _in_best_sequence(legs: Legs, groups: Indices) -> Bundles:
    """Each group in the sequence in which its doors are reached soonest, all told.

    It is sought for a driver who is at the first kitchen in time; of equals the first is taken.
    """
    size = groups.shape[1]
    kitchens = legs.kitchens[groups]
    in_one_place = bool((kitchens == kitchens[:, :1]).all())
    takings = [tuple(range(size))] if in_one_place else list(permutations(range(size)))
    best = legs.along(groups, groups)
    for taking in takings:
        for bringing in permutations(range(size)):
            other = legs.along(groups[:, taking], groups[:, bringing])
            # Less than half a second is what rounding makes of equals.
            best = best.or_else(other, where=other.at_doors < best.at_doors - 0.5)
    return best
