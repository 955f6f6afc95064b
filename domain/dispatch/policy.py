"""The matching: open orders and drivers of a zone weighed together, and only what is due done.

At every moment the best plan for all is sought anew, over bundles of orders and the drivers free
now or soon. Of that plan only those parts are proposed whose drivers must leave now to be in time:
whatever can wait may turn out better once more is known.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter

from domain.dispatch.options import Options
from domain.dispatch.plan import Held, HeldBack, OpenOrder, Plan, Scene
from domain.dispatch.weights import Weights

__all__ = ["Matching", "Weights"]


@dataclass(frozen=True, slots=True)
class Matching:
    """Orders and drivers matched together, bundles among them, each as late as may be."""

    weights: Weights = field(default_factory=Weights)

    def __call__(self, scene: Scene) -> Plan:
        """Propose who should leave now, and say of every other order why it is held back."""
        by_id = attrgetter("id")
        kept, free = _parted(sorted(scene.orders, key=by_id), at=scene.at)
        options = Options(scene, free, sorted(scene.couriers, key=by_id), self.weights)
        chosen = options.best()
        due_by = scene.at + self.weights.commit_ahead
        due = [option for option in chosen if option.is_due(due_by)]
        later = [option for option in chosen if not option.is_due(due_by)]
        held = [Held(order.id, HeldBack.OPERATOR, order.held_until) for order in kept]
        held += [
            Held(order, option.waits_for(due_by), option.leaves_at - self.weights.commit_ahead)
            for option in later
            for order in option.order_ids
        ]
        planned = {order for option in chosen for order in option.order_ids}
        held += [
            Held(order.id, options.why_nobody(order.id))
            for order in free
            if order.id not in planned
        ]
        return Plan(
            tuple(option.proposal() for option in due),
            tuple(sorted(held, key=attrgetter("order_id"))),
        )


def _parted(orders: Iterable[OpenOrder], at: float) -> tuple[list[OpenOrder], list[OpenOrder]]:
    """Those that an operator keeps back, and those that may go."""
    kept: list[OpenOrder] = []
    free: list[OpenOrder] = []
    for order in orders:
        is_kept = order.held_until is not None and order.held_until > at
        (kept if is_kept else free).append(order)
    return kept, free
