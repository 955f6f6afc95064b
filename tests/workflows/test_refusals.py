"""What cannot be done is refused, and the order goes on from where it stood."""

from uuid import uuid4

import pytest
from temporalio.client import (
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError

from domain.order_status import OrderStatus
from domain.pricing import Rates, price
from domain.promo import DiscountType
from schema.messages.dispatch import Delivery
from schema.messages.order import ChangeTip, OrderStart, Placing
from schema.queries import orders, promos
from schema.tables import PromoCode
from tests.workflows.room import Room, by_driver
from workflows.options import ORDERS_QUEUE
from workflows.order import OrderWorkflow

S = OrderStatus


async def test_an_order_for_what_does_not_exist_is_refused_and_leaves_nothing(room: Room) -> None:
    placing = room.world.placing()
    nobodys = placing.order.model_copy(update={"customer_id": uuid4()})
    start = WithStartWorkflowOperation(
        OrderWorkflow.run,
        OrderStart(order_id=nobodys.id, placing=placing.model_copy(update={"order": nobodys})),
        id=f"order-{nobodys.id}",
        task_queue=ORDERS_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )

    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await room.client.execute_update_with_start_workflow(
            OrderWorkflow.place, id="place", start_workflow_operation=start
        )

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "Unplaceable"
    handle = await start.workflow_handle()
    with pytest.raises(WorkflowFailureError):
        await handle.result()


async def test_an_order_whose_code_was_used_up_meanwhile_is_refused_and_leaves_nothing(
    room: Room,
) -> None:
    code = f"LAST-{uuid4().hex.upper()}"
    async with room.database.write() as session:
        await promos.create(
            session,
            PromoCode(
                code=code,
                discount_type=DiscountType.FIXED,
                discount_value=500,
                currency="usd",
                max_uses=1,
            ),
        )
    bill = price([(1000, 2)], Rates(), 2.0, discount_cents=500)

    def with_code(placing: Placing) -> Placing:
        order = placing.order.model_copy(update={"promo_code": code, "price": bill})
        return placing.model_copy(update={"order": order})

    first = await room.begin(placing=with_code(room.world.placing()))
    late = with_code(room.world.placing())
    start = WithStartWorkflowOperation(
        OrderWorkflow.run,
        OrderStart(order_id=late.order.id, placing=late),
        id=f"order-{late.order.id}",
        task_queue=ORDERS_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )

    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await room.client.execute_update_with_start_workflow(
            OrderWorkflow.place, id="place", start_workflow_operation=start
        )

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "promo_used_up"
    with pytest.raises(WorkflowFailureError):
        await (await start.workflow_handle()).result()
    async with room.database.read() as session:
        assert await orders.load(session, late.order.id) is None
    row = await first.row()
    assert (row.promo_code, row.discount_cents, row.total_cents) == (code, 500, 2160)
    assert first.intent().amount == 2160


async def test_words_that_cannot_be_stored_are_refused_and_others_are_taken(room: Room) -> None:
    driver = room.world.drivers[0]
    run = await room.begin()
    await run.cook()
    await run.take(driver)
    await run.drive(driver, to=S.IN_TRANSIT)
    by = by_driver(driver)

    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await run.ask(
            OrderWorkflow.deliver, Delivery(by=by, driver_id=driver.id, proof={"note": "\x00"})
        )
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "Unstorable"

    await run.ask(
        OrderWorkflow.deliver,
        Delivery(by=by, driver_id=driver.id, proof={"note": "at the door"}),
        key="once more",
    )
    assert (await run.handle.result()).status is S.DELIVERED


async def test_a_tip_changed_without_end_leaves_room_for_the_updates_that_bring_the_order_home(
    room: Room,
) -> None:
    run = await room.begin()
    changes = 20
    for cents in range(1, changes + 1):
        ask = ChangeTip(by=run.customer, tip_cents=cents)
        await run.ask(OrderWorkflow.change_tip, ask, f"tip-{cents}")

    again = ChangeTip(by=run.customer, tip_cents=changes + 1)
    assert (await run.refusal(OrderWorkflow.change_tip, again, "once more")).type == "TipLocked"

    await run.cook()
    await run.deliver(room.world.drivers[0])
    assert (await run.payment()).captured_cents == 2660 + changes
