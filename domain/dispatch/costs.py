"""What a pair of a bundle and a driver costs, term by term, in weighted seconds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.dispatch.bundles import Bundles, Indices
from domain.dispatch.candidates import Pairs
from domain.dispatch.plan import Courier, OpenOrder, Scene, Seconds
from domain.dispatch.weights import Weights


@dataclass(frozen=True, slots=True)
class Schedule:
    """When each pair's driver leaves, takes and brings, and how long he stands at the kitchens.

    He leaves as late as lets him come in time, less `early`, but not before he is free.
    """

    leaves_at: Seconds
    stands: Seconds
    pickups: Seconds
    doors: Seconds


def schedule(scene: Scene, bundles: Bundles, pairs: Pairs, weights: Weights) -> Schedule:
    """When each of the pairs would leave, pick up and drop off."""
    between = bundles.between[pairs.bundle]
    ready_at = bundles.ready_at[pairs.bundle]
    in_time = ready_at[:, -1] - between[:, -1]
    reached_at = np.maximum(pairs.reached_at, in_time - weights.early)
    pickups = np.maximum(reached_at[:, None] + between, ready_at)
    return Schedule(
        leaves_at=reached_at - scene.arriving - pairs.approach,
        stands=pickups[:, -1] - between[:, -1] - reached_at,
        pickups=pickups,
        doors=pickups[:, -1:] + bundles.doors_after[pairs.bundle],
    )


class Costs:
    """The price of a choice in a scene."""

    def __init__(
        self,
        scene: Scene,
        orders: Sequence[OpenOrder],
        couriers: Sequence[Courier],
        weights: Weights,
    ) -> None:
        self._weights = weights
        self._scene = scene
        self._placed = np.array([order.placed_at for order in orders], float)
        self._ready = np.array([order.ready_at for order in orders], float)
        self._promised = np.array(
            [
                order.placed_at + weights.target if order.promised_at is None else order.promised_at
                for order in orders
            ],
            float,
        )
        idle = scene.at - np.array([courier.idle_since for courier in couriers], float)
        self._not_idle = np.clip(weights.idle_for - idle, 0.0, weights.idle_for)
        # What a driver could do else is worth more, the more orders there are to each.
        self._scarcity = len(orders) / max(1, len(couriers))

    def of_pairs(self, bundles: Bundles, pairs: Pairs) -> dict[str, Seconds]:
        """Each term of each pair's cost, weighted."""
        times = schedule(self._scene, bundles, pairs, self._weights)
        return self._at_doors(bundles.dropoffs[pairs.bundle], times.doors) | {
            "approach": self._weights.approach * self._scarcity * pairs.approach,
            "waiting": self._weights.waiting * times.stands,
            "detour": self._weights.detour
            * self._scarcity
            * (bundles.between[:, -1] + bundles.done_after)[pairs.bundle],
            "fairness": self._weights.fairness * self._not_idle[pairs.courier],
        }

    def of_nobody(self, alone: Bundles) -> Seconds:
        """What it costs to leave each order for later."""
        weights = self._weights
        soonest = np.maximum(self._ready, self._scene.at)[:, None] + alone.doors_after
        late = self._at_doors(alone.dropoffs, soonest + weights.unserved)
        drives = weights.detour * self._scarcity * 2 * alone.doors_after[:, 0]
        total: Seconds = sum(late.values(), start=drives)
        return total

    def _at_doors(self, orders: Indices, at: Seconds) -> dict[str, Seconds]:
        weights = self._weights
        late = np.maximum(at - self._promised[orders], 0.0)
        stale = np.maximum(at - self._ready[orders] - weights.fresh_for, 0.0)
        return {
            "age": weights.age * (at - self._placed[orders]).sum(axis=1),
            "lateness": weights.lateness * late.sum(axis=1),
            "freshness": weights.freshness * stale.sum(axis=1),
        }
