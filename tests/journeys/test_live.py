"""All that is told live of a whole order: to whom, in which order, and each once."""

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from redis.asyncio import Redis

from domain.live import Happening
from domain.order_status import OrderStatus
from local.cast import Cast, Order
from local.people import insisting, until
from schema.messages.live import ADMINS, Told
from tests.told import told_to_all

S, H = OrderStatus, Happening


@pytest.fixture
async def redis(play: Cast) -> AsyncIterator[Redis]:
    """The one that the running processes use."""
    async with Redis.from_url(play.environment["REDIS_URL"], decode_responses=True) as client:
        yield client


async def told(redis: Redis, order: Order) -> list[Told]:
    """What every process was told of an order."""
    everything = await told_to_all(redis)
    return [one for one in everything if str(one.event.order_id) == order["id"]]


async def has_been_told(redis: Redis, order: Order, happening: Happening, times: int = 1) -> None:
    """Wait until something was told of an order so often."""

    async def is_so() -> bool:
        heard = [one.event.happening for one in await told(redis, order)]
        return heard.count(happening) >= times

    await until(is_so)


async def test_a_whole_order_is_told_to_whom_it_concerns(play: Cast, redis: Redis) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)
    offer = await play.offered(0, order)
    await has_been_told(redis, order, H.OFFER)
    await play.drivers[0].post(f"/delivery/offers/{offer['id']}/decline", reason="flat tyre")
    await has_been_told(redis, order, H.OFFER_WITHDRAWN)
    await play.offered(1, order)
    await has_been_told(redis, order, H.OFFER, 2)
    await play.take(1, order)
    await play.driver_says(1, order, "picked_up")
    await play.driver_says(1, order, "in_transit")
    door = play.world.door
    await play.drivers[1].post("/delivery/location", **insisting(door.latitude, door.longitude))
    await until(lambda: _is_near(play, order))
    await until(lambda: _is_told(redis, order, "eta:near"))
    await play.driver_says(1, order, "delivered")

    everything = await told(redis, order)
    who = {
        str(play.world.customer.user_id): "customer",
        str(play.world.chef.user_id): "chef",
        **{str(one.user_id): f"driver {n}" for n, one in enumerate(play.world.drivers)},
        ADMINS: ADMINS,
    }
    two = {"customer", "chef", ADMINS}
    three = two | {"driver 1"}
    assert [
        (
            one.event.happening,
            one.event.data.get("status"),
            {who[to] for to in one.event.to},
        )
        for one in everything
    ] == [
        (H.STATUS, S.PAYMENT_CONFIRMED, two),
        (H.NEW_ORDER, None, {"chef"}),
        (H.STATUS, S.ACCEPTED, two),
        (H.ETA, None, two),
        (H.STATUS, S.PREPARING, two),
        (H.STATUS, S.READY_FOR_PICKUP, two),
        (H.ETA, None, two),
        (H.OFFER, None, {"driver 0"}),
        (H.OFFER_WITHDRAWN, None, {"driver 0"}),
        (H.OFFER, None, {"driver 1"}),
        (H.STATUS, S.ASSIGNED_TO_DRIVER, three),
        (H.ETA, None, three),
        (H.ASSIGNED, None, {"driver 1"}),
        (H.STATUS, S.PICKED_UP, three),
        (H.ETA, None, three),
        (H.STATUS, S.IN_TRANSIT, three),
        (H.ETA, None, three),
        (H.POSITION, None, {"customer", ADMINS}),
        (H.ETA, None, three),
        (H.STATUS, S.DELIVERED, three),
    ]
    numbers = [one.sequence or 0 for one in everything]
    assert all(one < later for one, later in pairwise(numbers))
    (withdrawn,) = [one for one in everything if one.event.happening is H.OFFER_WITHDRAWN]
    assert withdrawn.event.data["reason"] == "declined"


async def _is_near(play: Cast, order: Order) -> bool:
    seen = await play.customer.get(f"/orders/{order['id']}")
    return seen["nearDoorAt"] is not None


async def _is_told(redis: Redis, order: Order, key: str) -> bool:
    return any(one.event.key == key for one in await told(redis, order))
