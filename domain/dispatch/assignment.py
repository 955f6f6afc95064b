"""The best choice among pairs of bundles and drivers: no order twice, no driver twice."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csc_array, csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from domain.dispatch.bundles import Indices
from domain.dispatch.plan import Places, Seconds

# A bound that the clock has no part in, so that the same scene gets the same answer.
MOST_NODES = 200


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen: of each row its orders (-1 where there are fewer), driver and cost.

    `nobody` is what it costs to leave each order for later, `kitchens` where each is to be taken.
    """

    orders: Indices
    courier: Indices
    cost: Seconds
    nobody: Seconds
    kitchens: Places

    def __len__(self) -> int:
        return len(self.cost)


def cheapest(choices: Choices, most_at_once: int) -> Indices:
    """The rows whose costs, with those of the orders left for later, have the smallest sum.

    More rows than `most_at_once` take too long to be weighed together. Then the single orders are
    matched first, all of them, and after that each district seeks better with bundles: it has the
    drivers whom the matching gave it, and those whom nobody has been given.
    """
    if not len(choices):
        return np.empty(0, np.int64)
    single = (choices.orders[:, 1:] < 0).all(axis=1)
    if single.all():
        return _matched(choices, np.arange(len(choices)))
    if len(choices) <= most_at_once:
        return _partitioned(choices, np.arange(len(choices)))
    chosen = _matched(choices, np.flatnonzero(single))
    district = _districts(choices, most_at_once)
    of_row = _district_of_rows(choices, district)
    owner = dict(zip(choices.courier[chosen].tolist(), of_row[chosen].tolist(), strict=True))
    better = [np.empty(0, np.int64)]
    for number in range(int(district.max()) + 1):
        available = [owner.get(courier, number) == number for courier in choices.courier.tolist()]
        found = _partitioned(choices, np.flatnonzero((of_row == number) & available))
        owner |= dict.fromkeys(choices.courier[found].tolist(), number)
        better.append(found)
    return np.sort(np.concatenate(better))


def total(choices: Choices, chosen: Indices) -> float:
    """What the choice costs, all told."""
    served = choices.orders[chosen]
    later = np.ones(len(choices.nobody), bool)
    later[served[served >= 0]] = False
    return float(choices.cost[chosen].sum() + choices.nobody[later].sum())


def _districts(choices: Choices, most_at_once: int) -> Indices:
    """Of each order its district: halves of halves of the zone, no kitchen cut in two."""
    rows_of = np.bincount(choices.orders[choices.orders >= 0], minlength=len(choices.nobody))
    district = np.zeros(len(choices.nobody), np.int64)
    waiting, done = [np.arange(len(choices.nobody))], 0
    while waiting:
        orders = waiting.pop()
        places = choices.kitchens[orders]
        wide = int(np.ptp(places[:, 0]) < np.ptp(places[:, 1]))
        middle = np.median(places[:, wide])
        near = (
            places[:, wide] < middle
            if (places[:, wide] < middle).any()
            else places[:, wide] <= middle
        )
        if rows_of[orders].sum() <= most_at_once or near.all():
            district[orders] = done
            done += 1
        else:
            waiting += [orders[~near], orders[near]]
    return district


def _district_of_rows(choices: Choices, district: Indices) -> Indices:
    """Of each row the district that all its orders are in, or -1."""
    first = district[choices.orders[:, 0]]
    here = (choices.orders < 0) | (district[choices.orders] == first[:, None])
    return np.where(here.all(axis=1), first, -1)


def _matched(choices: Choices, rows: Indices) -> Indices:
    """Of rows of single orders: a minimum weight matching, each order with a nobody of its own."""
    count = len(choices.nobody)
    couriers, column = np.unique(choices.courier[rows], return_inverse=True)
    order, column = choices.orders[rows, 0], column.ravel()
    cost = np.r_[choices.cost[rows], choices.nobody]
    # A weight of nought would be no edge; what is added to every one changes no comparison.
    weights = cost - cost.min() + 1.0
    edges = np.r_[order, np.arange(count)], np.r_[column, len(couriers) + np.arange(count)]
    graph = csr_array((weights, edges), shape=(count, len(couriers) + count))
    # The rows come back in their sequence, since there are no more of them than columns.
    _, match = min_weight_full_bipartite_matching(graph)
    found: Indices = rows[match[order] == column]
    return found


def _partitioned(choices: Choices, rows: Indices) -> Indices:
    """Of rows with bundles: a set partitioning, where every order has a nobody of its own."""
    if not len(rows):
        return rows
    row, stop = np.nonzero(choices.orders[rows] >= 0)
    served, order = np.unique(choices.orders[rows][row, stop], return_inverse=True)
    couriers, courier = np.unique(choices.courier[rows], return_inverse=True)
    pairs, count = len(rows), len(served)
    uses = np.r_[order.ravel(), count + courier.ravel(), np.arange(count)]
    used_by = np.r_[row, np.arange(pairs), pairs + np.arange(count)]
    once = csc_array(
        (np.ones(len(uses)), (uses, used_by)), shape=(count + len(couriers), pairs + count)
    )
    every_order, no_courier = np.ones(count), np.zeros(len(couriers))
    solution = milp(
        np.r_[choices.cost[rows], choices.nobody[served]],
        integrality=np.ones(pairs + count),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(once, np.r_[every_order, no_courier], 1.0),
        options={"node_limit": MOST_NODES},
    )
    if solution.x is None:
        # Nothing found within the bound: the single orders can always be matched.
        return _matched(choices, rows[choices.orders[rows, 1] < 0])
    return rows[np.flatnonzero(np.rint(solution.x[:pairs]))]
