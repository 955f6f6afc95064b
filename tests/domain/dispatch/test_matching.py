"""What holds for the matching in any scene whatever."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from math import hypot, inf
from operator import attrgetter
from random import Random
from time import process_time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.dispatch.assignment import cheapest, total
from domain.dispatch.options import Options
from domain.dispatch.plan import Courier, Demand, HeldBack, OpenOrder, Place, Places, Scene, Seconds
from domain.dispatch.policy import Matching, Weights

NOW = 100_000.0
METRES_PER_SECOND = 5.0
# What the solver leaves of the optimum.
TOLERANCE = 1e-4
LIVE = Weights(neighbours_m=400.0, commit_ahead=75.0, early=60.0, fairness=0.05, freshness=0.5)

# Each example solves a scene; how long that takes is the machine's affair.
few = settings(max_examples=40, deadline=None)

metres = st.integers(0, 6_000).map(float)
places = st.builds(Place, metres, metres)
ids = [f"driver-{number}" for number in range(6)]


def travel(origins: Places, destinations: Places) -> Seconds:
    return np.hypot(*(origins - destinations).T) / METRES_PER_SECOND


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    kitchens = draw(st.lists(places, min_size=1, max_size=3))
    orders = []
    for number in range(draw(st.integers(0, 7))):
        kitchen = draw(st.integers(0, len(kitchens) - 1))
        placed_at = NOW - draw(st.integers(0, 3_600))
        orders.append(
            OpenOrder(
                id=f"order-{number}",
                kitchen_id=f"kitchen-{kitchen}",
                kitchen=kitchens[kitchen],
                door=draw(places),
                placed_at=placed_at,
                ready_at=placed_at + draw(st.integers(60, 3_600)),
                promised_at=draw(st.none() | st.just(placed_at + 2_400)),
                radius_m=draw(st.sampled_from([1_000.0, 3_000.0, inf])),
                excluded=draw(st.frozensets(st.sampled_from(ids), max_size=2)),
                preferred=draw(st.none() | st.none() | st.sampled_from(ids)),
                held_until=draw(st.none() | st.none() | st.sampled_from([NOW - 60, NOW + 60])),
            )
        )
    couriers = [
        Courier(
            id=courier,
            place=draw(places),
            free_at=NOW + draw(st.sampled_from([-600, 0, 30, 300, 1_500, 9_000])),
            seen_at=NOW,
            idle_since=NOW - draw(st.integers(0, 3_600)),
            capacity=draw(st.integers(1, 3)),
            load=draw(st.integers(0, 2)),
            shift_ends_at=NOW + draw(st.sampled_from([-60.0, 600.0, 3_000.0, inf])),
        )
        for courier in draw(st.lists(st.sampled_from(ids), unique=True))
    ]
    demand = draw(st.sampled_from([(), (Demand(kitchens[0], 20.0, (300.0, 900.0)),)]))
    return Scene(NOW, tuple(orders), tuple(couriers), travel, demand=demand)


weights = st.sampled_from([Weights(), LIVE, Weights(bundle_size=1), Weights(lateness=2.0)])


@few
@given(scenes(), weights)
def test_every_open_order_is_proposed_once_or_held_once(scene: Scene, weights: Weights) -> None:
    plan = Matching(weights)(scene)

    named = [stop.order_id for proposal in plan.proposals for stop in proposal.pickups]
    named += [held.order_id for held in plan.held]
    assert Counter(named) == Counter(order.id for order in scene.orders)


@few
@given(scenes(), weights)
def test_a_proposal_is_one_that_its_driver_may_be_asked(scene: Scene, weights: Weights) -> None:
    plan = Matching(weights)(scene)

    couriers = {courier.id: courier for courier in scene.couriers}
    orders = {order.id: order for order in scene.orders}
    assert len({proposal.courier_id for proposal in plan.proposals}) == len(plan.proposals)
    for proposal in plan.proposals:
        courier = couriers[proposal.courier_id]
        taken = [orders[stop.order_id] for stop in proposal.pickups]
        assert courier.load + len(taken) <= courier.capacity
        assert len(taken) <= weights.bundle_size
        assert max(stop.at for stop in proposal.pickups) <= courier.shift_ends_at
        ready = [order.ready_at for order in taken]
        assert max(ready) - min(ready) <= weights.ready_gap
        for order in taken:
            assert courier.id not in order.excluded
            assert order.held_until is None or order.held_until <= scene.at
            wanted = couriers.get(order.preferred or "")
            if wanted and wanted.shift_ends_at >= NOW and wanted.id not in order.excluded:
                assert order.preferred == courier.id
            else:
                away = np.subtract(order.kitchen, courier.place)
                assert hypot(*away) <= order.radius_m


@few
@given(scenes(), weights)
def test_the_times_of_a_proposal_can_be_driven(scene: Scene, weights: Weights) -> None:
    orders = {order.id: order for order in scene.orders}
    couriers = {courier.id: courier for courier in scene.couriers}

    for proposal in Matching(weights)(scene).proposals:
        courier = couriers[proposal.courier_id]
        place, free_at = courier.place, max(scene.at, courier.free_at)
        stops = [(stop, orders[stop.order_id].kitchen) for stop in proposal.pickups]
        stops += [(stop, orders[stop.order_id].door) for stop in proposal.dropoffs]
        for number, (stop, there) in enumerate(stops):
            again = number > 0 and there == place and number < len(proposal.pickups)
            drive = float(travel(np.array([place]), np.array([there]))[0])
            if not again:
                assert stop.at >= free_at + drive + scene.arriving - 1e-6
            free_at, place = stop.at + scene.leaving, there
        for stop in proposal.pickups:
            assert stop.at >= orders[stop.order_id].ready_at
        assert Counter(s.order_id for s in proposal.dropoffs) == Counter(
            s.order_id for s in proposal.pickups
        )


@few
@given(scenes(), weights)
def test_no_driver_is_sent_to_stand_and_wait(scene: Scene, weights: Weights) -> None:
    couriers = {courier.id: courier for courier in scene.couriers}
    orders = {order.id: order for order in scene.orders}

    for proposal in Matching(weights)(scene).proposals:
        courier, first = couriers[proposal.courier_id], proposal.pickups[0]
        kitchen = np.array([orders[first.order_id].kitchen])
        drive = float(travel(np.array([courier.place]), kitchen)[0])
        in_reach_at = max(scene.at, courier.free_at) + drive + scene.arriving
        one_kitchen = len({orders[stop.order_id].kitchen for stop in proposal.pickups}) == 1
        if one_kitchen:
            margin = weights.early + weights.commit_ahead
            assert first.at - in_reach_at <= margin + 1e-6


@few
@given(scenes(), weights, st.randoms())
def test_the_sequence_in_which_things_are_told_changes_nothing(
    scene: Scene, weights: Weights, random: Random
) -> None:
    orders, couriers = list(scene.orders), list(scene.couriers)
    random.shuffle(orders)
    random.shuffle(couriers)
    shuffled = replace(scene, orders=tuple(orders), couriers=tuple(couriers))

    assert Matching(weights)(shuffled) == Matching(weights)(scene)


@few
@given(scenes(), weights)
def test_one_driver_more_never_makes_the_best_total_worse(scene: Scene, weights: Weights) -> None:
    def least(couriers: tuple[Courier, ...]) -> float:
        orders = sorted(scene.orders, key=lambda order: order.id)
        # An order that one driver is wanted for waits for him alone, if he is there.
        orders = [replace(order, preferred=None) for order in orders]
        choices = Options(scene, orders, couriers, weights).choices
        return total(choices, cheapest(choices, weights.most_at_once))

    couriers = tuple(sorted(scene.couriers, key=lambda courier: courier.id))
    for number in range(len(couriers)):
        without = couriers[:number] + couriers[number + 1 :]
        assert least(couriers) <= least(without) + TOLERANCE * (1 + abs(least(without)))


@few
@given(scenes(), weights)
def test_no_ready_food_waits_while_a_driver_who_could_bring_it_has_nothing_to_do(
    scene: Scene, weights: Weights
) -> None:
    orders = [
        replace(
            o, ready_at=NOW, radius_m=inf, excluded=frozenset(), preferred=None, held_until=None
        )
        for o in scene.orders
    ]
    couriers = [replace(courier, load=0, shift_ends_at=inf) for courier in scene.couriers]
    plan = Matching(weights)(replace(scene, orders=tuple(orders), couriers=tuple(couriers)))

    asked = {proposal.courier_id for proposal in plan.proposals}
    idle = [courier for courier in couriers if courier.free_at <= NOW and courier.id not in asked]
    assert not idle or all(held.reason != HeldBack.OTHERS_FIRST for held in plan.held)


def test_who_has_declined_does_not_hide_who_is_further_away() -> None:
    couriers = [
        Courier(f"driver-{number:02}", Place(number * 10.0, 0.0), NOW, NOW, NOW)
        for number in range(40)
    ]
    declined = frozenset(courier.id for courier in couriers[:39])
    order = OpenOrder(
        "order", "kitchen", *(Place(0, 0), Place(900, 0)), NOW, NOW, excluded=declined
    )

    plan = Matching()(Scene(NOW, (order,), tuple(couriers), travel))

    assert [proposal.courier_id for proposal in plan.proposals] == ["driver-39"]


def test_with_all_else_equal_the_driver_goes_whom_the_next_orders_need_least() -> None:
    downtown = Place(0.0, 0.0)
    order = OpenOrder("order", "kitchen", downtown, Place(900, 0), NOW - 600, NOW + 900)
    near = Courier("near", Place(100.0, 0.0), NOW, NOW, NOW)
    far = Courier("far", Place(3_000.0, 0.0), NOW, NOW, NOW)
    at = order.ready_at - 3_000 / METRES_PER_SECOND - 120
    scene = Scene(at, (order,), (near, far), travel, demand=(Demand(downtown, 12.0, (300.0,)),))

    plan = Matching()(scene)

    assert [proposal.courier_id for proposal in plan.proposals] == ["far"]


def test_a_thousand_orders_and_a_thousand_drivers_are_weighed_by_the_few(
    record_property: Callable[[str, object], None],
) -> None:
    scene = busy_zone(orders=1_000, couriers=1_000)
    weights = Weights()

    started = process_time()
    plan = Matching(weights)(scene)
    record_property("seconds", process_time() - started)

    by_id = attrgetter("id")
    options = Options(
        scene, sorted(scene.orders, key=by_id), sorted(scene.couriers, key=by_id), weights
    )
    singles = (options.choices.orders[:, 1:] < 0).all(axis=1).sum()
    assert singles <= 1_000 * weights.candidates
    assert len(options.choices) <= 40 * 1_000
    assert len({held.order_id for held in plan.held}) + sum(
        len(proposal.pickups) for proposal in plan.proposals
    ) == len(scene.orders)


def test_a_zone_solved_by_districts_costs_little_more_than_one_solved_whole() -> None:
    scene = busy_zone(orders=120, couriers=60)
    weights = Weights(candidates=10)
    by_id = attrgetter("id")
    options = Options(
        scene, sorted(scene.orders, key=by_id), sorted(scene.couriers, key=by_id), weights
    )
    choices = options.choices

    whole = total(choices, cheapest(choices, len(choices)))
    districts = cheapest(choices, len(choices) // 4)

    served = choices.orders[districts]
    assert len(np.unique(served[served >= 0])) == (served >= 0).sum()
    assert len(np.unique(choices.courier[districts])) == len(districts)
    # Two orders to each driver, which is where bundles across the borders are missed most.
    assert whole <= total(choices, districts) <= 1.2 * whole


def busy_zone(*, orders: int, couriers: int) -> Scene:
    random = Random(4)
    kitchens = [
        Place(random.uniform(0, 15_000), random.uniform(0, 15_000)) for _ in range(orders // 4)
    ]
    placed = [NOW - random.uniform(0, 1_200) for _ in range(orders)]
    chosen = [random.randrange(len(kitchens)) for _ in range(orders)]
    return Scene(
        NOW,
        tuple(
            OpenOrder(
                id=f"order-{number}",
                kitchen_id=f"kitchen-{kitchen}",
                kitchen=kitchens[kitchen],
                door=Place(random.uniform(0, 15_000), random.uniform(0, 15_000)),
                placed_at=placed_at,
                ready_at=placed_at + random.uniform(300, 1_800),
            )
            for number, (kitchen, placed_at) in enumerate(zip(chosen, placed, strict=True))
        ),
        tuple(
            Courier(
                id=f"driver-{number}",
                place=Place(random.uniform(0, 15_000), random.uniform(0, 15_000)),
                free_at=NOW + max(0.0, random.uniform(-1_800, 1_800)),
                seen_at=NOW,
                idle_since=NOW - 600,
            )
            for number in range(couriers)
        ),
        travel,
        demand=(Demand(Place(5_000, 5_000), 90.0, (600.0, 1_200.0)),),
    )
