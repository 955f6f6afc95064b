"""Whom to ask next: the seeds' rule (seed 000, Driver Assignment Flow).

The closest driver first, then the best rated, then the one with the least to carry.
Nobody is asked before the food is ready, and whoever was placed first is served first.
"""

from math import inf

import numpy as np
from numpy.typing import NDArray

from domain.dispatch.plan import Held, HeldBack, OpenOrder, Plan, Proposal, Scene, Stop


def nearest(scene: Scene) -> Plan:
    """The rule as a policy: each order, the oldest first, to the best driver who is free now.

    Distances are as the crow flies, as the seeds measure them. The driver whom an operator prefers
    comes first if he is free; nobody is asked who could not pick up before his shift ends.
    """
    proposals: list[Proposal] = []
    held: list[Held] = []
    drivers = _Drivers(scene)
    for order in sorted(scene.orders, key=lambda order: (order.placed_at, order.id)):
        answer = _too_early(order, scene.at) or drivers.ask(order)
        if isinstance(answer, Held):
            held.append(answer)
        else:
            proposals.append(answer)
    return Plan(tuple(proposals), tuple(held))


def _too_early(order: OpenOrder, at: float) -> Held | None:
    if order.held_until is not None and order.held_until > at:
        return Held(order.id, HeldBack.OPERATOR, order.held_until)
    if order.ready_at > at:
        return Held(order.id, HeldBack.FOOD_NOT_SOON, order.ready_at)
    return None


class _Drivers:
    """The drivers of a scene: who is free, and who has been asked already."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        # Of drivers who are equally near the first found is asked.
        ranked = sorted(
            scene.couriers, key=lambda courier: (-courier.rating, courier.load, courier.id)
        )
        self._index = {courier.id: i for i, courier in enumerate(ranked)}
        self._ids = [courier.id for courier in ranked]
        self._places = np.array([courier.place for courier in ranked], dtype=float).reshape(-1, 2)
        self._free_at = np.maximum([courier.free_at for courier in ranked], scene.at)
        self._shift_ends_at = np.array([courier.shift_ends_at for courier in ranked])
        self._reach = np.array([courier.reach_m for courier in ranked])
        self._free = np.array(
            [c.free_at <= scene.at and c.load < c.capacity for c in ranked], dtype=bool
        )
        self._asked = np.zeros(len(ranked), dtype=bool)

    def ask(self, order: OpenOrder) -> Proposal | Held:
        """Propose the best driver who is free and not asked yet, or say why there is none."""
        kitchen = np.broadcast_to(np.array(order.kitchen), self._places.shape)
        metres = np.hypot(*(self._places - kitchen).T)
        approach = self._scene.travel(self._places, kitchen)
        pickup = np.maximum(order.ready_at, self._free_at + approach + self._scene.arriving)
        in_reach = (metres <= np.minimum(order.radius_m, self._reach)) & (
            pickup <= self._shift_ends_at
        )
        in_reach[[self._index[name] for name in order.excluded if name in self._index]] = False
        available = in_reach & self._free & ~self._asked
        if not available.any():
            return self._nobody(order, in_reach)
        preferred = self._index.get(order.preferred or "")
        chosen = (
            preferred
            if preferred is not None and available[preferred]
            else int(np.argmin(np.where(available, metres, inf)))
        )
        self._asked[chosen] = True
        return Proposal(
            self._ids[chosen],
            (Stop(order.id, float(pickup[chosen])),),
            (Stop(order.id, self._dropoff(order, float(pickup[chosen]))),),
            {"approach": float(approach[chosen])},
        )

    def _nobody(self, order: OpenOrder, in_reach: NDArray[np.bool_]) -> Held:
        if (in_reach & self._asked).any():
            return Held(order.id, HeldBack.OTHERS_FIRST)
        if in_reach.any():
            # Who is late with what he has in hand was due to be free before now.
            due = self._free_at[in_reach & (self._free_at > self._scene.at)]
            until = float(due.min()) if due.size else None
            return Held(order.id, HeldBack.DRIVER_NOT_FREE_YET, until)
        return Held(order.id, HeldBack.NOBODY_IN_REACH)

    def _dropoff(self, order: OpenOrder, pickup: float) -> float:
        drive = self._scene.travel(np.array([order.kitchen]), np.array([order.door]))
        return pickup + self._scene.leaving + float(drive[0]) + self._scene.arriving
