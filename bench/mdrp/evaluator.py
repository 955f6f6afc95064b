"""Whether a solution could have happened: from the instance and the three files alone.

It shares nothing with the simulation but the instance and the length of a drive. The published
evaluator (MDRP_code in grubhub/mdrplib) looks for the same violations, and is content with a
courier who leaves a restaurant or a door too early; this one takes no moment on trust.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from bench.mdrp.instance import Instance, Shift
from bench.mdrp.solution import START, Assignment, Delivery, Leg, Solution
from domain.dispatch.plan import Place


def violations(instance: Instance, solution: Solution) -> list[str]:
    """What is wrong with a solution, in words; nothing, if nothing is."""
    strangers = list(_strangers(instance, solution))
    if strangers:
        return strangers
    return [
        *_repeated(solution),
        *(wrong for made in solution.assignments for wrong in _bundle(instance, made)),
        *_deliveries(instance, solution),
        *_rides(instance, solution),
    ]


def _strangers(instance: Instance, solution: Solution) -> Iterator[str]:
    """Names that the instance does not know, and bundles without orders."""
    couriers = (
        *(made.courier for made in solution.assignments),
        *(done.courier for done in solution.deliveries),
        *(leg.courier for leg in solution.legs),
    )
    orders = (
        *(order for made in solution.assignments for order in made.orders),
        *(done.order for done in solution.deliveries),
    )
    yield from (f"no courier {name}" for name in sorted({*couriers} - instance.shifts.keys()))
    yield from (f"no order {name}" for name in sorted({*orders} - instance.orders.keys()))
    places = {START} | instance.orders.keys() | instance.restaurants.keys()
    stops = {stop for leg in solution.legs for stop in (leg.origin, leg.destination)}
    yield from (f"no place {name}" for name in sorted(stops - places))
    if any(not made.orders for made in solution.assignments):
        yield "an assignment without orders"


def _repeated(solution: Solution) -> Iterator[str]:
    assigned = Counter(order for made in solution.assignments for order in made.orders)
    delivered = Counter(done.order for done in solution.deliveries)
    yield from (f"{order} assigned {n} times" for order, n in assigned.items() if n > 1)
    yield from (f"{order} delivered {n} times" for order, n in delivered.items() if n > 1)
    yield from (f"{order} assigned, not delivered" for order in assigned - delivered)
    yield from (f"{order} delivered, not assigned" for order in delivered - assigned)


def _bundle(instance: Instance, made: Assignment) -> Iterator[str]:
    orders = [instance.orders[name] for name in made.orders]
    shift = instance.shifts[made.courier]
    if len({order.restaurant for order in orders}) > 1:
        yield f"{_named(made)} is of several restaurants"
    if made.pickup > shift.off:
        yield f"{_named(made)} is picked up at {made.pickup:g}, after his end at {shift.off:g}"
    for order in orders:
        if made.assigned < order.placed:
            yield f"{_named(made)} is assigned before {order.id} is placed at {order.placed:g}"
        if made.pickup < order.ready:
            yield f"{_named(made)} is picked up before {order.id} is ready at {order.ready:g}"


def _deliveries(instance: Instance, solution: Solution) -> Iterator[str]:
    """Where the orders' file does not agree with the instance or with the assignments."""
    assigned = {name: made for made in solution.assignments for name in made.orders}
    for done in solution.deliveries:
        order = instance.orders[done.order]
        if (done.placed, done.ready) != (order.placed, order.ready):
            yield f"{done.order} was not placed at {done.placed:g} and ready at {done.ready:g}"
        made = assigned.get(done.order)
        if made is not None and (done.courier, done.pickup) != (made.courier, made.pickup):
            yield f"{done.order} is not picked up by {done.courier} at {done.pickup:g}"


def _rides(instance: Instance, solution: Solution) -> Iterator[str]:
    """Drive each courier's legs again."""
    bundles: dict[str, list[Assignment]] = defaultdict(list)
    for made in sorted(solution.assignments):
        bundles[made.courier].append(made)
    legs: dict[str, list[Leg]] = defaultdict(list)
    for leg in solution.legs:
        legs[leg.courier].append(leg)
    dropoffs = {done.order: done for done in solution.deliveries}
    for name, shift in instance.shifts.items():
        needed = sum(1 + len(made.orders) for made in bundles[name])
        if len(legs[name]) != needed:
            yield f"{name} drives {len(legs[name])} legs where his orders take {needed}"
            continue
        yield from _Ride(instance, shift).again(bundles[name], iter(legs[name]), dropoffs)


class _Ride:
    """One courier's shift, driven again: where he stands, and since when he is done there."""

    def __init__(self, instance: Instance, shift: Shift) -> None:
        self._instance = instance
        self._places: dict[str, Place] = {
            START: shift.start,
            **instance.restaurants,
            **{order.id: order.door for order in instance.orders.values()},
        }
        self._stands_at = START
        self._free = shift.on
        self._wrong: list[str] = []

    def again(
        self, bundles: Sequence[Assignment], legs: Iterator[Leg], done: Mapping[str, Delivery]
    ) -> list[str]:
        """What is wrong with how he brought his bundles, one after the other."""
        for made in bundles:
            self._pick_up(made, next(legs))
            for order in made.orders:
                self._drop_off(next(legs), done.get(order))
        return self._wrong

    def _pick_up(self, made: Assignment, approach: Leg) -> None:
        service = self._instance.parameters.pickup_service
        orders = [self._instance.orders[name] for name in made.orders]
        if made.assigned < self._free:
            self._wrong.append(f"{_named(made)} is assigned when he is busy until {self._free:g}")
        if approach.departure < max(made.assigned, self._free):
            self._wrong.append(f"{_named(made)} begins too early, at {approach.departure:g}")
        arrival = self._drive(approach, orders[0].restaurant)
        pickup = max(*(order.ready for order in orders), arrival + service / 2)
        if made.pickup != pickup:
            self._wrong.append(f"{_named(made)} is picked up at {pickup:g}, not {made.pickup:g}")
        self._free = pickup + service / 2

    def _drop_off(self, leg: Leg, done: Delivery | None) -> None:
        service = self._instance.parameters.dropoff_service
        if leg.departure != self._free:
            self._wrong.append(f"{_drawn(leg)} departs at {leg.departure:g}, not {self._free:g}")
        if done is None:
            return
        dropoff = self._drive(leg, done.order) + service / 2
        if done.dropoff != dropoff:
            self._wrong.append(f"{done.order} is at the door at {dropoff:g}, not {done.dropoff:g}")
        self._free = dropoff + service / 2

    def _drive(self, leg: Leg, destination: str) -> float:
        """When he arrives."""
        if (leg.origin, leg.destination) != (self._stands_at, destination):
            self._wrong.append(f"{_drawn(leg)} is not from {self._stands_at} to {destination}")
        here, there = self._places[self._stands_at], self._places[destination]
        self._stands_at = destination
        return leg.departure + self._instance.drive(here, there)


def _drawn(leg: Leg) -> str:
    return f"{leg.courier}'s leg {leg.origin}-{leg.destination}"


def _named(made: Assignment) -> str:
    return f"{made.courier}'s {' '.join(made.orders)} of {made.assigned:g}"
