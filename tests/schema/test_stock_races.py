"""Portions and places in a kitchen are taken exactly, however many orders want the last at once."""

import asyncio
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.order_status import Actor, OrderStatus
from domain.placing import CannotBePlaced, Obstacle
from local import world as worlds
from local.world import World
from schema.database import Database
from schema.messages.order import Placing, Transition, Who
from schema.queries import orders
from schema.tables import Chef, Menu, MenuItem, Order, OrderItem
from schema.tables.columns import now

S = OrderStatus


def placing(world: World, *portions: tuple[UUID, int]) -> Placing:
    """An order of so many portions of dishes; without any, of one portion of the world's dish."""
    plain = world.placing()
    return plain.model_copy(
        update={
            "lines": [
                plain.lines[0].model_copy(update={"menu_item_id": dish, "quantity": quantity})
                for dish, quantity in portions or [(world.dish_id, 1)]
            ]
        }
    )


async def begin(database: Database, placed: Placing) -> CannotBePlaced | None:
    """Why an order could not be written, or None when it is."""
    try:
        async with database.write() as session:
            await orders.begin(session, placed)
    except CannotBePlaced as refused:
        return refused
    return None


async def step(database: Database, placed: Placing, sequence: int, was: S, to: S) -> None:
    async with database.write() as session:
        await orders.record(
            session,
            Transition(
                order_id=placed.order.id,
                sequence=sequence,
                was=was,
                to=to,
                by=Who(role=Actor.CHEF),
                at=now(),
            ),
        )


async def walk(database: Database, placed: Placing, path: list[S]) -> None:
    for number, (was, to) in enumerate(pairwise(path), start=2):
        await step(database, placed, number, was, to)


async def set_stock(database: Database, dish_id: UUID, stock: int | None) -> None:
    async with database.write() as session:
        await session.execute(
            update(MenuItem).where(col(MenuItem.id) == dish_id).values(stock=stock)
        )


async def stock_of(database: Database, dish_id: UUID) -> int | None:
    async with database.read() as session:
        return await session.scalar(select(col(MenuItem.stock)).where(col(MenuItem.id) == dish_id))


async def set_capacity(database: Database, world: World, capacity: int) -> None:
    async with database.write() as session:
        await session.execute(
            update(Chef).where(col(Chef.id) == world.chef.id).values(capacity=capacity)
        )


async def orders_of(database: Database, world: World) -> list[UUID]:
    async with database.read() as session:
        found = await session.scalars(
            select(col(Order.id)).where(col(Order.chef_id) == world.chef.id)
        )
        return list(found)


async def another_dish(database: Database, world: World, stock: int) -> UUID:
    async with database.write() as session:
        menu = Menu(chef_id=world.chef.id, name="More")
        session.add(menu)
        await session.flush()
        dish = MenuItem(id=uuid7(), menu_id=menu.id, name="Idli", price_cents=500, stock=stock)
        session.add(dish)
    return dish.id


async def test_of_twenty_who_want_the_last_portion_one_has_it(database: Database) -> None:
    world = await worlds.settle(database)
    await set_stock(database, world.dish_id, 1)
    wanted = [placing(world) for _ in range(20)]

    refusals = await asyncio.gather(*(begin(database, placed) for placed in wanted))

    assert refusals.count(None) == 1
    told = [refused for refused in refusals if refused]
    assert {refused.why for refused in told} == {Obstacle.SOLD_OUT}
    assert all(refused.details["left"] == 0 for refused in told)
    assert await stock_of(database, world.dish_id) == 0
    assert await orders_of(database, world) == [wanted[refusals.index(None)].order.id]


async def test_who_wants_more_than_is_left_takes_nothing_and_is_told_how_many(
    database: Database,
) -> None:
    world = await worlds.settle(database)
    other = await another_dish(database, world, stock=5)
    await set_stock(database, world.dish_id, 2)

    refused = await begin(
        database, placing(world, (other, 1), (world.dish_id, 2), (world.dish_id, 1))
    )

    assert refused is not None
    assert refused.details == {
        "menuItemId": str(world.dish_id),
        "name": "Masala Dosa",
        "left": 2,
    }
    assert (await stock_of(database, world.dish_id), await stock_of(database, other)) == (2, 5)
    assert await orders_of(database, world) == []


async def test_an_order_that_is_written_again_takes_nothing_again(database: Database) -> None:
    world = await worlds.settle(database)
    await set_stock(database, world.dish_id, 5)
    placed = placing(world, (world.dish_id, 2))

    await begin(database, placed)
    await begin(database, placed)

    assert await stock_of(database, world.dish_id) == 3


async def test_orders_of_the_same_dishes_in_another_order_do_not_wait_for_each_other(
    database: Database,
) -> None:
    world = await worlds.settle(database)
    other = await another_dish(database, world, stock=20)
    await set_stock(database, world.dish_id, 20)
    there = [placing(world, (world.dish_id, 1), (other, 1)) for _ in range(10)]
    back = [placing(world, (other, 1), (world.dish_id, 1)) for _ in range(10)]

    refusals = await asyncio.gather(*(begin(database, placed) for placed in there + back))

    assert refusals == [None] * 20
    assert (await stock_of(database, world.dish_id), await stock_of(database, other)) == (0, 0)


