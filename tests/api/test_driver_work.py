"""What drivers plan and do: shifts, duty, and the record that they and their operators see."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.order_status import OrderStatus
from local.cast import Cast
from local.people import Unanswered

S = OrderStatus


async def refusal(asked: Any) -> tuple[int, str]:
    with pytest.raises(Unanswered) as refused:
        await asked
    return refused.value.status, refused.value.code


async def test_what_a_driver_does_is_in_his_record(play: Cast) -> None:
    first = await play.bring(S.READY_FOR_PICKUP)
    offer = await play.offered(0, first)
    await play.drivers[0].post(f"/delivery/offers/{offer['id']}/decline", reason="too far")
    await play.take(1, first)
    await play.drivers[1].put("/delivery/availability", isAvailable=False)
    await play.bring(S.DELIVERED)
    third = await play.bring(S.ASSIGNED_TO_DRIVER)
    await play.driver_says(0, third, "ready_for_pickup", reason="flat tyre")
    withdrawn = await play.bring(S.ASSIGNED_TO_DRIVER)
    await play.admin.post(f"/admin/orders/{withdrawn['id']}/cancel", reason="a test")
    await play.bring(S.PICKED_UP)

    mine = await play.drivers[0].get("/delivery/profile")

    assert mine["performance"] == {
        "offers": 4,
        "acceptance": 0.75,
        "onTimePickup": 1.0,
        "onTimeDelivery": 1.0,
        "completion": 0.5,
    }
    assert (mine["load"], mine["deliveries"], mine["rating"]) == (1, 1, 4.5)
    seen = await play.admin.get(f"/admin/drivers/{mine['id']}")
    assert seen == mine
    listed = await play.admin.get("/admin/drivers", search=mine["email"])
    assert listed["data"] == [{name: mine[name] for name in listed["data"][0]}]


def at(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


async def test_shifts_are_planned_as_a_whole(play: Cast) -> None:
    driver = play.drivers[0]
    far_off = [{"startsAt": at(24 * 28), "endsAt": at(24 * 28 + 2)}]
    assert await refusal(driver.put("/delivery/shifts", shifts=far_off)) == (422, "too_far_ahead")
    later, sooner = [{"startsAt": at(begins), "endsAt": at(begins + 2)} for begins in (30, 5)]

    planned = await driver.put("/delivery/shifts", shifts=[later, sooner])

    begins = [datetime.fromisoformat(row["startsAt"]) for row in planned["shifts"]]
    assert begins == [datetime.fromisoformat(row["startsAt"]) for row in (sooner, later)]
    assert await driver.get("/delivery/shifts") == planned
    assert await driver.put("/delivery/shifts", shifts=planned["shifts"]) == planned
    assert await driver.put("/delivery/shifts", shifts=planned["shifts"][:1]) == {
        "shifts": planned["shifts"][:1]
    }
    assert await play.drivers[1].get("/delivery/shifts") == {"shifts": []}


async def test_a_plan_with_one_shift_that_cannot_be_changes_nothing(play: Cast) -> None:
    driver = play.drivers[0]
    good = {"startsAt": at(5), "endsAt": at(7)}
    planned = await driver.put("/delivery/shifts", shifts=[good])

    for bad, code in (
        ({"startsAt": at(6), "endsAt": at(8)}, "overlap"),
        ({"startsAt": at(9), "endsAt": at(8)}, "ends_before_it_begins"),
        ({"startsAt": at(9), "endsAt": at(22)}, "too_long"),
        ({"startsAt": at(-1), "endsAt": at(2)}, "in_the_past"),
        ({"startsAt": "0001-01-01T00:00:00+14:00", "endsAt": at(2)}, "invalid_request"),
        ({"startsAt": 1795582382, "endsAt": at(2)}, "invalid_request"),
        ({"startsAt": at(9)}, "invalid_request"),
    ):
        with pytest.raises(Unanswered) as refused:
            await driver.put("/delivery/shifts", shifts=[good, bad])
        assert (refused.value.status, refused.value.code) == (422, code)
        assert refused.value.problem["errors"][0]["field"].startswith("shifts.1")
    many = [good] * 101
    assert await refusal(driver.put("/delivery/shifts", shifts=many)) == (422, "invalid_request")
    assert await driver.get("/delivery/shifts") == planned


async def test_two_plans_at_once_leave_one_of_them(play: Cast) -> None:
    plans = [[{"startsAt": at(n), "endsAt": at(n + 3)}] for n in (5, 6, 7)]

    answers = await asyncio.gather(
        *(play.drivers[0].put("/delivery/shifts", shifts=plan) for plan in plans)
    )

    assert await play.drivers[0].get("/delivery/shifts") in answers


async def test_going_on_duty_again_does_not_begin_anew(play: Cast) -> None:
    driver = play.drivers[0]
    since = (await driver.get("/delivery/profile"))["onDutySince"]

    await driver.put("/delivery/availability", isAvailable=True)
    assert (await driver.get("/delivery/profile"))["onDutySince"] == since
    await driver.put("/delivery/availability", isAvailable=False)
    assert (await driver.get("/delivery/profile"))["onDutySince"] is None
    await driver.put("/delivery/availability", isAvailable=True)
    assert (await driver.get("/delivery/profile"))["onDutySince"] > since
