"""Whom an order is offered to."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
from redis.asyncio import Redis
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from activities.dispatch import DispatchActivities
from domain.geo import Point
from domain.order_status import Actor, OrderStatus
from local import world as worlds
from local.ports import any_free
from local.world import World
from providers.positions import Positions
from providers.redis import connect_redis
from schema.database import Database
from schema.messages.dispatch import AssignmentStatus, OfferSearch, Withdrawal
from schema.messages.order import Changes, Order, Transition, Who
from schema.queries import offers, orders
from schema.tables import Driver, DriverAssignment, Verification
from schema.tables import Order as OrderRow
from tests.frozen import frozen_server

MAX_AGE = timedelta(minutes=5)
S, A = OrderStatus, AssignmentStatus


@pytest.fixture
async def world(database: Database) -> World:
    return await worlds.settle(database, drivers=3)


@pytest.fixture
async def order(database: Database, world: World) -> Order:
    return await new_order(database, world)


@pytest.fixture
def dispatch(database: Database, redis: Redis) -> DispatchActivities:
    return DispatchActivities(database, Positions(redis), capacity=2, fix_max_age=MAX_AGE)


@pytest.fixture(params=["away", "frozen"])
async def without_redis(
    request: pytest.FixtureRequest, database: Database
) -> AsyncIterator[DispatchActivities]:
    """Redis refuses connections, or takes them and never answers."""
    async with frozen_server() as frozen:
        port = any_free() if request.param == "away" else frozen
        nowhere = connect_redis(f"redis://127.0.0.1:{port}/0")
        yield DispatchActivities(database, Positions(nowhere), capacity=2, fix_max_age=MAX_AGE)
        await nowhere.aclose()


async def new_order(
    database: Database, world: World, status: OrderStatus = S.READY_FOR_PICKUP
) -> Order:
    """An order as the search for its driver finds it."""
    async with database.write() as session:
        order = await orders.begin(session, world.placing())
        row = await session.get(OrderRow, order.id)
        assert row is not None
        row.status = status
        return order


def search(order: Order, radius_km: float = 5.0, **changes: object) -> OfferSearch:
    at = datetime.now(UTC)
    found = OfferSearch(
        order_id=order.id,
        kitchen=order.kitchen,
        ready_at=at,
        radius_km=radius_km,
        asked_since=at,
        at=at,
        lasts=timedelta(seconds=30),
    )
    return found.model_copy(update=changes)


async def change(database: Database, driver_id: object, **values: object) -> None:
    async with database.write() as session:
        await session.execute(update(Driver).where(col(Driver.id) == driver_id).values(**values))


async def end(dispatch: DispatchActivities, offer_id: object, status: A) -> bool:
    return await dispatch.withdraw_offer(
        Withdrawal(offer_id=offer_id, status=status, at=datetime.now(UTC))
    )


async def test_the_nearest_driver_that_redis_knows_is_asked(
    dispatch: DispatchActivities, order: Order, world: World, redis: Redis
) -> None:
    near = Point(world.kitchen.latitude + 0.001, world.kitchen.longitude)
    far = Point(world.kitchen.latitude + 0.02, world.kitchen.longitude)
    await Positions(redis).put(world.drivers[2].id, near, datetime.now(UTC))
    await Positions(redis).put(world.drivers[0].id, far, datetime.now(UTC))

    offer = await dispatch.make_offer(search(order))

    assert offer is not None
    assert offer.driver_id == world.drivers[2].id
    assert offer.distance_km == pytest.approx(0.111, abs=0.01)


async def test_where_redis_knows_nobody_the_database_may(
    dispatch: DispatchActivities, order: Order, world: World
) -> None:
    offer = await dispatch.make_offer(search(order))

    assert offer is not None
    assert offer.driver_id == world.drivers[0].id


async def test_without_redis_the_database_does(
    without_redis: DispatchActivities, order: Order, world: World
) -> None:
    offer = await without_redis.make_offer(search(order))

    assert offer is not None
    assert offer.driver_id == world.drivers[0].id


async def test_a_position_that_is_too_old_does_not_count(
    dispatch: DispatchActivities, order: Order, world: World, redis: Redis, database: Database
) -> None:
    long_ago = datetime.now(UTC) - MAX_AGE - timedelta(seconds=1)
    for driver in world.drivers:
        await Positions(redis).put(driver.id, world.kitchen, long_ago)
        await change(database, driver.id, located_at=long_ago)

    assert await dispatch.make_offer(search(order)) is None


async def test_a_position_that_comes_late_does_not_undo_a_newer_one(
    world: World, redis: Redis
) -> None:
    positions, now = Positions(redis), datetime.now(UTC)
    elsewhere = Point(world.kitchen.latitude + 1.0, world.kitchen.longitude)

    await positions.put(world.drivers[0].id, world.kitchen, now)
    await positions.put(world.drivers[0].id, elsewhere, now - timedelta(seconds=5))

    near = await positions.near(world.kitchen, 1.0, now=now, max_age=MAX_AGE)
    assert list(near) == [world.drivers[0].id]


@pytest.mark.parametrize(
    "values",
    [
        {"is_available": False},
        {"verification_status": Verification.SUSPENDED},
        {"documents_expire_on": date(2026, 1, 31)},
    ],
    ids=["off duty", "suspended", "with an expired document"],
)
async def test_who_may_not_be_asked_is_not(
    dispatch: DispatchActivities,
    order: Order,
    world: World,
    database: Database,
    values: dict[str, object],
) -> None:
    await change(database, world.drivers[0].id, **values)

    offer = await dispatch.make_offer(search(order))

    assert offer is not None
    assert offer.driver_id == world.drivers[1].id


async def test_an_order_has_one_live_offer_however_often_it_is_asked_for(
    dispatch: DispatchActivities, order: Order
) -> None:
    first = await dispatch.make_offer(search(order))

    assert await dispatch.make_offer(search(order)) == first


async def test_a_driver_has_one_live_offer_of_all_orders(
    dispatch: DispatchActivities, order: Order, world: World, database: Database
) -> None:
    others = [await new_order(database, world) for _ in range(3)]

    made = await asyncio.gather(
        *(dispatch.make_offer(search(wanted)) for wanted in [order, *others])
    )

    asked = [offer.driver_id for offer in made if offer is not None]
    assert len(asked) == len(set(asked))


async def test_the_database_itself_refuses_a_second_live_offer(
    dispatch: DispatchActivities, order: Order, world: World, database: Database
) -> None:
    await dispatch.make_offer(search(order))
    at = datetime.now(UTC)

    async with database.write() as session:
        session.add(
            DriverAssignment(
                order_id=order.id,
                driver_id=world.drivers[1].id,
                status=A.OFFERED,
                distance_km=1,
                offered_at=at,
                expires_at=at,
            )
        )
        with pytest.raises(IntegrityError, match="one_live_offer_per_order"):
            await session.flush()
        await session.rollback()


async def test_a_driver_with_full_hands_is_not_asked(
    dispatch: DispatchActivities, order: Order, world: World, database: Database
) -> None:
    for _ in range(2):
        carried = await new_order(database, world)
        await give(database, carried, world.drivers[0].id)

    offer = await dispatch.make_offer(search(order))

    assert offer is not None
    assert offer.driver_id == world.drivers[1].id


async def test_who_declined_or_let_it_pass_in_this_round_is_not_asked(
    dispatch: DispatchActivities, order: Order, world: World
) -> None:
    began = datetime.now(UTC)
    first = await dispatch.make_offer(search(order, asked_since=began))
    assert first is not None
    await end(dispatch, first.id, A.DECLINED)
    second = await dispatch.make_offer(search(order, asked_since=began))
    assert second is not None
    await end(dispatch, second.id, A.EXPIRED)

    third = await dispatch.make_offer(search(order, asked_since=began))
    assert third is not None
    assert third.driver_id == world.drivers[2].id
    await end(dispatch, third.id, A.EXPIRED)
    assert await dispatch.make_offer(search(order, asked_since=began)) is None

    next_round = await dispatch.make_offer(search(order))
    assert next_round is not None
    assert next_round.driver_id == world.drivers[1].id


@pytest.mark.parametrize("status", [S.PREPARING, S.ASSIGNED_TO_DRIVER, S.CANCELLED])
async def test_nobody_is_asked_for_an_order_that_does_not_wait_for_a_driver(
    dispatch: DispatchActivities, world: World, database: Database, status: OrderStatus
) -> None:
    order = await new_order(database, world, status)
    assert await dispatch.make_offer(search(order)) is None


async def test_a_driver_whose_offer_was_forgotten_open_is_asked_again(
    dispatch: DispatchActivities, order: Order, world: World, database: Database
) -> None:
    for driver in world.drivers[1:]:
        await change(database, driver.id, is_available=False)
    minutes_ago = datetime.now(UTC) - timedelta(minutes=5)
    forgotten = await dispatch.make_offer(search(order, at=minutes_ago))
    assert forgotten is not None

    another = await dispatch.make_offer(search(await new_order(database, world)))

    assert another is not None
    assert another.driver_id == forgotten.driver_id
    assert not await end(dispatch, forgotten.id, A.EXPIRED)


async def test_an_offer_ends_once(dispatch: DispatchActivities, order: Order) -> None:
    offer = await dispatch.make_offer(search(order))
    assert offer is not None

    assert await end(dispatch, offer.id, A.EXPIRED)
    assert not await end(dispatch, offer.id, A.DECLINED)


async def test_an_offer_that_has_ended_cannot_be_taken(
    dispatch: DispatchActivities, order: Order, database: Database
) -> None:
    offer = await dispatch.make_offer(search(order))
    assert offer is not None
    await end(dispatch, offer.id, A.EXPIRED)
    step = Transition(
        order_id=order.id,
        sequence=2,
        was=S.READY_FOR_PICKUP,
        to=S.ASSIGNED_TO_DRIVER,
        by=Who(role=Actor.DISPATCH),
        at=datetime.now(UTC),
        offer_id=offer.id,
        changes=Changes(driver_id=offer.driver_id),
    )

    async with database.write() as session:
        with pytest.raises(offers.OfferGone):
            await offers.take(session, step)


async def give(database: Database, order: Order, driver_id: object) -> None:
    async with database.write() as session:
        row = await session.get(OrderRow, order.id)
        assert row is not None
        row.driver_id, row.status = driver_id, S.PICKED_UP
