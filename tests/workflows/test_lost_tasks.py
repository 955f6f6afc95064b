"""A workflow task that dies after its commit leaves the database one step ahead of the history.

With it dies the update that caused the step, if the server dies too: nobody will send it again. The
workflow then adopts the step as soon as it wants to write the next one, or is asked to catch up.
"""

from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.client import (
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy

from domain.order_status import Actor, OrderStatus
from local.world import Somebody
from schema.messages.order import Changes, OrderStart, ReadyIn, Terms, Transition, Who
from schema.queries import drivers, orders
from tests.workflows.room import Room, Run, by_driver, moment
from workflows.options import ORDERS_QUEUE
from workflows.order import OrderWorkflow

S = OrderStatus


async def lose(run: Run, to: OrderStatus, by: Who, **changes: object) -> None:
    """Commit a step as a workflow task would that is lost before it could be completed."""
    row = await run.row()
    step = Transition(
        order_id=row.id,
        sequence=row.sequence + 1,
        was=row.status,
        to=to,
        by=by,
        at=await moment(run.room.env),
        changes=Changes.model_validate(changes),
    )
    async with run.room.database.write() as session:
        await orders.record(session, step)


async def test_a_deadline_yields_to_an_answer_that_was_committed_in_time(room: Room) -> None:
    run = await room.begin()
    await run.pay()
    ready = await moment(room.env) + timedelta(minutes=20)
    await lose(run, S.ACCEPTED, run.chef, estimated_ready_at=ready)

    await room.skip(Terms().chef_response + timedelta(seconds=5))

    status = await run.status()
    assert status.status is S.ACCEPTED
    assert status.estimated_ready_at == ready
    assert (await run.row()).status is S.ACCEPTED
    assert run.given_back() == 0


async def test_the_same_command_again_finds_itself_done(room: Room) -> None:
    run = await room.begin()
    await run.pay()
    await lose(run, S.ACCEPTED, run.chef)

    answer = await run.accept()

    assert answer.status is S.ACCEPTED
    assert (await run.trace()).count(S.ACCEPTED) == 1


async def test_another_command_is_judged_by_where_the_order_really_is(room: Room) -> None:
    run = await room.begin()
    await run.pay()
    await lose(run, S.ACCEPTED, run.chef)
    await lose(run, S.PREPARING, run.chef)

    # Legal for the workflow, which knows of neither: it would be a full refund.
    answer = await run.ask(OrderWorkflow.cancel, run.command(run.customer))

    assert answer.status is S.CANCELLED
    assert answer.refund_cents == 500
    assert (await run.handle.result()).status is S.CANCELLED
    assert run.given_back() == 500
    assert await run.trace() == [
        S.PENDING,
        S.PAYMENT_CONFIRMED,
        S.ACCEPTED,
        S.PREPARING,
        S.CANCELLED,
    ]


async def test_a_command_that_is_no_longer_legal_is_refused_with_the_real_state(
    room: Room,
) -> None:
    run = await room.begin()
    await run.pay()
    await lose(run, S.CANCELLED, run.customer, kept_cents=0)

    refusal = await run.refusal(OrderWorkflow.accept, ReadyIn(by=run.chef))

    assert refusal.type == "IllegalTransition"
    assert refusal.details[0]["current"] == S.CANCELLED
    assert (await run.handle.result()).status is S.CANCELLED
    assert run.given_back() == 2660


async def test_the_next_command_goes_through_once_the_workflow_has_caught_up(room: Room) -> None:
    run = await room.begin()
    await run.pay()
    await lose(run, S.ACCEPTED, run.chef)
    refusal = await run.refusal(OrderWorkflow.start, ReadyIn(by=run.chef))
    row = await run.row()
    # What the facade does when it sees that the database is ahead of whoever refused.
    assert refusal.details[0]["sequence"] < row.sequence

    await run.catch_up()

    assert (await run.start()).status is S.PREPARING


async def test_an_expiring_offer_yields_to_an_acceptance_that_was_committed(room: Room) -> None:
    driver = room.world.drivers[0]
    run = await room.begin()
    await run.cook()
    offer = await run.offered()
    row = await run.row()
    step = Transition(
        order_id=row.id,
        sequence=row.sequence + 1,
        was=row.status,
        to=S.ASSIGNED_TO_DRIVER,
        by=Who(role=Actor.DISPATCH, id=driver.user_id),
        at=await moment(room.env),
        offer_id=offer.id,
        changes=Changes(driver_id=driver.id),
    )
    async with room.database.write() as session:
        await orders.record(session, step)

    await room.skip(Terms().dispatch_rejoin + timedelta(seconds=5))

    assert (await run.status()).status is S.ASSIGNED_TO_DRIVER
    await run.drive(driver)
    assert (await run.handle.result()).status is S.DELIVERED


async def test_an_order_whose_run_was_terminated_is_taken_up_where_its_row_stands(
    room: Room,
) -> None:
    driver = room.world.drivers[0]
    run = await room.begin()
    await run.cook()
    await run.handle.terminate("lost for good")

    await run.tell_again(OrderWorkflow.driver_near_door)
    await run.catch_up()
    await run.take(driver)
    await run.drive(driver)

    assert (await run.handle.result()).status is S.DELIVERED
    assert (await run.trace())[-1] is S.DELIVERED


async def test_a_step_is_never_written_over_a_row_that_somebody_else_has_changed(
    room: Room,
) -> None:
    run = await room.begin()
    row = await run.row()
    step = Transition(
        order_id=row.id,
        sequence=row.sequence + 1,
        was=S.ACCEPTED,
        to=S.PREPARING,
        by=by_driver(room.world.drivers[0]),
        at=await moment(room.env),
    )

    async with room.database.write() as session:
        with pytest.raises(orders.OutOfStep):
            await orders.record(session, step)


async def test_an_order_whose_cancellation_was_lost_is_refunded_once_it_is_overdue(
    room: Room,
) -> None:
    run = await room.begin()
    await run.pay()
    await run.accept()
    await run.start()
    await lose(run, S.CANCELLED, run.customer, kept_cents=2160)

    await room.skip(timedelta(hours=2))

    assert (await run.handle.result()).status is S.CANCELLED
    assert run.given_back() == 500
    assert await run.told(room.world.admin) == [], "it was not late, it was cancelled"


async def test_an_order_whose_readiness_was_lost_after_the_alarm_finds_a_driver(
    room: Room,
) -> None:
    run = await room.begin()
    await run.pay()
    await run.accept(ready_in_minutes=10)
    await run.start()
    await room.skip(timedelta(minutes=15))
    assert "has not finished" in (await run.told(room.world.admin))[0]
    await lose(run, S.READY_FOR_PICKUP, run.chef)

    await room.skip(timedelta(hours=1))

    assert await run.assignments() != []


async def test_a_run_that_is_cancelled_in_the_ui_after_a_lost_cancellation_gives_the_money_back(
    room: Room,
) -> None:
    run = await room.begin()
    await run.pay()
    await lose(run, S.CANCELLED, run.customer, kept_cents=0)

    await run.handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await run.handle.result()

    assert run.given_back() == 2660
    assert await run.trace() == [S.PENDING, S.PAYMENT_CONFIRMED, S.CANCELLED]


async def test_a_run_for_an_order_that_is_nowhere_says_so_and_ends(room: Room) -> None:
    nowhere = uuid4()
    start = WithStartWorkflowOperation(
        OrderWorkflow.run,
        OrderStart(order_id=nowhere),
        id=f"order-{nowhere}",
        task_queue=ORDERS_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )

    with pytest.raises(WorkflowUpdateFailedError):
        await room.client.execute_update_with_start_workflow(
            OrderWorkflow.catch_up, id="catch-up", start_workflow_operation=start
        )

    handle = await start.workflow_handle()
    with pytest.raises(WorkflowFailureError):
        await handle.result()


async def test_a_search_ends_soon_when_an_assignment_by_hand_was_lost(room: Room) -> None:
    driver = room.world.drivers[0]
    run = await room.begin()
    for other in room.world.drivers:
        await off_duty(room, other)
    await run.cook()
    await lose(run, S.ASSIGNED_TO_DRIVER, run.admin, driver_id=driver.id)

    await room.skip(timedelta(minutes=2))

    assert (await run.status()).status is S.ASSIGNED_TO_DRIVER
    await run.drive(driver)
    assert (await run.handle.result()).status is S.DELIVERED


async def off_duty(room: Room, driver: Somebody) -> None:
    async with room.database.write() as session:
        await drivers.go_off_duty(session, driver.id)
