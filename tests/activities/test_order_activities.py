"""Writing an order and its steps: once, whatever comes twice, and announced even when Redis is not
there at first.
"""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from redis.asyncio import Redis
from sqlalchemy import func, select, update
from sqlmodel import col
from temporalio.exceptions import ApplicationError
from uuid_utils.compat import uuid7

from activities.orders import OrderActivities
from domain.notifications import Alert
from domain.order_status import Actor, OrderStatus
from local import world as worlds
from local.ports import any_free
from providers.kitchen_pages import KitchenPages, Page
from providers.redis import connect_redis
from schema.database import Database
from schema.messages.order import (
    Alarm,
    CartRef,
    Changes,
    Order,
    OrderRef,
    Placing,
    StepsAfter,
    Transition,
    Who,
)
from schema.queries import orders
from schema.tables import Cart, MenuItem, Notification, OrderItem, OrderStatusHistory, Payment
from tests.activities.announcing import announcer
from tests.databases import waited_for
from tests.frozen import frozen_server
from tests.told import told_of
from workflows.options import DATABASE

S = OrderStatus


@pytest.fixture
def activities(database: Database, redis: Redis) -> OrderActivities:
    return OrderActivities(database, announcer(database, redis), KitchenPages(redis))


@pytest.fixture
async def placing(database: Database) -> Placing:
    return (await worlds.settle(database)).placing()


def cancelled(order: Order, sequence: int = 2, **changes: object) -> Transition:
    return Transition(
        order_id=order.id,
        sequence=sequence,
        was=S.PENDING,
        to=S.CANCELLED,
        by=Who(role=Actor.CUSTOMER, id=order.customer_id),
        at=order.placed_at + timedelta(minutes=1),
        reason="changed my mind",
        changes=Changes.model_validate(changes),
    )


async def count(database: Database, table: type, order_id: UUID) -> int:
    async with database.read() as session:
        found = await session.scalar(
            select(func.count()).select_from(table).where(table.order_id == order_id)
        )
        return found or 0


async def test_an_order_is_written_once_however_often_it_is_begun(
    activities: OrderActivities, placing: Placing, database: Database
) -> None:
    begun = await activities.begin_order(placing)
    again = await activities.begin_order(placing)

    assert begun == again
    assert again.sequence == 1
    assert await count(database, OrderItem, placing.order.id) == 1
    assert await count(database, OrderStatusHistory, placing.order.id) == 1


async def test_an_attempt_that_waited_for_the_one_before_it_answers_with_its_order(
    database: Database, activities: OrderActivities, redis: Redis
) -> None:
    """The first was given up while it committed: the cart that is missing now is in its order, and
    the menu that was kept shows a portion too many.
    """
    world = await worlds.settle(database)
    pages = KitchenPages(redis)

    async def menu() -> str:
        async with database.read() as looking:
            left = select(col(MenuItem.stock)).where(col(MenuItem.id) == world.dish_id)
            return str(await looking.scalar(left))

    async with database.write() as session:
        await session.execute(
            update(MenuItem).where(col(MenuItem.id) == world.dish_id).values(stock=5)
        )
        cart = Cart(customer_id=world.customer.user_id, chef_id=world.chef.id)
        session.add(cart)
    ref = CartRef(id=cart.id, version=cart.version)
    placing = world.placing().model_copy(update={"cart": ref})

    assert await pages.read(world.chef.id, Page.MENU, menu) == "5"

    async with database.write() as session:
        written = await orders.begin(session, placing)
        again = asyncio.create_task(activities.begin_order(placing))
        await waited_for(session, database)

    assert (await again).number == written.number
    assert await pages.read(world.chef.id, Page.MENU, menu) == "3"


async def test_orders_of_a_day_are_numbered_without_gap_or_double(
    activities: OrderActivities, database: Database
) -> None:
    world = await worlds.settle(database)
    placings = [world.placing() for _ in range(20)]

    orders = await asyncio.gather(*(activities.begin_order(placing) for placing in placings))

    numbers = sorted(int((order.number or "").rsplit("-", 1)[1]) for order in orders)
    assert numbers == list(range(numbers[0], numbers[0] + 20))
    day = placings[0].order.placed_at
    assert all((order.number or "").startswith(f"RND-{day:%Y%m%d}-") for order in orders)


async def test_an_order_for_a_chef_who_is_not_there_fails_for_good(
    activities: OrderActivities, placing: Placing
) -> None:
    nobodys = placing.model_copy(
        update={"order": placing.order.model_copy(update={"chef_id": uuid7()})}
    )

    with pytest.raises(ApplicationError) as failed:
        await activities.begin_order(nobodys)
    assert failed.value.type == "BadOrder"
    assert failed.value.non_retryable


async def test_an_order_whose_code_does_not_apply_any_more_fails_for_good_with_the_reason(
    activities: OrderActivities, placing: Placing, database: Database
) -> None:
    nobodys = placing.model_copy(
        update={"order": placing.order.model_copy(update={"promo_code": "NOBODYS"})}
    )

    with pytest.raises(ApplicationError) as failed:
        await activities.begin_order(nobodys)

    assert (failed.value.type, failed.value.non_retryable) == ("promo_unknown", True)
    assert await count(database, OrderStatusHistory, placing.order.id) == 0


