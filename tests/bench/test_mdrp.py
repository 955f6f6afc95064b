"""The yardstick of dispatch, on a day that is small enough to be played by hand.

A minute is 100 m. Two couriers: `c1` 3 minutes from the restaurant `r1`, on from minute 10 to 100;
`c2` 50 minutes away, and off at 60. Taking and handing over take 4 minutes each, half of them
before the moment that counts.
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench.mdrp import metrics
from bench.mdrp.__main__ import INSTANCES, main
from bench.mdrp.evaluator import violations
from bench.mdrp.instance import Instance, NoInstance, load
from bench.mdrp.simulation import Day, Impossible, minutes, play
from bench.mdrp.solution import (
    START,
    Assignment,
    Delivery,
    Leg,
    Solution,
    UnreadableSolution,
    read,
    write,
)
from domain.dispatch.nearest import nearest
from domain.dispatch.plan import Held, HeldBack, Plan, Proposal, Scene, Stop

FILES = {
    "orders.txt": """\
order	x	y	placement_time	restaurant	ready_time
o1	0	150	5	r1	20
o2	0	-450	21	r1	22
o3	0	0	99	r1	120
o4	1000	0	99	r2	120
""",
    "restaurants.txt": """\
restaurant	x	y
r1	0	0
r2	1000	0
""",
    "couriers.txt": """\
