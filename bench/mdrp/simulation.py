"""An instance played minute by minute: the policy is asked, and couriers do as it says.

The rules are those of Reyes et al. (The Meal Delivery Routing Problem, 2018): a courier always
accepts, has one assignment at a time, waits where the last one ended, and drives off when he is
sent. Nobody is sent somewhere to wait for orders, and what was said once is not changed.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from bench.mdrp.instance import Instance, Order, Shift
from bench.mdrp.solution import START, Assignment, Delivery, Leg, Solution
from domain.dispatch.forecast import expected
from domain.dispatch.plan import (
    Courier,
    OpenOrder,
    Place,
    Places,
    Plan,
    Policy,
    Proposal,
    Scene,
    Seconds,
)

# A policy hears of a courier so long before his shift begins, to keep an order for him.
LOOKAHEAD_MINUTES = 60
# The instances know no limit; this is what FoodMatch allows itself.
CAPACITY = 3


class Impossible(Exception):
    """A plan that cannot be carried out at this moment, or does not account for every order."""


@dataclass(slots=True)
class _Rider:
    """A courier in the middle of his shift: where and when he is free, since what."""

    shift: Shift
    place: Place
    free: float
    stands_at: str = START
    load: int = 0
    brought: int = 0


@dataclass(slots=True)
class Played:
    """What was done, and how long the policy thought: in all and at most at once, in seconds."""

    solution: Solution = field(default_factory=Solution)
    seconds: float = 0.0
    slowest: float = 0.0


class Day:
    """One day in an instance, as far as it has gone."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._to_come = sorted(instance.orders.values(), key=lambda o: o.placed, reverse=True)
        self._open: dict[str, Order] = {}
        self._known: list[OpenOrder] = []
        self._riders = {
            shift.courier: _Rider(shift, shift.start, shift.on)
            for shift in instance.shifts.values()
        }
        self.solution = Solution()

    def scene(self, minute: float) -> Scene:
        """What is known at this minute; minutes may not go backwards."""
        while self._to_come and self._to_come[-1].placed <= minute:
            order = self._to_come.pop()
            self._open[order.id] = order
            self._known.append(self._as_open(order))
        parameters = self._instance.parameters
        return Scene(
            at=_seconds(minute),
            orders=tuple(self._as_open(order) for order in self._open.values()),
            couriers=tuple(
                self._as_courier(rider, minute)
                for rider in self._riders.values()
                if rider.shift.on <= minute + LOOKAHEAD_MINUTES and minute <= rider.shift.off
            ),
            travel=self._travel,
            demand=expected(
                _seconds(minute), self._known, list(self._instance.restaurants.values())
            ),
            arriving=_seconds(parameters.pickup_service / 2),
            leaving=_seconds(parameters.pickup_service / 2),
        )

    def carry_out(self, plan: Plan, minute: float) -> None:
        """Send the couriers as the plan says. Raises `Impossible`."""
        named = Counter(held.order_id for held in plan.held)
        for proposal in plan.proposals:
            named.update(stop.order_id for stop in proposal.dropoffs)
        if named != Counter(self._open.keys()):
            wrong = sorted(
                named.keys() ^ self._open.keys() | {o for o, n in named.items() if n > 1}
            )
            raise Impossible(f"at {minute:g} proposed or held back not exactly once: {wrong}")
        for proposal in plan.proposals:
            self._send(proposal, minute)

    def _send(self, proposal: Proposal, minute: float) -> None:
        rider, bundle = self._rider(proposal, minute), self._bundle(proposal)
        parameters = self._instance.parameters
        restaurant = bundle[0].restaurant
        kitchen = self._instance.restaurants[restaurant]
        arrival = minute + self._instance.drive(rider.place, kitchen)
        pickup = max(*(order.ready for order in bundle), arrival + parameters.pickup_service / 2)
        if pickup > rider.shift.off:
            raise Impossible(
                f"{rider.shift.courier} would pick up at {pickup:g}, after {rider.shift.off:g}"
            )
        courier = rider.shift.courier
        self.solution.assignments.append(
            Assignment(minute, pickup, courier, tuple(order.id for order in bundle))
        )
        self.solution.legs.append(Leg(courier, minute, rider.stands_at, restaurant))
        place, stands_at = kitchen, restaurant
        departure = pickup + parameters.pickup_service / 2
        for order in bundle:
            self.solution.legs.append(Leg(courier, departure, stands_at, order.id))
            arrival = departure + self._instance.drive(place, order.door)
            dropoff = arrival + parameters.dropoff_service / 2
            self.solution.deliveries.append(
                Delivery(order.id, order.placed, order.ready, pickup, dropoff, courier)
            )
            place, stands_at = order.door, order.id
            departure = dropoff + parameters.dropoff_service / 2
            del self._open[order.id]
        rider.place, rider.stands_at, rider.free = place, stands_at, departure
        rider.load, rider.brought = len(bundle), rider.brought + len(bundle)

    def _rider(self, proposal: Proposal, minute: float) -> _Rider:
        rider = self._riders.get(proposal.courier_id)
        if rider is None:
            raise Impossible(f"there is no courier {proposal.courier_id}")
        if rider.free > minute:
            raise Impossible(
                f"{proposal.courier_id} is sent at {minute:g}, but not free before {rider.free:g}"
            )
        return rider

    def _bundle(self, proposal: Proposal) -> list[Order]:
        bundle = [self._open[stop.order_id] for stop in proposal.dropoffs]
        if not bundle or len(bundle) > CAPACITY:
            raise Impossible(f"{proposal.courier_id} is to bring {len(bundle)} orders at once")
        if Counter(stop.order_id for stop in proposal.pickups) != Counter(o.id for o in bundle):
            raise Impossible(f"{proposal.courier_id} is not to bring exactly what he takes")
        if len({order.restaurant for order in bundle}) > 1:
            raise Impossible(f"{proposal.courier_id} is sent to several restaurants at once")
        return bundle

    def _as_open(self, order: Order) -> OpenOrder:
        return OpenOrder(
            id=order.id,
            kitchen_id=order.restaurant,
            kitchen=self._instance.restaurants[order.restaurant],
            door=order.door,
            placed_at=_seconds(order.placed),
            ready_at=_seconds(order.ready),
            promised_at=_seconds(order.placed + self._instance.parameters.target_click_to_door),
        )

    def _as_courier(self, rider: _Rider, minute: float) -> Courier:
        pay = self._instance.parameters.pay_per_order
        return Courier(
            id=rider.shift.courier,
            place=rider.place,
            free_at=_seconds(rider.free),
            seen_at=_seconds(minute),
            idle_since=_seconds(rider.free),
            capacity=CAPACITY,
            load=rider.load if rider.free > minute else 0,
            shift_ends_at=_seconds(rider.shift.off),
            earned_cents=round(100 * pay * rider.brought),
        )

    def _travel(self, origins: Places, destinations: Places) -> Seconds:
        metres: Seconds = np.sqrt(((destinations - origins) ** 2).sum(axis=1))
        return np.ceil(metres / self._instance.parameters.meters_per_minute) * 60.0


def play(instance: Instance, policy: Policy, passed: Callable[[], object]) -> Played:
    """Play an instance to its end; `passed` is called after each of its `minutes`.

    Raises `Impossible` when the policy wants what cannot be done.
    """
    day, played = Day(instance), Played()
    for minute in minutes(instance):
        scene = day.scene(minute)
        if scene.orders:
            began = perf_counter()
            plan = policy(scene)
            thought = perf_counter() - began
            played.seconds += thought
            played.slowest = max(played.slowest, thought)
            day.carry_out(plan, minute)
        passed()
    played.solution = day.solution
    return played


def minutes(instance: Instance) -> range:
    """From the first order until nobody picks up any more."""
    first = min((order.placed for order in instance.orders.values()), default=0)
    last = max((shift.off for shift in instance.shifts.values()), default=0)
    return range(int(first), int(last) + 1)


def _seconds(minutes: float) -> float:
    return 60.0 * minutes
