"""Which drivers are worth a thought for which bundle: a few for each, never all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from domain.dispatch.bundles import Bundles, Indices
from domain.dispatch.plan import Courier, OpenOrder, Places, Scene, Seconds
from domain.dispatch.weights import Weights


@dataclass(frozen=True, slots=True)
class Pairs:
    """Bundles of one size and drivers who could bring them, a pair a row.

    `bundle` and `courier` are indices. The driver, leaving as soon as he is free, has the first
    food in hand at `reached_at` after a drive of `approach` seconds.
    """

    bundle: Indices
    courier: Indices
    approach: Seconds
    reached_at: Seconds

    def __len__(self) -> int:
        return len(self.bundle)

    def at(self, rows: NDArray[np.generic]) -> "Pairs":
        """Those of the pairs that the rows name."""
        return Pairs(
            self.bundle[rows], self.courier[rows], self.approach[rows], self.reached_at[rows]
        )


class Reach:
    """The drivers near each kitchen: those free now, and those who will be."""

    def __init__(
        self,
        scene: Scene,
        orders: Sequence[OpenOrder],
        couriers: Sequence[Courier],
        weights: Weights,
    ) -> None:
        self._orders = orders
        self._couriers = couriers
        self.places = np.array([courier.place for courier in couriers], float).reshape(-1, 2)
        self.free_at = np.maximum([courier.free_at for courier in couriers], scene.at)
        self.capacity = np.array([courier.capacity for courier in couriers])
        self.shift_ends_at = np.array([courier.shift_ends_at for courier in couriers], float)
        self._radius = np.array([order.radius_m for order in orders], float)
        self._reach = np.array([courier.reach_m for courier in couriers], float)
        self._wanted = wanted(orders, couriers)
        self._excluded = _excluded(orders, couriers)
        self._of_order, near = self._near_kitchens(scene, orders, weights)
        self._starts = np.searchsorted(near[:, 0], np.arange(len(self._kitchens) + 1))
        self._near = near[:, 1]
        kitchens = self._kitchens[near[:, 0]]
        self._approach = np.asarray(scene.travel(self.places[self._near], kitchens), float)
        self._arriving = scene.arriving

    def _near_kitchens(
        self, scene: Scene, orders: Sequence[OpenOrder], weights: Weights
    ) -> tuple[Indices, Indices]:
        """Of each order its kitchen, and of each kitchen the drivers to consider."""
        self._kitchens, of_order = np.unique(
            np.array([order.kitchen for order in orders], float).reshape(-1, 2),
            axis=0,
            return_inverse=True,
        )
        # So that those who have declined do not hide those behind them.
        count = weights.candidates + max(len(order.excluded) for order in orders)
        waits = (self.free_at - scene.at) / weights.lookahead
        found = [nearest(self._kitchens, self.places, waits, count)]
        for order, courier in self._wanted.items():
            found.append(np.array([[of_order[order], courier]]))
        return of_order.ravel(), np.unique(np.concatenate(found), axis=0)

    def pairs(self, bundles: Bundles) -> Pairs:
        """The drivers who may and can bring each bundle, of those near its first kitchen."""
        kitchen = self._of_order[bundles.pickups[:, 0]]
        counts = self._starts[kitchen + 1] - self._starts[kitchen]
        bundle = np.repeat(np.arange(len(bundles)), counts)
        # Row by row, the places in `near` that belong to the bundle's kitchen.
        within = np.arange(len(bundle)) - np.repeat(np.cumsum(counts) - counts, counts)
        row = np.repeat(self._starts[kitchen], counts) + within
        courier = self._near[row]
        reached_at = self.free_at[courier] + self._approach[row] + self._arriving
        pairs = Pairs(bundle, courier, self._approach[row], reached_at)
        return pairs.at(np.flatnonzero(self._allowed(bundles, pairs)))

    def _allowed(self, bundles: Bundles, pairs: Pairs) -> NDArray[np.bool_]:
        last_pickup = np.maximum(
            pairs.reached_at + bundles.between[pairs.bundle, -1], bundles.ready_at[pairs.bundle, -1]
        )
        can: NDArray[np.bool_] = (self.capacity[pairs.courier] >= bundles.size) & (
            last_pickup <= self.shift_ends_at[pairs.courier]
        )
        may = np.ones_like(can)
        for stop in range(bundles.size):
            order = bundles.pickups[pairs.bundle, stop]
            away = self._kitchens[self._of_order[order]] - self.places[pairs.courier]
            furthest = np.minimum(self._radius[order], self._reach[pairs.courier])
            may &= np.hypot(away[:, 0], away[:, 1]) <= furthest
            may &= ~np.isin(order * len(self._couriers) + pairs.courier, self._excluded)
        alone = bundles.pickups[pairs.bundle, 0]
        for order, courier in self._wanted.items():
            theirs = alone == order
            # An operator knows why he wants a driver from further away; shifts end alike.
            may[theirs] = pairs.courier[theirs] == courier
        return can & may


def nearest(targets: Places, places: Places, waits: Seconds, count: int) -> Indices:
    """For each target some of the drivers at these places, as rows of the two.

    `waits` is how long each is still busy, as a share of the lookahead. The nearest in a straight
    line of those free now, and as many of those free within each third of the lookahead: a near
    one may be late and a far one in time, only what it costs can tell.
    """
    turns = np.ceil(3 * waits)
    found = [np.empty((0, 2), np.int64)]
    for turn in np.unique(turns):
        alike = np.flatnonzero(turns == turn)
        ranks = range(1, min(count, len(alike)) + 1)
        _, near = cKDTree(places[alike]).query(targets, k=ranks)
        target = np.repeat(np.arange(len(targets)), len(ranks))
        found.append(np.stack([target, alike[near.ravel()]], axis=1))
    return np.concatenate(found)


def wanted(orders: Sequence[OpenOrder], couriers: Sequence[Courier]) -> dict[int, int]:
    """Of the orders that an operator wants for a driver who is there, the order and the driver."""
    numbers = {courier.id: number for number, courier in enumerate(couriers)}
    return {
        number: numbers[order.preferred]
        for number, order in enumerate(orders)
        if order.preferred in numbers and order.preferred not in order.excluded
    }


def _excluded(orders: Sequence[OpenOrder], couriers: Sequence[Courier]) -> Indices:
    numbers = {courier.id: number for number, courier in enumerate(couriers)}
    return np.array(
        [
            order * len(couriers) + numbers[courier]
            for order, asked in enumerate(orders)
            for courier in asked.excluded
            if courier in numbers
        ],
        np.int64,
    )
