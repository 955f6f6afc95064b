"""Drivers are asked one after the other, and operators may choose for them."""

from datetime import timedelta

from sqlalchemy import select, update
from sqlmodel import col

from domain.order_status import Actor, OrderStatus
from schema.messages.dispatch import AssignmentStatus, DriverCommand, OperatorAssign
from schema.queries import orders
from schema.tables import AdminAction, Driver
from tests.workflows.room import Room, Run, by_driver
from workflows.order import OrderWorkflow

S, A = OrderStatus, AssignmentStatus


async def ready(room: Room) -> Run:
    run = await room.begin()
    await run.cook()
    return run


async def test_a_driver_who_declined_is_not_asked_again(room: Room) -> None:
    first, second = room.world.drivers
    run = await ready(room)
    await run.decline(first)
    assert (await run.offered()).driver_id == second.id

    await room.skip(timedelta(minutes=4))

    asked = [driver for driver, _ in await run.assignments()]
    assert asked.count(first.id) == 1
    # The other one only let it pass, so he is asked again after a while.
    assert asked.count(second.id) > 1


async def test_who_let_an_offer_pass_is_not_asked_again_for_a_while(room: Room) -> None:
    first, second = room.world.drivers
    run = await ready(room)
    await run.offered()

    await room.skip(room.settings.lasting("dispatch_ask_again") - timedelta(seconds=5))
    assert await run.assignments() == [(first.id, A.EXPIRED), (second.id, A.EXPIRED)]

    await room.skip(timedelta(minutes=1))
    assert (await run.assignments())[2][0] == first.id


async def test_the_circle_widens_to_drivers_further_away(room: Room) -> None:
    near, far = room.world.drivers
    async with room.database.write() as session:
        await session.execute(
            update(Driver).where(col(Driver.id) == near.id).values(is_available=False)
        )
        # Some twelve km away: beyond two, four, seven and ten, within fifteen.
        await session.execute(
            update(Driver)
            .where(col(Driver.id) == far.id)
            .values(current_latitude=room.world.kitchen.latitude + 0.108)
        )
    run = await ready(room)
    ring = room.settings.lasting("dispatch_widen")
    await room.skip(4 * ring - timedelta(seconds=5))
    assert await run.offer() is None

    await room.skip(timedelta(seconds=20))

    offer = await run.offered()
    assert offer.driver_id == far.id
    assert 10 < offer.distance_km < 15


async def test_a_driver_who_drops_out_is_replaced(room: Room) -> None:
    first, second = room.world.drivers
    run = await ready(room)
    await run.take(first)

    back = await run.ask(
        OrderWorkflow.drop_out,
        DriverCommand(by=by_driver(first), driver_id=first.id, reason="flat tyre"),
    )

    assert back.status is S.READY_FOR_PICKUP
    assert back.driver_id is None
    assert (await run.assignments())[0] == (first.id, A.CANCELLED)
    await run.deliver(second)
    assert (await run.handle.result()).driver_id == second.id


async def test_only_the_driver_who_has_the_order_may_move_it(room: Room) -> None:
    first, second = room.world.drivers
    run = await ready(room)
    await run.take(first)

    refusal = await run.refusal(
        OrderWorkflow.pick_up, DriverCommand(by=by_driver(second), driver_id=second.id)
    )

    assert refusal.type == "NotTheDriver"
    assert (await run.status()).status is S.ASSIGNED_TO_DRIVER


async def test_an_operators_choice_overrules_a_live_offer(room: Room) -> None:
    first, second = room.world.drivers
    run = await ready(room)
    offered = await run.answer(first)

    assigned = await run.ask(
        OrderWorkflow.operator_assign,
        OperatorAssign(by=run.admin, driver_id=second.id, reason="by phone"),
    )

    assert assigned.driver_id == second.id
    assert (await run.refusal(OrderWorkflow.accept_offer, offered, "late")).type == "OfferGone"
    assert await run.assignments() == [(first.id, A.CANCELLED), (second.id, A.ACCEPTED)]
    async with room.database.read() as session:
        action = await session.scalar(
            select(AdminAction).where(col(AdminAction.target_id) == run.placing.order.id)
        )
    assert action is not None
    assert (action.action_type, action.details["reason"]) == (
        "order_assigned_to_driver",
        "by phone",
    )
    await run.drive(second)
    assert (await run.handle.result()).status is S.DELIVERED


async def test_who_assigned_is_written_down(room: Room) -> None:
    run = await ready(room)
    await run.take(room.world.drivers[0])

    async with room.database.read() as session:
        steps = await orders.steps_after(session, run.placing.order.id, 5)

    assert steps[0].by.role is Actor.DISPATCH
    assert steps[0].by.id == room.world.drivers[0].user_id
