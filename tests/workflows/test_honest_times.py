"""An order's times follow what happens to it, by the clock of its city."""

from datetime import timedelta

from domain.eta import City
from domain.order_status import OrderStatus
from local.people import until
from schema.messages.dispatch import Delivery, DriverCommand
from schema.messages.order import ReadyIn, Terms
from schema.queries import orders
from tests.workflows.room import Room, by_driver, moment
from workflows.order import OrderWorkflow

S = OrderStatus
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


async def test_what_the_facade_expects_is_promised_and_what_the_chef_said_is_kept(
    room: Room,
) -> None:
    run = await room.begin()
    await run.pay()
    began = await moment(room.env)

    word = ReadyIn(by=run.chef, ready_in_minutes=20, expected_minutes=30, kitchen_load=2)
    accepted = await run.ask(OrderWorkflow.accept, word)

    assert abs(accepted.estimated_ready_at - began - 30 * MINUTE) < 10 * SECOND
    assert accepted.estimated_pickup_at == accepted.estimated_ready_at
    async with room.database.read() as session:
        steps = await orders.steps_after(session, run.placing.order.id, 0)
    assert steps[0].changes.estimated_delivery_at == run.placing.order.estimated_delivery_at
    kept = steps[-1].changes
    assert (kept.said_minutes, kept.kitchen_load) == (20, 2)
    assert kept.estimated_delivery_at == accepted.estimated_delivery_at


async def test_a_chef_who_begins_late_is_expected_late(room: Room) -> None:
    run = await room.begin()
    await run.pay()
    accepted = await run.accept()
    await room.skip(10 * MINUTE)

    begun = await run.ask(OrderWorkflow.start, ReadyIn(by=run.chef, expected_minutes=18))

    assert begun.estimated_ready_at > accepted.estimated_ready_at + 5 * MINUTE
    assert (await run.row()).estimated_delivery_at == begun.estimated_delivery_at


async def test_each_event_says_anew_when_the_order_will_be_there(room: Room) -> None:
    driver = room.world.drivers[0]
    run = await room.begin()
    await run.pay()
    promised = await run.accept(ready_in_minutes=40)
    await run.start()
    await room.skip(10 * MINUTE)

    ready = await run.ready()
    early = promised.estimated_delivery_at - ready.estimated_delivery_at
    assert abs(early - 30 * MINUTE) < 30 * SECOND

    await run.take(driver)
    word = DriverCommand(by=by_driver(driver), driver_id=driver.id)
    await room.skip(5 * MINUTE)
    waited = await run.ask(OrderWorkflow.pick_up, word)
    assert waited.estimated_delivery_at > ready.estimated_delivery_at

    await room.skip(4 * MINUTE)
    left = await run.ask(OrderWorkflow.in_transit, word)
    assert abs(left.estimated_delivery_at - waited.estimated_delivery_at - 4 * MINUTE) < 30 * SECOND

    await run.handle.signal(OrderWorkflow.driver_near_door)

    async def is_sooner_for_all() -> bool:
        near = (await run.status()).estimated_delivery_at
        written = (await run.row()).estimated_delivery_at
        return near == written and near < left.estimated_delivery_at

    await until(is_sooner_for_all)


async def test_who_gives_an_order_back_takes_what_was_expected_of_him_along(room: Room) -> None:
    driver = room.world.drivers[0]
    run = await room.begin()
    await run.cook()
    await run.take(driver)
    await room.skip(15 * MINUTE)

    word = DriverCommand(by=by_driver(driver), driver_id=driver.id)
    back = await run.ask(OrderWorkflow.drop_out, word)

    assert back.estimated_pickup_at is not None
    assert abs(back.estimated_pickup_at - await moment(room.env)) < 10 * SECOND
    assert back.estimated_delivery_at > back.estimated_pickup_at


async def test_in_a_city_of_twenty_times_our_pace_everything_takes_a_twentieth(room: Room) -> None:
    driver = room.world.drivers[0]
    run = await room.begin(Terms(city=City(pace=20)))
    await run.pay()
    began = await moment(room.env)

    accepted = await run.accept(ready_in_minutes=20)
    assert abs(accepted.estimated_ready_at - began - MINUTE) < 10 * SECOND
    assert accepted.estimated_delivery_at - accepted.estimated_ready_at < 2 * MINUTE

    await run.start()
    await run.ready()
    await run.take(driver)
    await run.drive(driver, to=S.IN_TRANSIT)
    on_the_way = await run.status()
    left = on_the_way.estimated_delivery_at - await moment(room.env)
    assert timedelta() < left < MINUTE

    await run.handle.signal(OrderWorkflow.driver_near_door)
    near = await run.ask(OrderWorkflow.deliver, Delivery(by=by_driver(driver), driver_id=driver.id))
    assert near.estimated_delivery_at < on_the_way.estimated_delivery_at
    assert near.status is S.DELIVERED