async def test_an_order_is_read_back_as_it_was_written(
    activities: OrderActivities, placing: Placing
) -> None:
    begun = await activities.begin_order(placing)

    assert await activities.load_order(OrderRef(order_id=begun.id)) == begun


async def test_there_is_no_reading_back_what_was_never_written(
    activities: OrderActivities,
) -> None:
    with pytest.raises(ApplicationError) as failed:
        await activities.load_order(OrderRef(order_id=uuid7()))
    assert failed.value.type == "UnknownOrder"
    assert failed.value.non_retryable


async def test_a_step_has_one_effect_however_often_it_is_recorded(
    activities: OrderActivities, placing: Placing, database: Database
) -> None:
    order = await activities.begin_order(placing)
    step = cancelled(order)

    recorded = [await activities.record_step(step) for _ in range(3)]

    assert all(answer.transition == step for answer in recorded)
    assert await count(database, OrderStatusHistory, order.id) == 2
    async with database.read() as session:
        told = await session.scalar(
            select(func.count())
            .select_from(Notification)
            .where(col(Notification.related_order_id) == order.id)
        )
    assert told == 2  # the customer and the chef, once each


async def test_two_steps_that_want_the_same_number_one_gets_it_and_both_are_told_which(
    activities: OrderActivities, placing: Placing
) -> None:
    order = await activities.begin_order(placing)
    paid = Transition(
        order_id=order.id,
        sequence=2,
        was=S.PENDING,
        to=S.PAYMENT_CONFIRMED,
        by=Who(role=Actor.STRIPE),
        at=order.placed_at,
        changes=Changes(captured_cents=2660),
    )

    first, second = await asyncio.gather(
        activities.record_step(paid), activities.record_step(cancelled(order))
    )

    assert first.transition == second.transition
    assert first.transition in [paid, cancelled(order)]
    after = await activities.steps_after(StepsAfter(order_id=order.id, sequence=1))
    assert after == [first.transition]


async def test_a_step_is_announced_to_the_orders_stream(
    activities: OrderActivities, placing: Placing, redis: Redis
) -> None:
    order = await activities.begin_order(placing)

    recorded = await activities.record_step(cancelled(order))

    assert recorded.announced
    told = await told_of(redis, order.id)
    assert [(one.event.data["status"], one.sequence) for one in told] == [("cancelled", 1)]


@pytest.mark.parametrize("frozen", [False, True], ids=["away", "frozen"])
async def test_without_redis_a_step_stands_and_is_announced_later(
    database: Database, placing: Placing, redis: Redis, frozen: bool
) -> None:
    async with database.write() as session:
        # Its menu would have to be told.
        (await session.get_one(MenuItem, placing.lines[0].menu_item_id)).stock = 9
    async with frozen_server() as port:
        nowhere = connect_redis(f"redis://127.0.0.1:{port if frozen else any_free()}/0")
        activities = OrderActivities(database, announcer(database, nowhere), KitchenPages(nowhere))
        order = await activities.begin_order(placing)
        # The workflow does not give it longer.
        async with asyncio.timeout(DATABASE["start_to_close_timeout"].total_seconds()):
            recorded = await activities.record_step(cancelled(order))
        await nowhere.aclose()

    assert not recorded.announced
    assert await count(database, OrderStatusHistory, order.id) == 2
    await announcer(database, redis).announce(recorded.transition)
    assert len(await told_of(redis, order.id)) == 1


async def test_an_alarm_is_raised_once_for_each_key(
    activities: OrderActivities, placing: Placing, database: Database
) -> None:
    order = await activities.begin_order(placing)
    alarm = Alarm(order_id=order.id, alert=Alert.DRIVER_NEAR, key="2")

    for _ in range(3):
        await activities.raise_alarm(alarm)
    await activities.raise_alarm(alarm.model_copy(update={"key": "3"}))

    async with database.read() as session:
        told = await session.scalars(
            select(col(Notification.message)).where(col(Notification.related_order_id) == order.id)
        )
    assert len(list(told)) == 2


async def test_what_was_captured_is_the_payments(
    activities: OrderActivities, placing: Placing, database: Database
) -> None:
    order = await activities.begin_order(placing)
    async with database.write() as session:
        session.add(
            Payment(
                order_id=order.id,
                stripe_payment_intent_id=f"pi_{order.id}",
                amount_cents=2660,
                currency="usd",
                capture_method="automatic",
                status="open",
            )
        )
    paid = Transition(
        order_id=order.id,
        sequence=2,
        was=S.PENDING,
        to=S.PAYMENT_CONFIRMED,
        by=Who(role=Actor.STRIPE),
        at=order.placed_at,
        changes=Changes(captured_cents=2660),
    )

    await activities.record_step(paid)

    loaded = await activities.load_order(OrderRef(order_id=order.id))
    assert (loaded.captured_cents, loaded.status) == (2660, S.PAYMENT_CONFIRMED)
