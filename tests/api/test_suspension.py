"""Whoever is suspended, as a user or as the chef or driver that he is, comes in no more or works no
more, and his open orders are seen to, whatever dies.
"""

from collections.abc import Awaitable
from typing import Any

import pytest

from domain.order_status import OrderStatus
from local.cast import Cast
from local.people import Unanswered, insisting, until
from local.ports import any_free
from local.world import PASSWORD
from tests.api.dying import dies_once_a_suspension_is_written
from tests.api.facade import AWAY, facade

S = OrderStatus


async def refusal(asked: Awaitable[Any]) -> tuple[int, str]:
    with pytest.raises(Unanswered) as refused:
        await asked
    return refused.value.status, refused.value.code


def standing_of_chef(play: Cast) -> str:
    return f"/admin/chefs/{play.world.chef.id}/verify"


def standing_of_driver(play: Cast) -> str:
    return f"/admin/drivers/{play.world.drivers[0].id}/verification"


async def unassigned(play: Cast, order: dict[str, Any]) -> None:
    """Wait until the first driver has an order no more."""
    driver_id = str(play.world.drivers[0].id)

    async def is_without_him() -> bool:
        seen = await play.customer.get(f"/orders/{order['id']}")
        return bool(seen["driverId"] != driver_id)

    await until(is_without_him)


async def test_a_suspension_ends_the_sessions_and_a_reinstatement_lets_log_in_again(
    play: Cast,
) -> None:
    customer, user_id = play.customer, play.world.customer.user_id
    session = await customer.log_in(PASSWORD)
    assert await customer.get("/users/me")

    await play.admin.post(f"/admin/users/{user_id}/suspend", reason="a doubt")

    assert await refusal(customer.get("/users/me")) == (401, "unauthorized")
    renewing = customer.post("/auth/refresh", refreshToken=session["refreshToken"])
    assert await refusal(renewing) == (401, "session_ended")
    assert await refusal(customer.log_in(PASSWORD)) == (401, "bad_credentials")

    await play.admin.post(f"/admin/users/{user_id}/reinstate", reason="none any more")

    assert await refusal(customer.get("/users/me")) == (401, "unauthorized")
    renewing = customer.post("/auth/refresh", refreshToken=session["refreshToken"])
    assert await refusal(renewing) == (401, "session_ended")
    await customer.log_in(PASSWORD)
    assert (await customer.get("/users/me"))["id"] == str(user_id)


async def test_what_a_suspended_kitchen_does_not_cook_yet_is_cancelled_by_its_fault(
    play: Cast,
) -> None:
    waiting, taken = await play.bring(S.PAYMENT_CONFIRMED), await play.bring(S.ACCEPTED)
    in_the_pan = await play.bring(S.PREPARING)

    await play.admin.put(standing_of_chef(play), status="suspended", reason="mice")

    for order in (waiting, taken):
        seen = await play.becomes(order, S.CANCELLED)
        assert (seen["cancelledBy"], seen["cancelReason"]) == ("admin", "chef_suspended")
        await play.is_refunded(order, order["totalCents"])
    await play.chef_says(in_the_pan, "ready_for_pickup")
    assert play.refunded(in_the_pan) == []


async def test_what_a_suspended_driver_has_not_picked_up_goes_to_another(play: Cast) -> None:
    carried = await play.bring(S.PICKED_UP)
    # Nobody else has been asked before: who has is not asked again for a while.
    second, kitchen = play.drivers[1], play.world.kitchen
    await second.put("/delivery/availability", isAvailable=False)
    order = await play.bring(S.READY_FOR_PICKUP)
    first = str(play.world.drivers[0].id)
    await play.admin.post(f"/admin/orders/{order['id']}/assign", driverId=first, reason="near")

    await play.admin.put(standing_of_driver(play), status="suspended", reason="two complaints")

    await unassigned(play, order)
    await second.put("/delivery/availability", isAvailable=True)
    await second.post("/delivery/location", **insisting(kitchen.latitude, kitchen.longitude))
    assert (await play.take(1, order))["driverId"] == str(play.world.drivers[1].id)
    await play.driver_says(0, carried, "in_transit")
    await play.driver_says(0, carried, "delivered")


async def test_who_is_let_in_again_as_a_chef_loses_nothing_more(play: Cast) -> None:
    order = await play.bring(S.PAYMENT_CONFIRMED)
    await play.admin.put(standing_of_chef(play), status="suspended", reason="mice")
    await play.becomes(order, S.CANCELLED)
    user = f"/admin/users/{play.world.chef.user_id}"
    await play.admin.post(f"{user}/suspend", reason="a doubt")
    await play.admin.post(f"{user}/reinstate", reason="none any more")

    seen = await play.admin.get(f"/admin/chefs/{play.world.chef.id}")

    assert seen["verificationStatus"] == "suspended"
    assert await play.history(order) == [S.PENDING, S.PAYMENT_CONFIRMED, S.CANCELLED]


@pytest.mark.parametrize("standing", [standing_of_chef, standing_of_driver])
async def test_while_temporal_is_away_no_chef_or_driver_is_suspended(
    play: Cast, monkeypatch: pytest.MonkeyPatch, standing: Any
) -> None:
    variable, address = AWAY["temporal"]
    path = standing(play)
    async with facade(
        play.environment, monkeypatch, **{variable: address.format(port=any_free())}
    ) as (_, http):
        answer = await http.put(
            f"/api/v1{path}",
            json={"status": "suspended", "reason": "why"},
            headers={"Authorization": play.admin.authorization},
        )

    assert (answer.status_code, answer.json()["code"]) == (503, "temporarily_unavailable")
    seen = await play.admin.get(path.rsplit("/", 1)[0])
    assert seen["verificationStatus"] == "approved"


async def test_a_process_that_dies_once_a_chef_is_suspended_has_told_of_it(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await play.bring(S.PAYMENT_CONFIRMED)
    async with facade(play.environment, monkeypatch) as (app, http):
        dies_once_a_suspension_is_written(app, monkeypatch)
        answer = await http.put(
            f"/api/v1{standing_of_chef(play)}",
            json={"status": "suspended", "reason": "why"},
            headers={"Authorization": play.admin.authorization},
        )

    assert answer.status_code == 500
    await play.becomes(order, S.CANCELLED)