@pytest.mark.parametrize(
    "steps",
    [(), (S.PAYMENT_CONFIRMED,), (S.PAYMENT_CONFIRMED, S.ACCEPTED)],
    ids=["pending", "payment_confirmed", "accepted"],
)
async def test_portions_are_given_back_once_when_the_order_is_cancelled_before_cooking(
    database: Database, steps: tuple[S, ...]
) -> None:
    world = await worlds.settle(database)
    await set_stock(database, world.dish_id, 3)
    placed = placing(world, (world.dish_id, 2), (world.dish_id, 1))
    await begin(database, placed)
    path = [S.PENDING, *steps, S.CANCELLED]
    await walk(database, placed, path[:-1])

    await asyncio.gather(
        *(step(database, placed, len(path), path[-2], S.CANCELLED) for _ in range(5))
    )

    assert await stock_of(database, world.dish_id) == 3


async def test_portions_are_gone_once_cooking_has_begun(database: Database) -> None:
    world = await worlds.settle(database)
    await set_stock(database, world.dish_id, 3)
    placed = placing(world)
    await begin(database, placed)
    path = [S.PENDING, S.PAYMENT_CONFIRMED, S.ACCEPTED, S.PREPARING, S.CANCELLED]

    await walk(database, placed, path)

    assert await stock_of(database, world.dish_id) == 2


async def test_what_was_ordered_before_anybody_counted_is_not_given_back(
    database: Database,
) -> None:
    world = await worlds.settle(database)
    placed = placing(world)
    await begin(database, placed)
    await set_stock(database, world.dish_id, 4)

    await step(database, placed, 2, S.PENDING, S.CANCELLED)

    assert await stock_of(database, world.dish_id) == 4


async def test_portions_given_back_and_taken_at_once_are_counted_exactly(
    database: Database,
) -> None:
    world = await worlds.settle(database)
    await set_stock(database, world.dish_id, 10)
    leaving = [placing(world) for _ in range(5)]
    coming = [placing(world) for _ in range(10)]
    for placed in leaving:
        await begin(database, placed)

    refusals = await asyncio.gather(
        *(begin(database, placed) for placed in coming),
        *(step(database, placed, 2, S.PENDING, S.CANCELLED) for placed in leaving),
    )

    got = refusals[:10].count(None)
    assert 5 <= got <= 10
    assert await stock_of(database, world.dish_id) == 10 - got
    async with database.read() as session:
        holding = await session.scalars(
            select(OrderItem).where(
                col(OrderItem.menu_item_id) == world.dish_id, col(OrderItem.took_stock)
            )
        )
        assert len(holding.all()) == got


async def test_of_twenty_who_want_the_last_place_in_a_kitchen_one_has_it(
    database: Database,
) -> None:
    world = await worlds.settle(database)
    await set_capacity(database, world, 2)
    assert await begin(database, placing(world)) is None
    wanted = [placing(world) for _ in range(20)]

    refusals = await asyncio.gather(*(begin(database, placed) for placed in wanted))

    assert refusals.count(None) == 1
    assert {refused.why for refused in refusals if refused} == {Obstacle.KITCHEN_FULL}
    assert len(await orders_of(database, world)) == 2


async def test_a_place_is_free_again_when_the_food_is_ready_or_the_order_is_off(
    database: Database,
) -> None:
    world = await worlds.settle(database)
    await set_capacity(database, world, 1)
    first, second, third = [placing(world) for _ in range(3)]
    assert await begin(database, first) is None
    assert await begin(database, second) is not None

    await step(database, first, 2, S.PENDING, S.CANCELLED)
    assert await begin(database, second) is None
    path = [S.PENDING, S.PAYMENT_CONFIRMED, S.ACCEPTED, S.PREPARING]
    for number, (was, to) in enumerate(pairwise(path), start=2):
        await step(database, second, number, was, to)
        assert await begin(database, third) is not None, to
    await step(database, second, 5, S.PREPARING, S.READY_FOR_PICKUP)

    assert await begin(database, third) is None


async def test_an_order_for_later_takes_a_place_when_it_has_to_be_cooked(
    database: Database,
) -> None:
    world = await worlds.settle(database)
    await set_capacity(database, world, 1)
    later = world.placing(scheduled_for=now() + timedelta(hours=5))
    assert await begin(database, later) is None
    first, second = placing(world), placing(world)
    assert await begin(database, first) is None
    await step(database, first, 2, S.PENDING, S.CANCELLED)

    async with database.write() as session:
        await session.execute(
            update(Order)
            .where(col(Order.id) == later.order.id)
            .values(estimated_ready_at=now() + timedelta(minutes=10))
        )

    refused = await begin(database, second)
    assert refused is not None
    assert refused.why is Obstacle.KITCHEN_FULL


async def test_a_delivered_order_counts_for_its_chef_once(database: Database) -> None:
    world = await worlds.settle(database, drivers=1)
    placed = placing(world)
    await begin(database, placed)
    async with database.write() as session:
        await session.execute(
            update(Order)
            .where(col(Order.id) == placed.order.id)
            .values(status=S.IN_TRANSIT, driver_id=world.drivers[0].id, paid_at=now())
        )

    await asyncio.gather(*(step(database, placed, 2, S.IN_TRANSIT, S.DELIVERED) for _ in range(5)))

    async with database.read() as session:
        counted = await session.scalar(
            select(col(Chef.total_orders)).where(col(Chef.id) == world.chef.id)
        )
    assert counted == 1
