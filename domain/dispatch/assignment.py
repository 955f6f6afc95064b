"""The best choice among pairs of bundles and drivers: no order twice, no driver twice."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csc_array, csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from domain.dispatch.bundles import Indices
from domain.dispatch.plan import Seconds

# A bound that the clock has no part in, so that the same scene gets the same answer.
MOST_NODES = 200


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen: of each row its orders (-1 where there are fewer), driver and cost.

    `nobody` is what it costs to leave each order for later.
    """

    orders: Indices
    courier: Indices
    cost: Seconds
    nobody: Seconds


def cheapest(choices: Choices) -> Indices:
    """The rows whose costs, with those of the orders left for later, have the smallest sum."""
    if not len(choices.cost):
        return np.empty(0, np.int64)
    if choices.orders.shape[1] == 1 or (choices.orders[:, 1:] < 0).all():
        return _matched(choices)
    return _partitioned(choices)


def total(choices: Choices, chosen: Indices) -> float:
    """What the choice costs, all told."""
    served = choices.orders[chosen]
    later = np.ones(len(choices.nobody), bool)
    later[served[served >= 0]] = False
    return float(choices.cost[chosen].sum() + choices.nobody[later].sum())


def _matched(choices: Choices) -> Indices:
    """Single orders: a minimum weight matching, where every order has a nobody of its own."""
    count = len(choices.nobody)
    couriers, column = np.unique(choices.courier, return_inverse=True)
    rows = np.r_[choices.orders[:, 0], np.arange(count)]
    columns = np.r_[column.ravel(), len(couriers) + np.arange(count)]
    # A weight of nought would be no edge; what is added to every one changes no comparison.
    costs = np.r_[choices.cost, choices.nobody]
    weights = costs - costs.min() + 1.0
    graph = csr_array((weights, (rows, columns)), shape=(count, len(couriers) + count))
    order, matched = min_weight_full_bipartite_matching(graph)
    taken = dict(zip(order.tolist(), matched.tolist(), strict=True))
    return np.flatnonzero(
        [taken[o] == c for o, c in zip(choices.orders[:, 0].tolist(), column.tolist(), strict=True)]
    )


def _partitioned(choices: Choices) -> Indices:
    """Bundles: a set partitioning, where every order has a nobody of its own."""
    pairs, count = len(choices.cost), len(choices.nobody)
    couriers, courier = np.unique(choices.courier, return_inverse=True)
    row, column = np.nonzero(choices.orders >= 0)
    rows = np.r_[choices.orders[row, column], count + courier.ravel(), np.arange(count)]
    columns = np.r_[row, np.arange(pairs), pairs + np.arange(count)]
    uses = csc_array(
        (np.ones(len(rows)), (rows, columns)), shape=(count + len(couriers), pairs + count)
    )
    exactly_one, at_most_one = np.ones(count), np.zeros(len(couriers))
    solution = milp(
        np.r_[choices.cost, choices.nobody],
        integrality=np.ones(pairs + count),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(
            uses, np.r_[exactly_one, at_most_one], np.ones(count + len(couriers))
        ),
        options={"node_limit": MOST_NODES},
    )
    return np.flatnonzero(np.rint(solution.x[:pairs]))
