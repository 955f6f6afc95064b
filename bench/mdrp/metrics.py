"""What a solution is judged by. Durations are minutes, costs dollars."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from bench.mdrp.instance import Instance, Order
from bench.mdrp.solution import Solution

LATE_MINUTES = 60
"""What FoodMatch's own evaluation counts as late."""

Figures = dict[str, float | None]
"""A value by its name; None where nothing was delivered."""


@dataclass(slots=True)
class Outcome:
    """What is known of one or several instances played; of each delivered order, one value."""

    orders: int = 0
    click_to_door: list[float] = field(default_factory=list)
    at_best: list[float] = field(default_factory=list)
    over_target: list[float] = field(default_factory=list)
    ready_to_pickup: list[float] = field(default_factory=list)
    bundles: int = 0
    cost: float = 0.0
    seconds: float = 0.0
    slowest: float = 0.0

    def figures(self) -> Figures:
        """The metrics, as they are printed and as the summary names them."""
        delivered = len(self.click_to_door)
        late = [minutes for minutes in self.over_target if minutes > 0]
        mean, at_best = _mean(self.click_to_door), _mean(self.at_best)
        return {
            "orders": self.orders,
            "delivered": delivered,
            "undelivered": self.orders - delivered,
            "clickToDoorMean": mean,
            "clickToDoorP90": (float(np.percentile(self.click_to_door, 90)) if delivered else None),
            "lowerBoundMean": at_best,
            "excessMean": None if mean is None or at_best is None else mean - at_best,
            "over60": sum(minutes > LATE_MINUTES for minutes in self.click_to_door),
            "over60AtBest": sum(minutes > LATE_MINUTES for minutes in self.at_best),
            "overTarget": len(late),
            "overTargetMean": _mean(late),
            "readyToPickupMean": _mean(self.ready_to_pickup),
            "ordersPerBundle": delivered / self.bundles if self.bundles else None,
            "costPerOrder": self.cost / delivered if delivered else None,
            "seconds": self.seconds,
            "slowestSeconds": self.slowest,
        }


def outcome(instance: Instance, solution: Solution, *, seconds: float, slowest: float) -> Outcome:
    """What a feasible solution has come to, in so many seconds of thought."""
    done, parameters = solution.deliveries, instance.parameters
    click_to_door = [order.dropoff - order.placed for order in done]
    return Outcome(
        orders=len(instance.orders),
        click_to_door=click_to_door,
        at_best=[at_best(instance, instance.orders[order.order]) for order in done],
        over_target=[
            max(0.0, minutes - parameters.target_click_to_door) for minutes in click_to_door
        ],
        ready_to_pickup=[order.pickup - order.ready for order in done],
        bundles=len(solution.assignments),
        cost=cost(instance, solution),
        seconds=seconds,
        slowest=slowest,
    )


def pooled(outcomes: Iterable[Outcome]) -> Outcome:
    """Several outcomes as one, each order counting the same."""
    whole = Outcome()
    for part in outcomes:
        whole.orders += part.orders
        whole.click_to_door += part.click_to_door
        whole.at_best += part.at_best
        whole.over_target += part.over_target
        whole.ready_to_pickup += part.ready_to_pickup
        whole.bundles += part.bundles
        whole.cost += part.cost
        whole.seconds += part.seconds
        whole.slowest = max(whole.slowest, part.slowest)
    return whole


def at_best(instance: Instance, order: Order) -> float:
    """The lower bound of click-to-door: a courier always stands at the restaurant's counter."""
    parameters = instance.parameters
    drive = instance.drive(instance.restaurants[order.restaurant], order.door)
    service = parameters.pickup_service / 2 + parameters.dropoff_service / 2
    return max(order.ready, order.placed) + service + drive - order.placed


def cost(instance: Instance, solution: Solution) -> float:
    """What the couriers are paid: by order, but at least what their hours guarantee."""
    brought = Counter(order.courier for order in solution.deliveries)
    parameters = instance.parameters
    return sum(
        max(
            parameters.pay_per_order * brought[shift.courier],
            parameters.guaranteed_pay_per_hour * (shift.off - shift.on) / 60,
        )
        for shift in instance.shifts.values()
    )


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None
