"""Operators see what waits for a driver, and have dispatch do otherwise, with a reason."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlmodel import col

from domain.order_status import OrderStatus
from local.cast import Cast, Order
from local.people import Unanswered, until
from schema.tables import AdminAction

S = OrderStatus
WHY = "asked to by phone"


async def by_hand(play: Cast, order: Order, what: str, **body: object) -> Order:
    body = {"reason": WHY} | body
    answer: Order = await play.admin.post(f"/admin/orders/{order['id']}/{what}", **body)
    return answer


async def refusal(play: Cast, order: Order, what: str, **body: object) -> tuple[int, str]:
    with pytest.raises(Unanswered) as refused:
        await by_hand(play, order, what, **body)
    return refused.value.status, refused.value.code


async def waiting(play: Cast, order: Order) -> dict[str, Any]:
    """What operators see of an order that looks for a driver."""
    found = await play.admin.get("/admin/dispatch", limit=100)
    while True:
        for one in found["data"]:
            if one["orderId"] == order["id"]:
                return dict(one)
        assert found["page"] * found["limit"] < found["total"], "it looks for no driver"
        found = await play.admin.get("/admin/dispatch", limit=100, page=found["page"] + 1)


async def actions(play: Cast, order: Order) -> list[tuple[str, str]]:
    async with play.database.read() as session:
        found = await session.scalars(
            select(AdminAction)
            .where(col(AdminAction.target_id) == order["id"])
            .order_by(col(AdminAction.id))
        )
        return [(action.action_type, action.details["reason"]) for action in found]


async def offers_to(play: Cast, number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await play.drivers[number].get("/delivery/offers")
    return found


async def test_an_order_that_is_held_is_offered_to_nobody_until_it_is_released(play: Cast) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)
    await play.offered(0, order)

    await by_hand(play, order, "hold", minutes=10, reason="the kitchen burns")

    assert await offers_to(play, 0) == []
    seen = await waiting(play, order)
    assert (seen["holdReason"], seen["offer"]) == ("the kitchen burns", None)
    assert datetime.fromisoformat(seen["heldUntil"]) > datetime.now(UTC) + timedelta(minutes=9)

    await by_hand(play, order, "release", reason="it burns no more")

    offer = await play.offered(0, order)
    seen = await waiting(play, order)
    assert (seen["heldUntil"], seen["holdReason"]) == (None, None)
    assert seen["offer"]["id"] == offer["id"]
    assert seen["offer"]["driverId"] == str(play.world.drivers[0].id)
    assert await actions(play, order) == [
        ("order_held", "the kitchen burns"),
        ("order_released", "it burns no more"),
    ]


async def test_a_hold_says_until_when_by_the_clock_as_well(play: Cast) -> None:
    order = await play.bring(S.PREPARING)
    until_then = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)

    await by_hand(play, order, "hold", until=until_then.isoformat())

    assert datetime.fromisoformat((await waiting(play, order))["heldUntil"]) == until_then


async def test_the_same_hold_twice_is_recorded_once_and_after_a_release_it_is_another(
    play: Cast,
) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)

    for _ in range(2):
        await by_hand(play, order, "hold", minutes=10)
    for _ in range(2):
        await by_hand(play, order, "release")
    assert (await waiting(play, order))["heldUntil"] is None
    await by_hand(play, order, "hold", minutes=10)

    held, released = ("order_held", WHY), ("order_released", WHY)
    assert await actions(play, order) == [held, released, held]
    assert (await waiting(play, order))["heldUntil"] is not None


async def test_a_preferred_driver_is_asked_before_those_who_are_nearer(play: Cast) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)
    await play.offered(0, order)

    await by_hand(play, order, "prefer", driverId=str(play.world.drivers[1].id))

    offer = await play.offered(1, order)
    assert await offers_to(play, 0) == []
    seen = await waiting(play, order)
    assert seen["preferredDriverId"] == str(play.world.drivers[1].id)

    await play.drivers[1].post(f"/delivery/offers/{offer['id']}/decline", reason="too far")

    await play.offered(0, order)
    assert await refusal(play, order, "prefer", driverId=str(play.world.drivers[1].id)) == (
        409,
        "left_by_driver",
    )
    assert await actions(play, order) == [("order_preferred", WHY)]


async def test_nobody_is_preferred_any_more_when_the_operator_says_so(play: Cast) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)
    await by_hand(play, order, "hold", minutes=10)
    await by_hand(play, order, "prefer", driverId=str(play.world.drivers[1].id))

    await by_hand(play, order, "prefer", driverId=None)

    assert (await waiting(play, order))["preferredDriverId"] is None
    await by_hand(play, order, "release")
    await play.offered(0, order)


async def test_an_order_is_taken_from_a_driver_and_given_to_another(play: Cast) -> None:
    order = await play.bring(S.ASSIGNED_TO_DRIVER)

    first = await by_hand(play, order, "unassign", reason="his car broke down")
    again = await by_hand(play, order, "unassign", reason="his car broke down")

    assert first == again
    assert (first["status"], first["driverId"]) == (S.READY_FOR_PICKUP, None)
    await play.take(1, order)
    assert (await play.history(order)).count("ready_for_pickup") == 2
    assert [reason for _, reason in await actions(play, order)] == ["his car broke down"]
    with pytest.raises(Unanswered) as refused:
        await play.driver_says(0, order, "picked_up")
    assert refused.value.status == 404


async def test_an_order_with_nobody_or_under_way_is_taken_from_nobody(play: Cast) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)
    status, _ = await refusal(play, order, "unassign")
    assert status == 409

    await play.take(0, order)
    await play.driver_says(0, order, "picked_up")

    assert await refusal(play, order, "unassign") == (409, "illegal_transition")
    assert await actions(play, order) == []


@pytest.mark.parametrize("to", [S.ACCEPTED, S.ASSIGNED_TO_DRIVER, S.DELIVERED])
async def test_what_looks_for_no_driver_is_neither_held_nor_preferred_for_anybody(
    play: Cast, to: OrderStatus
) -> None:
    order = await play.bring(to)
    driver = str(play.world.drivers[1].id)

    for what, body in (("hold", {"minutes": 5}), ("release", {}), ("prefer", {"driverId": driver})):
        assert await refusal(play, order, what, **body) == (409, "not_looking_for_a_driver")
    assert await actions(play, order) == []


@pytest.mark.parametrize(
    ("what", "body", "field"),
    [
        ("hold", {}, "body"),
        ("hold", {"minutes": 5, "until": "2026-01-31T18:00:00Z"}, "body"),
        ("hold", {"minutes": 0}, "minutes"),
        ("hold", {"minutes": 24 * 60 + 1}, "minutes"),
        ("hold", {"minutes": 2**63}, "minutes"),
        ("hold", {"minutes": True}, "minutes"),
        ("hold", {"until": "2026-01-31T18:00:00Z"}, "until"),
        ("hold", {"until": "9999-12-31T23:59:59-14:00"}, "until"),
        ("hold", {"until": 1795582382}, "until"),
        ("hold", {"minutes": 5, "reason": ""}, "reason"),
        ("hold", {"minutes": 5, "reason": None}, "reason"),
        ("release", {"reason": "NUL\x00"}, "reason"),
        ("release", {"minutes": 5}, "minutes"),
        ("prefer", {}, "driverId"),
        ("prefer", {"driverId": "me"}, "driverId"),
        ("prefer", {"driverId": str(uuid4())}, "driverId"),
        ("unassign", {"reason": "x" * 501}, "reason"),
        ("assign", {"driverId": str(uuid4()), "reason": None}, "reason"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_the_field_and_changes_nothing(
    play: Cast, what: str, body: dict[str, object], field: str
) -> None:
    order = await play.bring(S.PREPARING)

    with pytest.raises(Unanswered) as refused:
        await by_hand(play, order, what, **body)

    assert refused.value.status == 422
    assert refused.value.problem["errors"][0]["field"] == field
    assert await actions(play, order) == []


async def test_what_waits_is_listed_the_longest_first_and_counted_by_zone(play: Cast) -> None:
    first, second = [await play.bring(S.PREPARING) for _ in range(2)]
    await by_hand(play, second, "hold", minutes=5)

    async def both() -> dict[str, Any] | None:
        zone = (await waiting(play, first))["zones"][0]
        found = await play.admin.get("/admin/dispatch", zone=zone)
        return dict(found) if found["total"] == 2 else None

    found = await until(both)

    assert [one["orderId"] for one in found["data"]] == [first["id"], second["id"]]
    one = found["data"][0]
    assert (one["status"], one["kitchenName"]) == (S.PREPARING, "Test Kitchen")
    assert one["waitedSeconds"] >= 0
    assert one["radiusKm"] > 0
    [zone] = [zone for zone in found["zones"] if zone["zone"] == one["zones"][0]]
    assert (zone["waiting"], zone["held"]) == (2, 1)
    page = await play.admin.get("/admin/dispatch", zone=zone["zone"], limit=1, page=2)
    assert [one["orderId"] for one in page["data"]] == [second["id"]]
    assert (await play.admin.get("/admin/dispatch", zone="nowhere"))["data"] == []


async def test_an_order_that_has_a_driver_waits_no_more(play: Cast) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)
    zone = (await waiting(play, order))["zones"][0]

    await play.take(0, order)

    assert (await play.admin.get("/admin/dispatch", zone=zone))["total"] == 0


async def test_why_nobody_is_asked_is_told_as_dispatch_saw_it_last(play: Cast) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)
    await by_hand(play, order, "hold", minutes=5)

    async def is_said() -> bool:
        return bool((await waiting(play, order))["why"] == "operator")

    await until(is_said)
    await by_hand(play, order, "release")
    await play.offered(0, order)
    assert (await waiting(play, order))["why"] is None
