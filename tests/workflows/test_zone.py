"""Orders and the zones that find drivers for them: whatever is lost on either side, nothing is."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlmodel import col
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError

from domain.order_status import OrderStatus
from local.world import Somebody
from schema.messages.dispatch import (
    AssignmentStatus,
    DriverCommand,
    DriverNews,
    Offer,
    OperatorAssign,
    ZoneOrder,
    ZoneStart,
)
from schema.tables import AdminAction, DispatchSearch, Driver
from tests.workflows.room import REPLAYED, Room, Run, by_driver
from worker import zoning
from workflows.options import DISPATCH_QUEUE
from workflows.order import OrderWorkflow
from workflows.zone import ZoneDispatchWorkflow

pytestmark = pytest.mark.parametrize("room", [REPLAYED, 0], indirect=True, ids=["cached", "not"])

S, A, W = OrderStatus, AssignmentStatus, OrderWorkflow


async def cooking(room: Room, ready_in_minutes: int = 2) -> Run:
    """An order that will be ready soon, so that drivers are asked for it already."""
    run = await room.begin()
    await run.pay()
    await run.accept(ready_in_minutes=ready_in_minutes)
    await run.start()
    return run


async def lost(room: Room, driver: Somebody) -> None:
    """Let it be long since a driver was seen."""
    async with room.database.write() as session:
        await session.execute(
            update(Driver)
            .where(col(Driver.id) == driver.id)
            .values(located_at=datetime.now(UTC) - timedelta(minutes=6))
        )


async def asked(run: Run) -> tuple[Somebody, Somebody]:
    """Who is offered an order, and the other driver: while it cooks both would be in time."""
    one, other = run.room.world.drivers
    offer = await run.offered()
    return (one, other) if offer.driver_id == one.id else (other, one)


async def skip_to_an_offer(run: Run) -> None:
    """Let time pass until somebody is asked, and not so much that he has let it pass."""
    for _ in range(120):
        if await run.offer() is not None:
            return
        await run.room.skip(timedelta(seconds=5))
    raise AssertionError("nobody is asked")


async def look_again(run: Run) -> None:
    """Have the zone look at an order again."""
    await run.room.zone(run.placing).signal(
        ZoneDispatchWorkflow.join, ZoneOrder(order_id=run.placing.order.id)
    )


async def together(room: Room) -> tuple[Run, Run, Offer]:
    """Two orders of a kitchen, ready, and offered to its only driver together."""
    await room.off_duty(*room.world.drivers[1:])
    # Until both wait, nobody is there to take the first one alone.
    await room.off_duty(room.world.drivers[0])
    one, other = await room.begin(), await room.begin()
    await one.cook()
    await other.cook()
    await room.on_duty(room.world.drivers[0])
    await look_again(one)
    offer = await one.offered()
    assert (await other.offered()).id == offer.id
    return one, other, offer


async def test_a_driver_may_say_yes_while_the_food_is_cooking_and_has_it_when_it_is_ready(
    room: Room,
) -> None:
    run = await cooking(room)
    driver, _ = await asked(run)

    taken = await run.take(driver)
    assert (taken.status, taken.driver_id) == (S.PREPARING, driver.id)
    assert (await run.row()).driver_id == driver.id

    await run.ready()
    await run.knows(S.ASSIGNED_TO_DRIVER)
    assert [status for _, status in await run.assignments()] == [A.ACCEPTED]
    await run.drive(driver)
    assert (await run.handle.result()).driver_id == driver.id


async def test_a_driver_who_drops_out_while_the_food_is_cooking_is_replaced(room: Room) -> None:
    run = await cooking(room)
    first, second = await asked(run)
    await run.take(first)

    back = await run.ask(
        W.drop_out, DriverCommand(by=by_driver(first), driver_id=first.id, reason="flat tyre")
    )

    assert (back.status, back.driver_id) == (S.PREPARING, None)
    assert (await run.row()).driver_id is None
    await run.take(second)
    await run.ready()
    await run.knows(S.ASSIGNED_TO_DRIVER)
    assert await run.assignments() == [(first.id, A.CANCELLED), (second.id, A.ACCEPTED)]


async def test_a_driver_is_free_again_when_what_he_waits_for_is_cancelled(room: Room) -> None:
    run = await cooking(room)
    driver, other = await asked(run)
    await room.off_duty(other)
    await run.take(driver)

    await run.ask(W.cancel, run.command(run.chef))

    assert await run.assignments() == [(driver.id, A.CANCELLED)]
    await run.handle.result()
    another = await cooking(room)
    await another.offered(driver)


async def test_an_early_yes_is_known_to_a_run_that_is_taken_up_again(room: Room) -> None:
    run = await cooking(room)
    driver, other = await asked(run)
    await room.off_duty(other)
    await run.take(driver)
    await run.handle.terminate("lost for good")

    await run.tell_again(W.driver_near_door)
    await run.catch_up()
    await run.ready()

    await run.knows(S.ASSIGNED_TO_DRIVER)
    assert (await run.status()).driver_id == driver.id


async def test_a_zone_that_is_gone_is_there_again_for_the_orders_that_wait(room: Room) -> None:
    await room.off_duty()
    run = await room.begin()
    await run.cook()
    await room.skip(timedelta(seconds=5))
    # Not terminated: after that the time-skipping server stands still.
    await room.zone(run.placing).cancel()
    with pytest.raises(WorkflowFailureError):
        await room.zone(run.placing).result()
    await room.on_duty(room.world.drivers[0])

    await skip_to_an_offer(run)

    await run.deliver(room.world.drivers[0])
    assert (await run.handle.result()).status is S.DELIVERED


async def test_a_zone_that_looks_is_not_told_again_of_an_order_that_waits(room: Room) -> None:
    await room.off_duty()
    run = await room.begin()
    await run.cook()

    await room.skip(timedelta(minutes=10))

    events = (await room.zone(run.placing).fetch_history()).events
    told = [e for e in events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED]
    assert len(told) == 2, "when cooking began, and when the food was ready"


async def test_an_order_that_joins_twice_is_offered_once(room: Room) -> None:
    run = await room.begin()
    await run.cook()
    await run.offered()

    for _ in range(3):
        await look_again(run)
    await room.skip(timedelta(seconds=10))

    assert len(await run.assignments()) == 1
    standing = await room.zone(run.placing).query(ZoneDispatchWorkflow.standing)
    assert (standing.waiting, standing.offered) == (0, 1)


async def test_a_zone_keeps_its_orders_when_its_history_begins_anew(room: Room) -> None:
    await room.off_duty()
    placing = room.world.placing()
    zone = zoning(room.settings).zones_of(placing.order.kitchen)[0]
    begun = await room.client.start_workflow(
        ZoneDispatchWorkflow.run,
        ZoneStart(zone=zone, most_ticks=2),
        id=f"dispatch-{zone}",
        task_queue=DISPATCH_QUEUE,
    )
    run = await room.begin(placing=placing)
    await run.cook()

    await room.skip(timedelta(minutes=3))

    latest = await room.zone(run.placing).describe()
    assert latest.run_id != begun.result_run_id
    standing = await room.zone(run.placing).query(ZoneDispatchWorkflow.standing)
    assert standing.waiting == 1
    await room.on_duty(room.world.drivers[0])
    await room.skip(timedelta(minutes=2))
    await run.offered()


async def test_a_zone_without_orders_sleeps(room: Room) -> None:
    run = await room.begin()
    await run.cook()
    await run.deliver(room.world.drivers[0])
    await run.handle.result()
    await room.skip(timedelta(minutes=5))
    zone = room.zone(run.placing)
    before = (await zone.fetch_history()).events

    await room.skip(timedelta(hours=3))

    after = (await zone.fetch_history()).events
    assert len(after) == len(before)
    timers = [EventType.Name(event.event_type) for event in after if "TIMER" in str(event)]
    assert timers.count("EVENT_TYPE_TIMER_STARTED") == timers.count(
        "EVENT_TYPE_TIMER_FIRED"
    ) + timers.count("EVENT_TYPE_TIMER_CANCELED")


async def test_a_look_costs_eleven_events(room: Room) -> None:
    await room.off_duty()
    run = await room.begin()
    await run.cook()
    await room.skip(timedelta(seconds=5))
    zone, tick = room.zone(run.placing), room.settings.lasting("dispatch_tick")
    before = len((await zone.fetch_history()).events)

    await room.skip(tick)

    # A timer, an activity, and a task of the workflow for either.
    assert len((await zone.fetch_history()).events) - before == 11


async def test_two_orders_are_taken_by_one_yes_and_delivered_each_by_itself(room: Room) -> None:
    driver = room.world.drivers[0]
    one, other, _ = await together(room)

    await one.take(driver)
    # What the facade does next.
    await other.handle.signal(W.driver_found, DriverNews(driver_id=driver.id))

    await other.knows(S.ASSIGNED_TO_DRIVER)
    for run in (one, other):
        await run.drive(driver)
        assert (await run.handle.result()).driver_id == driver.id


async def test_an_order_that_never_hears_of_its_driver_is_told_by_its_zone(room: Room) -> None:
    one, other, _ = await together(room)

    await one.take(room.world.drivers[0])
    await room.skip(timedelta(minutes=1, seconds=30))

    await other.knows(S.ASSIGNED_TO_DRIVER)


async def test_of_two_orders_taken_together_one_may_be_cancelled(room: Room) -> None:
    driver = room.world.drivers[0]
    one, other, _ = await together(room)
    await one.take(driver)
    await other.handle.signal(W.driver_found, DriverNews(driver_id=driver.id))
    await other.knows(S.ASSIGNED_TO_DRIVER)

    await one.ask(W.operator_cancel, one.command(one.admin))

    # Before any time passes, in which the driver would be out of sight.
    await other.drive(driver)
    await one.handle.result()
    assert (await other.handle.result()).driver_id == driver.id


async def test_an_operators_choice_overrules_an_offer_of_two_orders(room: Room) -> None:
    first, second = room.world.drivers
    one, other, offer = await together(room)
    answer = await one.answer(first)

    chosen = OperatorAssign(by=one.admin, driver_id=second.id, reason="by phone")
    assert (await one.ask(W.operator_assign, chosen)).driver_id == second.id

    assert (await other.refusal(W.accept_offer, answer, "late")).type == "OfferGone"
    assert await other.assignments() == [(first.id, A.WITHDRAWN)]
    await look_again(other)
    again = await other.offered(first)
    assert again.id != offer.id


async def test_an_operator_may_choose_a_driver_and_think_again_while_the_food_is_cooking(
    room: Room,
) -> None:
    first, second = room.world.drivers
    run = await cooking(room, ready_in_minutes=40)

    chosen = OperatorAssign(by=run.admin, driver_id=second.id, reason="knows the way")
    assert (await run.ask(W.operator_assign, chosen)).driver_id == second.id
    back = await run.ask(W.operator_unassign, run.command(run.admin, "he does not"))
    assert (back.status, back.driver_id) == (S.PREPARING, None)
    await run.ready()

    # He who was taken off the order is not asked for it.
    await run.take(first)
    async with room.database.read() as session:
        actions = await session.scalars(
            select(AdminAction)
            .where(col(AdminAction.target_id) == run.placing.order.id)
            .order_by(col(AdminAction.created_at))
        )
        noted = [(action.action_type, action.details["reason"]) for action in actions]
    assert noted == [
        ("order_assigned_early", "knows the way"),
        ("order_unassigned_early", "he does not"),
    ]


async def test_an_operator_takes_an_order_from_a_driver_who_has_not_picked_it_up(
    room: Room,
) -> None:
    first, second = room.world.drivers
    run = await room.begin()
    await run.cook()
    await run.take(first)

    back = await run.ask(W.operator_unassign, run.command(run.admin, "no answer by phone"))

    assert (back.status, back.driver_id) == (S.READY_FOR_PICKUP, None)
    await run.take(second)
    await run.drive(second, to=S.PICKED_UP)
    refusal = await run.refusal(W.operator_unassign, run.command(run.admin), "too late")
    assert refusal.type == "IllegalTransition"


@pytest.mark.parametrize("early", [True, False], ids=["cooking", "ready"])
async def test_an_order_whose_driver_goes_dark_before_pickup_is_offered_to_another(
    room: Room, early: bool
) -> None:
    run = await cooking(room, ready_in_minutes=3 if early else 1)
    if not early:
        await run.ready()
    first, second = await asked(run)
    await run.take(first)
    await lost(room, first)

    await skip_to_an_offer(run)

    assert (await run.assignments())[0] == (first.id, A.CANCELLED)
    if early:
        await run.ready()
    await run.take(second)
    assert (await run.status()).driver_id == second.id


async def test_a_driver_who_waits_for_food_that_is_very_late_is_still_watched(room: Room) -> None:
    run = await cooking(room)
    first, second = await asked(run)
    await run.take(first)
    # By then it should long have been at the door.
    await room.skip(timedelta(hours=2))
    await run.ready()
    await run.knows(S.ASSIGNED_TO_DRIVER)
    await lost(room, first)

    await skip_to_an_offer(run)

    assert (await run.offered()).driver_id == second.id
    assert (await run.assignments())[0] == (first.id, A.CANCELLED)


async def test_a_driver_who_was_seen_lately_keeps_his_order(room: Room) -> None:
    driver = room.world.drivers[0]
    run = await room.begin()
    await run.cook()
    await run.take(driver)

    await room.skip(timedelta(minutes=10))

    assert (await run.status()).driver_id == driver.id
    assert (await run.status()).status is S.ASSIGNED_TO_DRIVER


async def test_an_order_that_nobody_takes_gets_a_bonus_once_the_widest_circle_is_through(
    room: Room,
) -> None:
    await room.off_duty()
    run = await room.begin()
    await run.cook()
    through = len(room.settings.dispatch_radii_km) * room.settings.lasting("dispatch_widen")

    await room.skip(through - timedelta(seconds=5))
    assert await bonus(room, run) == 0
    await room.skip(timedelta(minutes=1))

    assert await bonus(room, run) == room.settings.dispatch_bonus_cents


async def test_an_order_that_an_operator_keeps_back_is_not_given_up(room: Room) -> None:
    await room.off_duty()
    run = await room.begin()
    await run.cook()
    await hold(room, run, until=(await run.row()).created_at + timedelta(minutes=35))

    await room.skip(timedelta(minutes=33))
    assert (await run.status()).status is S.READY_FOR_PICKUP
    assert (await run.handle.result()).status is S.CANCELLED

    row = await run.row()
    assert row.cancelled_at is not None
    assert row.prepared_at is not None
    waited = row.cancelled_at - row.prepared_at
    assert timedelta(minutes=60) <= waited <= timedelta(minutes=70)


async def hold(room: Room, run: Run, until: datetime) -> None:
    async with room.database.write() as session:
        await session.execute(
            update(DispatchSearch)
            .where(col(DispatchSearch.order_id) == run.placing.order.id)
            .values(held_until=until)
        )


async def bonus(room: Room, run: Run) -> int:
    async with room.database.read() as session:
        search = await session.get(DispatchSearch, run.placing.order.id)
    assert search is not None
    return search.bonus_cents