courier	x	y	on_time	off_time
c1	250	0	10	100
c2	5000	0	0	60
""",
    "instance_parameters.txt": (
        "meters_per_minute\tpickup service minutes\tdropoff service minutes\ttarget click-to-door\t"
        "maximum click-to-door\tpay per order\tguaranteed pay per hour\n100\t4\t4\t25\t90\t10\t15\n"
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "0tiny"
    made.mkdir()
    for name, text in FILES.items():
        (made / name).write_text(text)
    return made


@pytest.fixture
def tiny(folder: Path) -> Instance:
    return load(folder)


# c1 is sent when the food is ready at 20, is there at 23, has it at 25, leaves at 27, drives 1.5
# minutes, which count as 2, hands over at 31 and is done at 33; then the same for the second.
BY_HAND = Solution(
    assignments=[Assignment(20, 25, "c1", ("o1",)), Assignment(33, 37, "c1", ("o2",))],
    deliveries=[Delivery("o1", 5, 20, 25, 31, "c1"), Delivery("o2", 21, 22, 37, 46, "c1")],
    legs=[
        Leg("c1", 20, START, "r1"),
        Leg("c1", 27, "r1", "o1"),
        Leg("c1", 33, "o1", "r1"),
        Leg("c1", 39, "r1", "o2"),
    ],
)

# Both in one bundle: sent at 21, has it at 26, leaves at 28, at the doors at 28 + 2 + 2 = 32 and,
# 6 minutes from one to the other, at 34 + 6 + 2 = 42.
BUNDLED = Solution(
    assignments=[Assignment(21, 26, "c1", ("o1", "o2"))],
    deliveries=[Delivery("o1", 5, 20, 26, 32, "c1"), Delivery("o2", 21, 22, 26, 42, "c1")],
    legs=[
        Leg("c1", 21, START, "r1"),
        Leg("c1", 28, "r1", "o1"),
        Leg("c1", 34, "o1", "o2"),
    ],
)


def proposing(courier: str, *orders: str) -> Callable[[Scene], Plan]:
    """A policy that proposes this as soon as all the orders are known, and nothing else."""

    def policy(scene: Scene) -> Plan:
        known = {order.id for order in scene.orders}
        stops = tuple(Stop(order, scene.at) for order in orders)
        wanted = (Proposal(courier, stops, stops),) if known >= {*orders} else ()
        rest = known - {*orders} if wanted else known
        return Plan(wanted, tuple(Held(order, HeldBack.OTHERS_FIRST) for order in rest))

    return policy


def test_the_nearest_policy_plays_the_day_as_it_goes_by_hand(tiny: Instance) -> None:
    passed: list[int] = []

    played = play(tiny, nearest, lambda: passed.append(1))

    assert played.solution == BY_HAND
    assert len(passed) == len(minutes(tiny)) == 96  # from 5 to 100


def test_a_bundle_is_ready_when_its_last_order_is_and_is_brought_door_by_door(
    tiny: Instance,
) -> None:
    assert play(tiny, proposing("c1", "o1", "o2"), _ignored).solution == BUNDLED
    late = replace(tiny, orders=tiny.orders | {"o2": replace(tiny.orders["o2"], ready=30)})

    assert play(late, proposing("c1", "o1", "o2"), _ignored).solution.assignments == [
        Assignment(21, 30, "c1", ("o1", "o2"))
    ]


def test_what_the_policy_promises_is_what_comes(tiny: Instance) -> None:
    promised: dict[str, tuple[float, float]] = {}

    def policy(scene: Scene) -> Plan:
        plan = nearest(scene)
        for proposal in plan.proposals:
            (pickup,), (dropoff,) = proposal.pickups, proposal.dropoffs
            promised[dropoff.order_id] = (pickup.at / 60, dropoff.at / 60)
        return plan

    done = play(tiny, policy, _ignored).solution.deliveries

    assert promised == {order.order: (order.pickup, order.dropoff) for order in done}
    assert promised


def test_a_scene_knows_the_orders_placed_and_the_couriers_on_duty_soon(tiny: Instance) -> None:
    day = Day(tiny)

    early, late = day.scene(5), day.scene(61)

    assert [order.id for order in early.orders] == ["o1"]
    assert (early.orders[0].ready_at, early.orders[0].promised_at) == (20 * 60, 30 * 60)
    assert {c.id: c.free_at for c in early.couriers} == {"c1": 10 * 60, "c2": 0}
    assert [order.id for order in late.orders] == ["o1", "o2"]
    assert [courier.id for courier in late.couriers] == ["c1"]


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (proposing("c1", "o1"), "sent at 5, but not free before 10"),
        (proposing("c2", "o1"), "c2 would pick up at 57"),
        (proposing("c9", "o1"), "no courier c9"),
        (proposing("c1", "o3", "o4"), "several restaurants"),
        (lambda _: Plan((), ()), r"not exactly once: \['o1'\]"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(
    tiny: Instance, policy: Callable[[Scene], Plan], words: str
) -> None:
    shorter = replace(tiny, shifts=tiny.shifts | {"c2": replace(tiny.shifts["c2"], off=56)})

    with pytest.raises(Impossible, match=words):
        play(shorter, policy, _ignored)


def test_a_courier_who_is_still_busy_is_not_sent(tiny: Instance) -> None:
    day = Day(tiny)
    day.carry_out(proposing("c1", "o1")(day.scene(20)), 20)
    plan = proposing("c1", "o2")(day.scene(32))

    with pytest.raises(Impossible, match="c1 is sent at 32, but not free before 33"):
        day.carry_out(plan, 32)


def test_an_order_named_twice_and_a_bundle_not_brought_as_taken_are_refused(
    tiny: Instance,
) -> None:
    day = Day(tiny)
    day.scene(21)
    o1, o2 = Stop("o1", 0), Stop("o2", 0)

    with pytest.raises(Impossible, match=r"not exactly once: \['o1'\]"):
        day.carry_out(
            Plan(
                (Proposal("c1", (o1, o2), (o1, o2)),),
                (Held("o1", HeldBack.OTHERS_FIRST),),
            ),
            21,
        )
    with pytest.raises(Impossible, match="not to bring exactly what he takes"):
        day.carry_out(Plan((Proposal("c1", (o1,), (o1, o2)),), ()), 21)
    assert day.solution == Solution()


def test_figures_of_the_day_are_those_by_hand(tiny: Instance) -> None:
    figures = metrics.outcome(tiny, BY_HAND, seconds=1.0, slowest=0.5).figures()

    # At the doors 26 and 25 minutes after placing; at best after 15 + 2 + 2 + 2 and 1 + 2 + 5 + 2.
    assert figures == pytest.approx(
        {
            "orders": 4,
            "delivered": 2,
            "undelivered": 2,
            "clickToDoorMean": 25.5,
            "clickToDoorP90": 25.9,
            "lowerBoundMean": 15.5,
            "excessMean": 10.0,
            "over60": 0,
            "over60AtBest": 0,
            "overTarget": 1,
            "overTargetMean": 1.0,
            "readyToPickupMean": (5 + 15) / 2,
            "ordersPerBundle": 1.0,
            # c1 is guaranteed 22.50 for an hour and a half, c2 15 for his hour.
            "costPerOrder": (22.5 + 15) / 2,
            "seconds": 1.0,
            "slowestSeconds": 0.5,
        }
    )


def test_who_brings_more_than_is_guaranteed_is_paid_by_order(tiny: Instance) -> None:
    short = replace(tiny, shifts=tiny.shifts | {"c1": replace(tiny.shifts["c1"], off=60)})

    assert metrics.cost(short, BY_HAND) == 2 * 10 + 15


def test_several_days_count_every_order_the_same(tiny: Instance) -> None:
    one = metrics.outcome(tiny, BY_HAND, seconds=1.0, slowest=0.5)
    none = metrics.outcome(tiny, Solution(), seconds=2.0, slowest=0.1)

    both = metrics.pooled([one, none]).figures()

    assert none.figures()["clickToDoorMean"] is None
    assert (both["orders"], both["undelivered"], both["clickToDoorMean"]) == (8, 6, 25.5)
    assert (both["costPerOrder"], both["seconds"], both["slowestSeconds"]) == (37.5, 3.0, 0.5)


@pytest.mark.parametrize("solution", [BY_HAND, BUNDLED, Solution()])
def test_a_feasible_solution_is_found_so_after_it_was_written_and_read(
    tiny: Instance, tmp_path: Path, solution: Solution
) -> None:
    write(solution, tmp_path / "made")

    found = read(tmp_path / "made")

    assert found == solution
    assert violations(tiny, found) == []


BROKEN = [
    # A line of the files, what stands there instead, and what is said of it.
    (BY_HAND, "20 25 c1 o1", "4 25 c1 o1", "o1 of 4 is assigned before o1 is placed"),
    (BY_HAND, "33 37 c1 o2", "32 37 c1 o2", "is assigned when he is busy until 33"),
    (BY_HAND, "33 37 c1 o2", "34 37 c1 o2", "begins too early, at 33"),
    (BY_HAND, "20 25 c1 o1", "20 24 c1 o1", "is picked up at 25, not 24"),
    (BY_HAND, "20 25 c1 o1", "20 26 c1 o1", "is picked up at 25, not 26"),
    (BY_HAND, "33 37 c1 o2", "33 37 c1 o2 o1", "o1 assigned 2 times"),
    (BY_HAND, "33 37 c1 o2", "33 37 c1 o2 o3", "o3 assigned, not delivered"),
    (BY_HAND, "33 37 c1 o2", "33 37 c1 o3", "o2 delivered, not assigned"),
    (BY_HAND, "33 37 c1 o2", "33 37 c1 o2 o4", "is of several restaurants"),
    (BY_HAND, "33 37 c1 o2", "33 37 c1", "an assignment without orders"),
    (BY_HAND, "33 37 c1 o2", "33 37 c1 o9", "no order o9"),
    (BY_HAND, "33 37 c1 o2", "33 37 c2 o2", "c2 drives 0 legs where his orders take 2"),
    (BY_HAND, "o2 21 22 37 46 c1", "o2 21 22 37 46 c9", "no courier c9"),
    (BY_HAND, "o2 21 22 37 46 c1", "o2 21 22 37 46 c2", "o2 is not picked up by c2 at 37"),
    (BY_HAND, "o2 21 22 37 46 c1", "o2 21 22 36 46 c1", "o2 is not picked up by c1 at 36"),
    (BY_HAND, "o2 21 22 37 46 c1", "o2 21 22 37 45 c1", "o2 is at the door at 46, not 45"),
    (BY_HAND, "o2 21 22 37 46 c1", "o1 21 22 37 46 c1", "o1 delivered 2 times"),
    (BY_HAND, "o1 5 20 25 31 c1", "o1 6 20 25 31 c1", "o1 was not placed at 6 and ready at 20"),
    (BY_HAND, "o1 5 20 25 31 c1", "o1 5 19 25 31 c1", "o1 was not placed at 5 and ready at 19"),
    (BY_HAND, "c1 27 r1 o1", "c1 26 r1 o1", "c1's leg r1-o1 departs at 26, not 27"),
    (BY_HAND, "c1 27 r1 o1", "c1 27 r2 o1", "c1's leg r2-o1 is not from r1 to o1"),
    (BY_HAND, "c1 33 o1 r1", "c1 33 0 r1", "c1's leg 0-r1 is not from o1 to r1"),
    (BY_HAND, "c1 33 o1 r1", "c1 33 o1 r9", "no place r9"),
    (BY_HAND, "c1 39 r1 o2", "", "c1 drives 3 legs where his orders take 4"),
    (BY_HAND, "c1 39 r1 o2", "c1 39 r1 o2\nc1 48 o2 r1", "c1 drives 5 legs"),
    (BUNDLED, "21 26 c1 o1 o2", "21 26 c1 o2 o1", "c1's leg r1-o1 is not from r1 to o2"),
    (BUNDLED, "21 26 c1 o1 o2", "20 26 c1 o1 o2", "is assigned before o2 is placed at 21"),
]


@pytest.mark.parametrize(("whole", "line", "instead", "words"), BROKEN)
def test_a_broken_solution_is_refused(
    tiny: Instance, tmp_path: Path, whole: Solution, line: str, instead: str, words: str
) -> None:
    write(whole, tmp_path)
    (file,) = (f for f in tmp_path.glob("*.txt") if f"\n{line}\n" in f.read_text())
    file.write_text(file.read_text().replace(f"\n{line}\n", f"\n{instead}\n"))

    found = violations(tiny, read(tmp_path))

    assert any(words in wrong for wrong in found), found


def test_nothing_is_picked_up_after_the_courier_is_off_or_before_the_food_is_ready(
    tiny: Instance,
) -> None:
    tired = replace(tiny, shifts=tiny.shifts | {"c1": replace(tiny.shifts["c1"], off=36)})
    slow = replace(tiny, orders=tiny.orders | {"o2": replace(tiny.orders["o2"], ready=38)})
    not_on = replace(tiny, shifts=tiny.shifts | {"c1": replace(tiny.shifts["c1"], on=21)})

    assert violations(tired, BY_HAND) == ["c1's o2 of 33 is picked up at 37, after his end at 36"]
    assert "c1's o2 of 33 is picked up before o2 is ready at 38" in violations(slow, BY_HAND)
    assert "c1's o1 of 20 is assigned when he is busy until 21" in violations(not_on, BY_HAND)


def test_what_is_no_solution_and_no_instance_is_said_to_be_none(
    folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(UnreadableSolution):
        read(tmp_path)
    (folder / "orders.txt").write_text("order\tx\no1\t5\n")
    with pytest.raises(NoInstance):
        load(folder)


def test_the_command_prints_all_figures_and_leaves_solution_and_summary(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(folder), "--policy", "nearest", "--out", str(tmp_path / "out")])

    printed = capsys.readouterr().out
    assert re.search(r"excess over the lower bound\s+10\.00\s+10\.00 *\n", printed)
    assert re.search(r"undelivered\s+2\s+2 *\n", printed)
    assert read(tmp_path / "out" / "0tiny") == BY_HAND
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["policy"] == "nearest"
    assert summary["instances"]["0tiny"]["clickToDoorMean"] == 25.5
    assert summary["families"]["tiny"]["costPerOrder"] == 18.75


def test_what_others_reach_stands_beside_the_instances_they_were_measured_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(folder.rename(folder.with_name("0o100t100s1p100"))), "--policy", "nearest"])

    printed = capsys.readouterr().out
    assert re.search(
        r"excess over the lower bound\s+10\.00\s+10\.00\s+2\.54\s+5\.13\s+4\.38", printed
    )


def test_without_the_instance_the_command_says_so_and_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / "nowhere")])

    assert ended.value.code == 2
    assert "nowhere holds no instance that can be read" in capsys.readouterr().err


def test_a_real_day_is_played_feasibly_and_twice_the_same() -> None:
    if not INSTANCES.is_dir():
        pytest.skip("the instances are not part of the project")
    real = load(INSTANCES / "0o100t100s1p100")

    first, again = (play(real, nearest, _ignored).solution for _ in range(2))

    assert first == again
    assert violations(real, first) == []
    assert len(first.deliveries) == len(real.orders)


def _ignored() -> None:
    pass
