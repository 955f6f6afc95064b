"""Drivers and what they are offered."""

import pytest
from uuid_utils.compat import uuid7

from domain.order_status import OrderStatus
from local.cast import Cast
from local.people import Unanswered, insisting

S = OrderStatus


async def test_a_driver_off_duty_is_not_offered_anything(play: Cast) -> None:
    await play.drivers[0].put("/delivery/availability", isAvailable=False)
    order = await play.bring(S.READY_FOR_PICKUP)

    offer = await play.offered(1, order)

    assert offer["chefName"] == "Test Kitchen"
    assert await play.drivers[0].get("/delivery/offers") == []


async def test_the_driver_nearest_by_his_latest_position_is_asked_first(play: Cast) -> None:
    kitchen = play.world.kitchen
    for driver, north in zip(play.drivers, (0.03, 0.001), strict=True):
        place = insisting(kitchen.latitude + north, kitchen.longitude)
        await driver.post("/delivery/location", **place)
    order = await play.bring(S.READY_FOR_PICKUP)

    offer = await play.offered(1, order)

    assert offer["distanceKm"] == pytest.approx(0.111, abs=0.01)
    assert offer["expiresAt"] > offer["offeredAt"]


async def test_an_offer_that_was_not_made_to_him_is_not_found(play: Cast) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)
    offer = await play.offered(0, order)

    for offer_id in (offer["id"], str(uuid7())):
        with pytest.raises(Unanswered) as missing:
            await play.drivers[1].post(f"/delivery/offers/{offer_id}/accept")
        assert missing.value.status == 404
    assert (await play.take(0, order))["status"] == S.ASSIGNED_TO_DRIVER


async def test_an_offer_accepted_twice_is_answered_alike(play: Cast) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)
    path = f"/delivery/offers/{(await play.offered(0, order))['id']}/accept"

    assert await play.drivers[0].post(path) == await play.drivers[0].post(path)


async def test_a_decline_wants_a_reason(play: Cast) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)
    offer = await play.offered(0, order)

    with pytest.raises(Unanswered) as refused:
        await play.drivers[0].post(f"/delivery/offers/{offer['id']}/decline")

    assert refused.value.problem["errors"][0]["field"] == "reason"


async def test_an_operator_cannot_assign_to_a_driver_who_is_not_there(play: Cast) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)

    with pytest.raises(Unanswered) as refused:
        await play.admin.post(
            f"/admin/orders/{order['id']}/assign", driverId=str(uuid7()), reason="by phone"
        )

    assert (refused.value.status, refused.value.code) == (422, "unknown_driver")


async def test_a_proof_that_is_no_proof_is_refused(play: Cast) -> None:
    order = await play.bring(S.IN_TRANSIT)

    with pytest.raises(Unanswered) as refused:
        await play.driver_says(0, order, "delivered", proof={"photoUrl": "javascript:alert(1)"})

    assert refused.value.status == 422
    assert (await play.customer.get(f"/orders/{order['id']}"))["status"] == S.IN_TRANSIT


async def test_an_order_given_back_twice_gets_the_same_answer_and_is_given_back_once(
    play: Cast,
) -> None:
    order = await play.bring(S.ASSIGNED_TO_DRIVER)

    answers = [
        await play.driver_says(0, order, "ready_for_pickup", reason="flat tyre") for _ in range(2)
    ]

    assert answers[0] == answers[1]
    assert (await play.history(order)).count("ready_for_pickup") == 2
    with pytest.raises(Unanswered) as refused:
        await play.driver_says(1, order, "ready_for_pickup")
    assert refused.value.problem["status"] in {404, 409}
