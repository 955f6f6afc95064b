"""The seeds' rule of dispatch: nearest, then rating, then load."""

from collections import Counter
from dataclasses import replace
from math import dist, inf

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.dispatch.nearest import nearest
from domain.dispatch.plan import (
    Courier,
    Held,
    HeldBack,
    OpenOrder,
    Place,
    Places,
    Plan,
    Scene,
    Seconds,
    Stop,
)

NOW = 1_000.0


def ten_metres_a_second(origins: Places, destinations: Places) -> Seconds:
    return np.hypot(*(destinations - origins).T) / 10.0


def an_order(name: str = "o", **changed: object) -> OpenOrder:
    order = OpenOrder(
        id=name,
        kitchen_id="k",
        kitchen=Place(0, 0),
        door=Place(0, 600),
        placed_at=NOW - 300,
        ready_at=NOW - 60,
    )
    return replace(order, **changed)  # type: ignore[arg-type]


def a_courier(name: str, metres: float, **changed: object) -> Courier:
    courier = Courier(name, Place(metres, 0), free_at=NOW - 10, seen_at=NOW, idle_since=NOW - 10)
    return replace(courier, **changed)  # type: ignore[arg-type]


def asked(*orders: OpenOrder, of: list[Courier]) -> Plan:
    return nearest(Scene(NOW, orders, tuple(of), ten_metres_a_second))


def bringing(plan: Plan) -> dict[str, str]:
    return {p.dropoffs[0].order_id: p.courier_id for p in plan.proposals}


def test_the_nearest_is_asked_and_told_when_he_will_be_where() -> None:
    plan = asked(an_order(), of=[a_courier("far", 900), a_courier("near", 500)])

    (proposal,) = plan.proposals
    assert proposal.courier_id == "near"
    # 50 s of approach and 120 s to take it; 120 s to leave, 60 s of drive, 120 s to hand it over.
    assert proposal.pickups == (Stop("o", NOW + 170),)
    assert proposal.dropoffs == (Stop("o", NOW + 470),)
    assert proposal.why == {"approach": 50}


def test_of_equally_near_drivers_the_better_rated_then_the_less_loaded_is_asked() -> None:
    plain = a_courier("a", 500, rating=4.0)
    loaded = a_courier("b", 500, rating=4.5, load=1)
    idle = a_courier("c", 500, rating=4.5)

    assert bringing(asked(an_order(), of=[plain, loaded, idle])) == {"o": "c"}
    assert bringing(asked(an_order(), of=[plain, loaded])) == {"o": "b"}


def test_who_was_placed_first_is_served_first_and_the_other_waits_for_a_free_driver() -> None:
    first, second = an_order("z", placed_at=NOW - 400), an_order("a", placed_at=NOW - 300)

    plan = asked(second, first, of=[a_courier("c", 500)])

    assert bringing(plan) == {"z": "c"}
    assert plan.held == (Held("a", HeldBack.OTHERS_FIRST),)


def test_nobody_is_asked_before_the_food_is_ready() -> None:
    plan = asked(an_order(ready_at=NOW + 1), of=[a_courier("c", 0)])

    assert plan == Plan((), (Held("o", HeldBack.FOOD_NOT_SOON, NOW + 1),))


def test_an_operator_holds_an_order_and_prefers_a_driver() -> None:
    near, far = a_courier("near", 100), a_courier("far", 900)

    held = asked(an_order(held_until=NOW + 30), of=[near])
    assert held == Plan((), (Held("o", HeldBack.OPERATOR, NOW + 30),))
    assert bringing(asked(an_order(preferred="far"), of=[near, far])) == {"o": "far"}
    assert bringing(asked(an_order(preferred="gone"), of=[near, far])) == {"o": "near"}


def test_it_is_said_when_the_first_driver_in_reach_is_free() -> None:
    busy = [a_courier("b", 500, free_at=NOW + 90, load=1), a_courier("c", 100, free_at=NOW + 200)]

    plan = asked(an_order(), of=busy)

    assert plan == Plan((), (Held("o", HeldBack.DRIVER_NOT_FREE_YET, NOW + 90),))
    late = a_courier("late", 100, free_at=NOW - 60, capacity=1, load=1)
    assert asked(an_order(), of=[late]) == Plan((), (Held("o", HeldBack.DRIVER_NOT_FREE_YET),))


