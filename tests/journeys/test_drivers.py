"""From a customer's account to the first delivery, by the public API alone."""

import asyncio
from collections.abc import Mapping

from domain.order_status import OrderStatus
from local.cast import Cast, cast
from local.people import Unanswered
from tests.api.newcomers import let_in, verify

S = OrderStatus


async def test_a_newcomer_registers_is_let_in_and_delivers(
    play: Cast, environment: Mapping[str, str]
) -> None:
    async with cast(environment, drivers=0) as elsewhere:
        await let_in(elsewhere)
        newcomer, kitchen = elsewhere.customer, play.world.kitchen
        for driver in play.drivers:
            await driver.put("/delivery/availability", isAvailable=False)
        await newcomer.put("/delivery/availability", isAvailable=True)
        await newcomer.post(
            "/delivery/location", latitude=kitchen.latitude, longitude=kitchen.longitude
        )
        play.drivers.insert(0, newcomer)

        order = await play.bring(S.DELIVERED)

        profile = await newcomer.get("/delivery/profile")
        assert (profile["load"], profile["deliveries"]) == (0, 1)
        assert profile["performance"] == {
            "offers": 1,
            "acceptance": 1.0,
            "onTimePickup": 1.0,
            "onTimeDelivery": 1.0,
            "completion": 1.0,
        }
        seen = await play.customer.get(f"/orders/{order['id']}")
        assert seen["driverId"] == profile["id"]


async def test_what_a_driver_accepts_while_he_is_suspended_goes_to_another(play: Cast) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)
    offer = await play.offered(0, order)
    driver_id = str(play.world.drivers[0].id)

    async def accept() -> bool:
        try:
            await play.drivers[0].post(f"/delivery/offers/{offer['id']}/accept")
        except Unanswered as refused:
            if refused.code != "offer_gone":
                raise
            return False
        return True

    has_it, suspended = await asyncio.gather(accept(), verify(play, driver_id, "suspended"))

    assert suspended["verificationStatus"] == "suspended"
    assert (await play.take(1, order))["driverId"] == str(play.world.drivers[1].id)
    assert await play.history(order) == [
        S.PENDING,
        S.PAYMENT_CONFIRMED,
        S.ACCEPTED,
        S.PREPARING,
        S.READY_FOR_PICKUP,
        *([S.ASSIGNED_TO_DRIVER, S.READY_FOR_PICKUP] if has_it else []),
        S.ASSIGNED_TO_DRIVER,
    ]
