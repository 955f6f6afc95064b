"""Where a driver is told live, and to whom: while it concerns them, and no longer."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import update
from sqlmodel import col

from domain.live import Happening
from domain.order_status import OrderStatus
from local.cast import Cast, Order
from schema.messages.live import ADMINS, LiveEvent
from schema.tables import Driver
from tests.told import told_to_all

S = OrderStatus


@pytest.fixture
async def redis(play: Cast) -> AsyncIterator[Redis]:
    """The one that the running processes use."""
    async with Redis.from_url(play.environment["REDIS_URL"], decode_responses=True) as client:
        yield client


async def positions(redis: Redis, order: Order) -> list[LiveEvent]:
    """What was told of where an order's driver is, the first first."""
    return [
        told.event
        for told in await told_to_all(redis)
        if told.event.happening is Happening.POSITION and str(told.event.order_id) == order["id"]
    ]


def here(play: Cast, ago: float = 0) -> dict[str, Any]:
    return {
        "latitude": play.world.kitchen.latitude,
        "longitude": play.world.kitchen.longitude,
        "recordedAt": (datetime.now(UTC) - timedelta(seconds=ago)).isoformat(),
        "speed": 7.5,
        "heading": 90,
    }


async def test_a_position_is_told_to_whom_it_concerns_while_it_concerns_him(
    play: Cast, redis: Redis
) -> None:
    order = await play.place()
    who = {
        str(play.world.customer.user_id): "customer",
        str(play.world.chef.user_id): "chef",
        ADMINS: ADMINS,
    }
    told: list[set[str]] = []

    async def drive() -> None:
        known = len(await positions(redis, order))
        await play.drivers[0].post("/delivery/location", **here(play))
        now_told = (await positions(redis, order))[known:]
        told.append({who[to] for event in now_told for to in event.to})

    await drive()
    await play.pay(order)
    for status in ("accepted", "preparing", "ready_for_pickup"):
        await play.chef_says(order, status)
    await drive()
    await play.take(0, order)
    await drive()
    for status in ("picked_up", "in_transit", "delivered"):
        await play.driver_says(0, order, status)
        await drive()

    # pending, ready for pickup, assigned to a driver, picked up, in transit, delivered
    fetching, bringing = {"chef", ADMINS}, {"customer", ADMINS}
    assert told == [set(), set(), fetching, bringing, bringing, set()]


async def test_only_the_newest_position_is_told_and_once(play: Cast, redis: Redis) -> None:
    order = await play.bring(S.ASSIGNED_TO_DRIVER)
    batch = [here(play, ago) for ago in (3, 2, 1)]

    for _ in range(2):
        await play.drivers[0].post("/delivery/location", positions=batch)

    (told,) = await positions(redis, order)
    seen = await play.customer.get(f"/orders/{order['id']}")
    assert told.at == datetime.fromisoformat(batch[-1]["recordedAt"])
    assert told.data.pop("deliveryId")
    expected_at = datetime.fromisoformat(told.data.pop("estimatedDeliveryAt"))
    assert expected_at == datetime.fromisoformat(seen["estimatedDeliveryAt"])
    assert datetime.fromisoformat(told.data.pop("recordedAt")) == told.at
    assert told.data == {
        "latitude": pytest.approx(play.world.kitchen.latitude),
        "longitude": pytest.approx(play.world.kitchen.longitude),
        "speed": 7.5,
        "heading": 90,
    }


async def test_where_the_driver_was_before_he_picked_it_up_the_customer_does_not_hear(
    play: Cast, redis: Redis
) -> None:
    order = await play.bring(S.PICKED_UP)
    known = len(await positions(redis, order))

    # Nobody has heard of him yet, and what comes is old.
    async with play.database.write() as session:
        await session.execute(
            update(Driver)
            .where(col(Driver.id) == play.world.drivers[0].id)
            .values(current_latitude=None, current_longitude=None, located_at=None)
        )
    await play.drivers[0].post("/delivery/location", **here(play, ago=3600))

    (told,) = (await positions(redis, order))[known:]
    assert told.to == (ADMINS,)
