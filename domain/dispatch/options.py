"""Everything that could be done in a scene: bundles, who could bring them, at what cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domain.dispatch.assignment import Choices, cheapest
from domain.dispatch.bundles import Bundles, Indices, bundles
from domain.dispatch.candidates import Pairs, Reach
from domain.dispatch.costs import Costs, Schedule, schedule
from domain.dispatch.plan import Courier, HeldBack, OpenOrder, Proposal, Scene, Seconds, Stop
from domain.dispatch.weights import Weights

# A bundle that costs more than its orders would, each with its fifth best driver, is no gain.
ALTERNATIVES = 5


@dataclass(frozen=True, slots=True)
class Option:
    """A driver, what he would bring, and when he would leave for it."""

    courier: Courier
    pickups: tuple[Stop, ...]
    dropoffs: tuple[Stop, ...]
    leaves_at: float
    why: Mapping[str, float]

    @property
    def order_ids(self) -> list[str]:
        """The orders that he would bring."""
        return [stop.order_id for stop in self.pickups]

    def is_due(self, by: float) -> bool:
        """Whether he should be asked now, since he has hands free and must leave by then."""
        return self.leaves_at <= by and self._fits

    def waits_for(self, by: float) -> HeldBack:
        """What is waited for, if he is not asked now."""
        if self.courier.free_at <= by and self._fits:
            return HeldBack.FOOD_NOT_SOON
        return HeldBack.DRIVER_NOT_FREE_YET

    @property
    def _fits(self) -> bool:
        return self.courier.load + len(self.pickups) <= self.courier.capacity

    def proposal(self) -> Proposal:
        """To ask him now."""
        return Proposal(self.courier.id, self.pickups, self.dropoffs, self.why)


@dataclass(frozen=True, slots=True)
class _OfOneSize:
    """The options whose bundles hold the same number of orders."""

    bundles: Bundles
    pairs: Pairs
    terms: Mapping[str, Seconds]
    cost: Seconds

    def at(self, rows: Indices) -> "_OfOneSize":
        """Those of the options that the rows name."""
        terms = {name: term[rows] for name, term in self.terms.items()}
        return _OfOneSize(self.bundles, self.pairs.at(rows), terms, self.cost[rows])


class Options:
    """The sparse table of what could be done, and the best of it."""

    def __init__(
        self,
        scene: Scene,
        orders: Sequence[OpenOrder],
        couriers: Sequence[Courier],
        weights: Weights,
    ) -> None:
        self._scene = scene
        self._orders = orders
        self._weights = weights
        horizon = scene.at + weights.lookahead
        wanted = {order.preferred for order in orders}
        self._couriers = [
            courier
            for courier in couriers
            if courier.shift_ends_at >= scene.at
            and (courier.free_at <= horizon or courier.id in wanted)
        ]
        self._by_size: list[_OfOneSize] = []
        self._nobody = np.zeros(len(orders))
        self._kitchens = np.array([order.kitchen for order in orders], float).reshape(-1, 2)
        self._reachable: set[str] = set()
        if orders:
            self._weigh()

    def _weigh(self) -> None:
        found = bundles(self._scene, self._orders, self._weights)
        reach = Reach(self._scene, self._orders, self._couriers, self._weights)
        costs = Costs(self._scene, self._orders, self._couriers, self._weights)
        self._nobody = costs.of_nobody(found[0])
        for alike in found:
            pairs = reach.pairs(alike)
            terms = costs.of_pairs(alike, pairs)
            cost: Seconds = sum(terms.values(), start=np.zeros(len(pairs)))
            nobody = self._nobody[alike.pickups].sum(axis=1)
            if alike.size == 1:
                self._remember_reachable(alike, pairs)
            rows = _best_of_each(pairs, cost, self._weights.candidates)
            rows = rows[cost[rows] < nobody[pairs.bundle[rows]]]
            self._by_size.append(_OfOneSize(alike, pairs, terms, cost).at(rows))
        if sum(len(alike.pairs) for alike in self._by_size) > self._weights.most_at_once:
            self._drop_what_is_no_gain()

    def _drop_what_is_no_gain(self) -> None:
        """Of many bundles keep those that cost less than their orders would alone."""
        single, *bundled = self._by_size
        alone = _cost_of_alternative(single.pairs, single.cost, self._nobody)
        self._by_size = [single]
        for alike in bundled:
            apart = alone[alike.bundles.pickups].sum(axis=1)
            rows = np.flatnonzero(alike.cost < apart[alike.pairs.bundle])
            self._by_size.append(alike.at(rows))

    def _remember_reachable(self, alone: Bundles, pairs: Pairs) -> None:
        reachable = np.unique(alone.pickups[pairs.bundle, 0]).tolist()
        self._reachable = {self._orders[order].id for order in reachable}

    @property
    def choices(self) -> Choices:
        """All options, one a row, the single orders first."""
        widest = max((alike.bundles.size for alike in self._by_size), default=1)
        orders = [np.empty((0, widest), np.int64)]
        for alike in self._by_size:
            padding = ((0, 0), (0, widest - alike.bundles.size))
            taken = alike.bundles.pickups[alike.pairs.bundle]
            orders.append(np.pad(taken, padding, constant_values=-1))
        none = np.empty(0)
        return Choices(
            orders=np.concatenate(orders),
            courier=np.concatenate(
                [none.astype(np.int64), *(a.pairs.courier for a in self._by_size)]
            ),
            cost=np.concatenate([none, *(a.cost for a in self._by_size)]),
            nobody=self._nobody,
            kitchens=self._kitchens,
        )

    def best(self) -> list[Option]:
        """The options that together cost least, no order and no driver in two of them."""
        chosen = cheapest(self.choices, self._weights.most_at_once)
        start = 0
        best = []
        for alike in self._by_size:
            here = chosen[(chosen >= start) & (chosen < start + len(alike.pairs))] - start
            times = schedule(self._scene, alike.bundles, alike.pairs.at(here), self._weights)
            best += [self._option(alike, row, times, number) for number, row in enumerate(here)]
            start += len(alike.pairs)
        return sorted(best, key=lambda option: option.courier.id)

    def why_nobody(self, order_id: str) -> HeldBack:
        """Why no driver is planned for the order."""
        if order_id in self._reachable:
            return HeldBack.OTHERS_FIRST
        return HeldBack.NOBODY_IN_REACH

    def _option(self, alike: _OfOneSize, row: int, times: Schedule, number: int) -> Option:
        bundle = alike.pairs.bundle[row]
        return Option(
            courier=self._couriers[alike.pairs.courier[row]],
            pickups=self._stops(alike.bundles.pickups[bundle], times.pickups[number]),
            dropoffs=self._stops(alike.bundles.dropoffs[bundle], times.doors[number]),
            leaves_at=float(times.leaves_at[number]),
            why={name: round(float(term[row]), 1) for name, term in alike.terms.items()},
        )

    def _stops(self, orders: Indices, at: Seconds) -> tuple[Stop, ...]:
        return tuple(
            Stop(self._orders[order].id, float(moment))
            for order, moment in zip(orders.tolist(), at.tolist(), strict=True)
        )


def _cost_of_alternative(pairs: Pairs, cost: Seconds, nobody: Seconds) -> Seconds:
    """What each single order costs with a driver whom it will hardly fail to get, if any."""
    likely = _best_of_each(pairs, cost, ALTERNATIVES)
    count = np.bincount(pairs.bundle[likely], minlength=len(nobody))
    worst = np.zeros(len(nobody))
    np.maximum.at(worst, pairs.bundle[likely], cost[likely])
    return np.where(count < ALTERNATIVES, nobody, np.minimum(worst, nobody))


def _best_of_each(pairs: Pairs, cost: Seconds, count: int) -> Indices:
    """The cheapest pairs of each bundle, as many as that; of equals those of the first drivers."""
    ranked = np.lexsort((pairs.courier, cost, pairs.bundle))
    of_bundle = pairs.bundle[ranked]
    first = np.searchsorted(of_bundle, of_bundle)
    return ranked[np.arange(len(ranked)) - first < count]