def test_nobody_in_reach_is_too_far_excluded_or_at_the_end_of_his_shift() -> None:
    far = a_courier("far", 501)
    tired = a_courier("tired", 500, shift_ends_at=NOW + 169)
    unwilling = a_courier("unwilling", 1)
    order = an_order(radius_m=500, excluded=frozenset({"unwilling", "unheard of"}))

    plan = asked(order, of=[far, tired, unwilling])

    assert plan == Plan((), (Held("o", HeldBack.NOBODY_IN_REACH),))
    in_time = replace(tired, shift_ends_at=NOW + 170)
    assert bringing(asked(order, of=[far, in_time, unwilling])) == {"o": "tired"}


def test_without_drivers_every_order_is_held_back() -> None:
    assert asked(an_order(), of=[]) == Plan((), (Held("o", HeldBack.NOBODY_IN_REACH),))


places = st.builds(
    Place, st.integers(0, 20).map(lambda n: n * 100.0), st.sampled_from([0.0, 700.0])
)
moments = st.integers(-20, 20).map(lambda n: NOW + n * 30)
names = st.integers(0, 9).map(lambda n: f"c{n}")
open_orders = st.builds(
    OpenOrder,
    id=st.integers(0, 99).map(lambda n: f"o{n}"),
    kitchen_id=st.just("k"),
    kitchen=places,
    door=places,
    placed_at=moments,
    ready_at=moments,
    radius_m=st.sampled_from([300.0, 1000.0, inf]),
    excluded=st.frozensets(names, max_size=3),
    held_until=st.none() | moments,
)
couriers = st.builds(
    Courier,
    id=names,
    place=places,
    free_at=moments,
    seen_at=st.just(NOW),
    idle_since=moments,
    capacity=st.just(2),
    load=st.integers(0, 2),
    shift_ends_at=moments | st.just(inf),
    rating=st.sampled_from([4.0, 5.0]),
)
scenes = st.builds(
    Scene,
    at=st.just(NOW),
    orders=st.lists(open_orders, max_size=12, unique_by=lambda o: o.id).map(tuple),
    couriers=st.lists(couriers, max_size=10, unique_by=lambda c: c.id).map(tuple),
    travel=st.just(ten_metres_a_second),
)


@given(scenes)
def test_every_order_is_proposed_once_or_explained_and_no_driver_is_asked_twice(
    scene: Scene,
) -> None:
    plan = nearest(scene)

    proposed = [stop.order_id for p in plan.proposals for stop in p.dropoffs]
    assert Counter(proposed + [h.order_id for h in plan.held]) == Counter(
        o.id for o in scene.orders
    )
    assert max(Counter(p.courier_id for p in plan.proposals).values(), default=0) <= 1


@given(scenes)
def test_who_is_asked_may_be_and_nobody_who_is_left_would_be_better(scene: Scene) -> None:
    plan = nearest(scene)

    orders = {o.id: o for o in scene.orders}
    by_id = {c.id: c for c in scene.couriers}
    left = by_id.keys() - {p.courier_id for p in plan.proposals}
    for proposal in plan.proposals:
        order = orders[proposal.dropoffs[0].order_id]
        assert _may_bring(by_id[proposal.courier_id], order)
        better = [c for name in left if _may_bring(c := by_id[name], order)]
        assert all(
            _rank(by_id[proposal.courier_id], order) < _rank(other, order) for other in better
        )
    for held in plan.held:
        if held.reason in {HeldBack.NOBODY_IN_REACH, HeldBack.DRIVER_NOT_FREE_YET}:
            assert not any(_may_bring(c, orders[held.order_id]) for c in scene.couriers)


@given(scenes, st.randoms())
def test_it_does_not_matter_in_which_sequence_they_are_named(scene: Scene, random) -> None:  # noqa: ANN001
    orders, drivers = list(scene.orders), list(scene.couriers)
    random.shuffle(orders)
    random.shuffle(drivers)

    assert nearest(replace(scene, orders=tuple(orders), couriers=tuple(drivers))) == nearest(scene)


def _may_bring(courier: Courier, order: OpenOrder) -> bool:
    metres = dist(courier.place, order.kitchen)
    return (
        courier.free_at <= NOW
        and courier.load < courier.capacity
        and courier.id not in order.excluded
        and metres <= order.radius_m
        and NOW + metres / 10 + 120 <= courier.shift_ends_at
        and order.ready_at <= NOW
    )


def _rank(courier: Courier, order: OpenOrder) -> tuple[float, float, int, str]:
    return dist(courier.place, order.kitchen), -courier.rating, courier.load, courier.id
