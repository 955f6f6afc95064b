"""What a driver is worth where he is: how much longer the next orders would wait without him.

Sending whoever is nearest empties the places where the next orders come from. While several
drivers would be in time, better go those whose absence will hardly be felt.
"""

import numpy as np
from numpy.typing import NDArray

from domain.dispatch.candidates import nearest
from domain.dispatch.plan import Places, Scene, Seconds
from domain.dispatch.weights import Weights

# Orders come, on average, this long from now; nobody at all is as bad as being so late.
SOON = 10 * 60.0
LATEST = 20 * 60.0
# The next order takes the driver who would be there first, or, as he may be gone by then, with
# half the chance the second, and so on.
CHANCES = np.array([4.0, 2.0, 1.0]) / 7.0


def losses(scene: Scene, places: Places, free_at: Seconds, weights: Weights) -> Seconds:
    """Of each driver, by how many seconds his absence for a trip would make orders wait longer."""
    lost = np.zeros(len(places))
    if not scene.demand or not len(places):
        return lost
    delays, courier = _soonest(scene, places, free_at, weights)
    arrivals = np.array([demand.orders_per_hour for demand in scene.demand]) * weights.trip / 3600
    # Without the driver at one rank, every one behind him moves up by one.
    later = CHANCES * np.diff(delays, axis=1)
    for rank in range(len(CHANCES)):
        np.add.at(lost, courier[:, rank], arrivals * later[:, rank:].sum(axis=1))
    # In that time he would have brought but one of them.
    return np.minimum(lost, LATEST)


def _soonest(
    scene: Scene, places: Places, free_at: Seconds, weights: Weights
) -> tuple[Seconds, NDArray[np.int64]]:
    """Of each place of demand the first drivers to reach it, and how late they would be."""
    ranks = len(CHANCES) + 1
    targets = np.array([demand.place for demand in scene.demand], float)
    waits = (free_at - scene.at) / weights.lookahead
    at, courier = nearest(targets, places, waits, weights.candidates).T
    drive = np.asarray(scene.travel(places[courier], targets[at]), float)
    reached_in = np.maximum(free_at[courier] - scene.at - SOON, 0.0) + drive + scene.arriving
    notice = np.array([demand.notice for demand in scene.demand], float)[at]
    late = np.minimum(np.maximum(reached_in[:, None] - notice, 0.0).mean(axis=1), LATEST)
    ranked = np.lexsort((courier, late, at))
    rank = np.arange(len(ranked)) - np.searchsorted(at[ranked], at[ranked])
    first = ranked[rank < ranks]
    rank = rank[rank < ranks]
    delays = np.full((len(targets), ranks), LATEST)
    delays[at[first], rank] = late[first]
    couriers = np.zeros((len(targets), ranks), np.int64)
    couriers[at[first], rank] = courier[first]
    return delays, couriers
