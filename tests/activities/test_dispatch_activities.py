"""Whom orders are offered to, and that nothing is promised twice."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from redis.asyncio import Redis
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from uuid_utils.compat import uuid7

from domain.dispatch.policy import Matching, Weights
from domain.geo import Point
from domain.order_status import Actor, OrderStatus
from local import world as worlds
from local.ports import any_free
from local.world import World
from providers.positions import Positions
from providers.redis import connect_redis
from schema.database import Database
from schema.messages.dispatch import Acceptance, AssignmentStatus, Offer
from schema.messages.order import Changes, Order, Transition, Who
from schema.queries import assignments, driver_records
from schema.queries.offers import OfferGone
from schema.tables import DispatchSearch, Driver, DriverAssignment, Notification, Verification
from schema.tables import Order as OrderRow
from settings import Settings
from tests.activities.dispatch_house import RULES, House, house
from tests.frozen import frozen_server
from workflows.connection import connect

S, A = OrderStatus, AssignmentStatus
POLICY = Matching(Weights(commit_ahead=75.0))


@pytest.fixture
async def world(database: Database) -> World:
    return await worlds.settle(database, drivers=3)


@pytest.fixture
async def client(environment: Mapping[str, str]) -> Client:
    return await connect(environment)


@pytest.fixture
async def here(
    database: Database, world: World, redis: Redis, client: Client, settings: Settings
) -> AsyncIterator[House]:
    async with house(database, world, redis, POLICY, client, settings) as opened:
        yield opened


@pytest.fixture(params=["away", "frozen"])
async def without_redis(
    request: pytest.FixtureRequest,
    database: Database,
    world: World,
    client: Client,
    settings: Settings,
) -> AsyncIterator[House]:
    """Redis refuses connections, or takes them and never answers."""
    async with frozen_server() as frozen:
        port = any_free() if request.param == "away" else frozen
        nowhere = connect_redis(f"redis://127.0.0.1:{port}/0")
        async with house(database, world, nowhere, POLICY, client, settings) as opened:
            yield opened
        await nowhere.aclose()


async def accept(here: House, offer: Offer, order: Order, capacity: int = 2) -> None:
    async with here.database.write() as session:
        await assignments.accept(
            session,
            Acceptance(
                order_id=order.id,
                offer_id=offer.id,
                driver_id=offer.driver_id,
                capacity=capacity,
                at=datetime.now(UTC),
            ),
        )


async def cancel(here: House, order: Order) -> None:
    """What the step that cancels an order does to its offers."""
    step = Transition(
        order_id=order.id,
        sequence=2,
        was=S.READY_FOR_PICKUP,
        to=S.CANCELLED,
        by=Who(role=Actor.ADMIN),
        at=datetime.now(UTC),
    )
    async with here.database.write() as session:
        await assignments.release(session, step)


async def bundle(here: House) -> tuple[list[Order], Offer]:
    """Two orders offered together: there is one driver for both."""
    await here.change(here.world.drivers[1:], is_available=False)
    both = [await here.order(), await here.order()]
    await here.look(*both)
    offer = await here.offered(both[0])
    assert await here.offer(both[1]) is not None
    return both, offer


async def test_the_nearest_driver_that_redis_knows_is_asked(here: House, redis: Redis) -> None:
    world = here.world
    near = Point(world.kitchen.latitude + 0.001, world.kitchen.longitude)
    far = Point(world.kitchen.latitude + 0.02, world.kitchen.longitude)
    await Positions(redis).put(world.drivers[2].id, near, datetime.now(UTC))
    await Positions(redis).put(world.drivers[0].id, far, datetime.now(UTC))
    order = await here.order()

    await here.look(order)

    offer = await here.offered(order)
    assert offer.driver_id == world.drivers[2].id
    assert offer.distance_km == pytest.approx(0.111, abs=0.01)


async def test_where_redis_knows_nobody_the_database_may(here: House) -> None:
    order = await here.order()

    await here.look(order)

    assert (await here.offered(order)).driver_id == here.world.drivers[0].id


async def test_without_redis_the_database_does(without_redis: House) -> None:
    order = await without_redis.order()

    await without_redis.look(order)

    assert (await without_redis.offered(order)).driver_id == without_redis.world.drivers[0].id


async def test_a_position_that_is_too_old_does_not_count(here: House, redis: Redis) -> None:
    long_ago = datetime.now(UTC) - RULES.fix_max_age - timedelta(seconds=1)
    for driver in here.world.drivers:
        await Positions(redis).put(driver.id, here.world.kitchen, long_ago)
    await here.change(here.world.drivers, located_at=long_ago)
    order = await here.order()

    looked = await here.look(order)

    assert await here.offer(order) is None
    assert looked.standing.held == {"nobody_in_reach": 1}


async def test_a_position_that_comes_late_does_not_undo_a_newer_one(
    world: World, redis: Redis
) -> None:
    positions, now = Positions(redis), datetime.now(UTC)
    elsewhere = Point(world.kitchen.latitude + 1.0, world.kitchen.longitude)

    await positions.put(world.drivers[0].id, world.kitchen, now)
    await positions.put(world.drivers[0].id, elsewhere, now - timedelta(seconds=5))

    seen = await positions.around(world.kitchen, 1.0, now=now, max_age=RULES.fix_max_age)
    assert list(seen) == [world.drivers[0].id]
    assert seen[world.drivers[0].id].at == now


@pytest.mark.parametrize(
    "values",
    [
        {"is_available": False},
        {"verification_status": Verification.SUSPENDED},
        {"documents_expire_on": date(2026, 1, 31)},
    ],
    ids=["off duty", "suspended", "with an expired document"],
)
async def test_who_may_not_be_asked_is_not(here: House, values: dict[str, object]) -> None:
    await here.change(here.world.drivers[:1], **values)
    order = await here.order()

    await here.look(order)

    assert (await here.offered(order)).driver_id == here.world.drivers[1].id


async def test_a_look_that_is_done_again_offers_nothing_twice(here: House) -> None:
    order = await here.order()
    await here.look(order)
    first = await here.offered(order)

    again = await here.look(order)

    assert await here.offered(order) == first
    assert len(await here.rows(order)) == 1
    assert again.standing.offered == 1


async def test_two_zones_that_look_at_the_same_order_and_driver_make_one_offer(
    here: House,
) -> None:
    await here.change(here.world.drivers[1:], is_available=False)
    order = await here.order()

    looked = await asyncio.gather(*(here.look(order) for _ in range(6)))

    assert len(await here.rows(order)) == 1
    assert any(look.standing.offered for look in looked)


async def test_a_driver_has_one_live_offer_of_all_zones(here: House) -> None:
    wanted = [await here.order() for _ in range(4)]

    await asyncio.gather(*(here.look(order) for order in wanted))

    asked = [row.driver_id for row in await here.rows(*wanted)]
    assert asked
    assert len(asked) == len(set(asked))


async def test_the_database_itself_refuses_a_second_live_offer(here: House) -> None:
    order, other = await here.order(), await here.order()
    await here.look(order)
    offered, at = await here.offered(order), datetime.now(UTC)

    def row(order: Order, driver_id: object) -> DriverAssignment:
        offer_id = uuid7()
        return DriverAssignment(
            id=offer_id,
            offer_id=offer_id,
            order_id=order.id,
            driver_id=driver_id,
            status=A.OFFERED,
            distance_km=1,
            offered_at=at,
            expires_at=at,
        )

    for second, index in (
        (row(order, here.world.drivers[1].id), "one_live_offer_per_order"),
        (row(other, offered.driver_id), "one_live_offer_per_driver"),
    ):
        async with here.database.write() as session:
            session.add(second)
            with pytest.raises(IntegrityError, match=index):
                await session.flush()
            await session.rollback()


async def test_a_driver_with_full_hands_is_not_asked(here: House) -> None:
    for _ in range(2):
        await here.give(await here.order(), here.world.drivers[0])
    order = await here.order()

    await here.look(order)

    assert (await here.offered(order)).driver_id == here.world.drivers[1].id


async def test_who_declined_is_not_asked_again_and_who_let_it_pass_is_after_a_while(
    here: House,
) -> None:
    order, drivers = await here.order(), here.world.drivers
    await here.look(order)
    await here.decline(await here.offered(order))
    await here.look(order)
    second = await here.offered(order)
    assert second.driver_id == drivers[1].id

    await here.look(order, after=RULES.offer + timedelta(seconds=1))
    assert (await here.offered(order)).driver_id == drivers[2].id
    await here.look(order, after=2 * RULES.offer + timedelta(seconds=2))
    assert await here.offer(order) is None

    await here.look(order, after=RULES.ask_again + timedelta(seconds=2))
    assert (await here.offered(order)).driver_id == drivers[1].id


@pytest.mark.parametrize("status", [S.ACCEPTED, S.DELIVERED, S.CANCELLED])
async def test_nobody_is_asked_for_an_order_that_does_not_look_for_a_driver(
    here: House, status: OrderStatus
) -> None:
    order = await here.order(status)

    looked = await here.look(order)

    assert await here.offer(order) is None
    assert looked.over == [order.id]
    assert looked.again_at is None


async def test_a_driver_is_asked_in_time_for_food_that_is_not_ready_yet(here: House) -> None:
    soon, later = timedelta(minutes=2), timedelta(minutes=30)
    order = await here.order(S.PREPARING, estimated_ready_at=datetime.now(UTC) + soon)
    not_yet = await here.order(S.PREPARING, estimated_ready_at=datetime.now(UTC) + later)

    looked = await here.look(order, not_yet)

    assert await here.offer(order) is not None
    assert await here.offer(not_yet) is None
    assert looked.standing.held == {"food_not_soon": 1}


async def test_food_that_should_have_been_ready_long_ago_is_not_planned_for_any_more(
    here: House,
) -> None:
    order = await here.order(S.PREPARING)

    late = await here.look(order, after=RULES.patience + timedelta(seconds=5))

    assert late.over == [order.id]


async def test_an_order_that_an_operator_keeps_back_is_offered_to_nobody_until_he_lets_it_go(
    here: House,
) -> None:
    order = await here.order()
    until = datetime.now(UTC) + timedelta(minutes=3)
    async with here.database.write() as session:
        await session.execute(
            update(DispatchSearch)
            .where(col(DispatchSearch.order_id) == order.id)
            .values(held_until=until)
        )

    looked = await here.look(order)
    assert await here.offer(order) is None
    assert looked.standing.held == {"operator": 1}

    await here.look(order, after=timedelta(minutes=3, seconds=1))
    assert await here.offer(order) is not None


async def test_a_driver_whose_offer_was_forgotten_open_is_asked_again(here: House) -> None:
    await here.change(here.world.drivers[1:], is_available=False)
    order = await here.order()
    await here.look(order, after=-timedelta(minutes=5))
    forgotten = await here.offered(order)

    another = await here.order()
    await here.look(another)

    assert (await here.offered(another)).driver_id == forgotten.driver_id
    assert await here.statuses(order) == [A.WITHDRAWN]


async def test_an_offer_ends_once(here: House) -> None:
    order = await here.order()
    await here.look(order)
    offer = await here.offered(order)
    await here.look(order, after=RULES.offer + timedelta(seconds=1))

    with pytest.raises(ApplicationError) as gone:
        await here.decline(offer)

    assert gone.value.type == "OfferGone"
    assert (await here.statuses(order))[0] is A.EXPIRED


async def test_a_decline_that_comes_twice_is_answered_alike(here: House) -> None:
    order = await here.order()
    await here.look(order)
    offer = await here.offered(order)

    assert await here.decline(offer) == await here.decline(offer) == [order.id]


async def test_an_offer_that_has_ended_or_is_over_time_cannot_be_taken(here: House) -> None:
    order = await here.order()
    await here.look(order)
    declined = await here.offered(order)
    await here.decline(declined)
    await here.look(order, after=-2 * RULES.offer)
    too_late = await here.offered(order)

    for offer in (declined, too_late):
        with pytest.raises(OfferGone):
            await accept(here, offer, order)


async def test_an_offer_of_two_orders_is_taken_whole_and_once(here: House) -> None:
    both, offer = await bundle(here)
    driver = here.world.drivers[0]
    assert [row.stop for row in await here.rows(*both)] == [1, 2]
    assert {row.offer_id for row in await here.rows(*both)} == {offer.id}

    for _ in range(2):
        await accept(here, offer, both[0])

    assert {row.status for row in await here.rows(*both)} == {A.ACCEPTED}
    async with here.database.read() as session:
        assert await driver_records.load(session, driver.id) == 2
    looked = await here.look(*both)
    assert looked.standing.under_way == 2


async def test_an_offer_of_two_orders_is_declined_whole(here: House) -> None:
    both, offer = await bundle(here)

    declined = await here.decline(offer)

    assert set(declined) == {order.id for order in both}
    assert {row.status for row in await here.rows(*both)} == {A.DECLINED}


async def test_of_an_offer_that_is_open_the_other_order_is_free_when_one_is_cancelled(
    here: House,
) -> None:
    (one, other), offer = await bundle(here)

    await cancel(here, one)

    with pytest.raises(OfferGone):
        await accept(here, offer, other)
    assert (await here.statuses(one), await here.statuses(other)) == ([A.CANCELLED], [A.WITHDRAWN])
    await here.look(other)
    assert (await here.offered(other)).driver_id == offer.driver_id, "he did nothing wrong"


async def test_of_an_offer_that_was_taken_the_other_order_stays_when_one_is_cancelled(
    here: House,
) -> None:
    (one, other), offer = await bundle(here)
    await accept(here, offer, one)

    await cancel(here, one)

    assert (await here.statuses(one), await here.statuses(other)) == ([A.CANCELLED], [A.ACCEPTED])


async def test_a_driver_who_was_given_too_much_meanwhile_cannot_take_more(here: House) -> None:
    both, offer = await bundle(here)
    await here.give(await here.order(), here.world.drivers[0])

    with pytest.raises(OfferGone):
        await accept(here, offer, both[0])

    assert {row.status for row in await here.rows(*both)} == {A.OFFERED}


async def test_who_lets_three_offers_pass_in_a_row_is_off_duty_and_told_so(
    here: House, redis: Redis
) -> None:
    driver = here.world.drivers[0]
    await here.change(here.world.drivers[1:], is_available=False)
    await Positions(redis).put(driver.id, here.world.kitchen, datetime.now(UTC))
    wanted = [await here.order() for _ in range(3)]
    for passed, order in enumerate(wanted):
        assert await is_available(here)
        await here.look(order, after=passed * RULES.offer)
        assert await here.offer(order) is not None
        await here.look(order, after=(passed + 1) * RULES.offer)

    assert not await is_available(here)
    seen = await Positions(redis).around(
        here.world.kitchen, 1.0, now=datetime.now(UTC), max_age=RULES.fix_max_age
    )
    assert driver.id not in seen
    assert sum("off duty" in message for message in await told(here, driver.user_id)) == 1


async def test_an_answer_in_between_ends_a_silence(here: House) -> None:
    await here.change(here.world.drivers[1:], is_available=False)
    for passed in range(4):
        order = await here.order()
        await here.look(order, after=passed * RULES.offer)
        if passed == 1:
            await here.decline(await here.offered(order))
        await here.look(order, after=(passed + 1) * RULES.offer)

    assert await is_available(here)


async def test_a_bonus_is_added_once_nobody_within_the_widest_circle_would_come(
    here: House,
) -> None:
    await here.change(here.world.drivers, is_available=False)
    order = await here.order()
    await here.look(order, after=timedelta(seconds=55))
    await here.change(here.world.drivers[:1], is_available=True)
    assert await bonus(here, order) == 0

    await here.look(order, after=timedelta(seconds=65))

    assert await bonus(here, order) == 200
    assert [row.bonus_cents for row in await here.rows(order)] == [200]


async def test_a_driver_who_goes_dark_after_pickup_is_told_to_ops_once(here: House) -> None:
    order = await here.order()
    await here.look(order)
    offer = await here.offered(order)
    await accept(here, offer, order)
    long_ago = datetime.now(UTC) - RULES.dark - timedelta(seconds=1)
    await here.change(here.world.drivers, located_at=long_ago)
    async with here.database.write() as session:
        await session.execute(
            update(OrderRow).where(col(OrderRow.id) == order.id).values(status=S.PICKED_UP)
        )

    await here.look(order, after=RULES.dark - timedelta(seconds=5))
    assert await told(here, here.world.admin.user_id) == [], "he was seen when he took it"
    for _ in range(2):
        await here.look(order, after=RULES.dark + timedelta(seconds=5))

    assert len(await told(here, here.world.admin.user_id)) == 1
    async with here.database.read() as session:
        row = await session.get(OrderRow, order.id)
    assert row is not None
    assert (row.status, row.driver_id) == (S.PICKED_UP, offer.driver_id)


async def test_a_step_takes_an_offer_only_as_long_as_it_is_open(here: House) -> None:
    order = await here.order()
    await here.look(order)
    offer = await here.offered(order)
    await here.decline(offer)
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

    async with here.database.write() as session:
        with pytest.raises(OfferGone):
            await assignments.take(session, step)


async def is_available(here: House) -> bool:
    async with here.database.read() as session:
        driver = await session.get(Driver, here.world.drivers[0].id)
    assert driver is not None
    return driver.is_available


async def bonus(here: House, order: Order) -> int:
    async with here.database.read() as session:
        search = await session.get(DispatchSearch, order.id)
    assert search is not None
    return search.bonus_cents


async def told(here: House, user_id: object) -> list[str]:
    async with here.database.read() as session:
        found = await session.scalars(
            select(col(Notification.message)).where(
                col(Notification.user_id) == user_id,
                col(Notification.related_order_id).in_(
                    select(col(OrderRow.id)).where(col(OrderRow.chef_id) == here.world.chef.id)
                ),
            )
        )
        return list(found)
