"""The facade heals an order whose database is ahead of its workflow."""

from collections.abc import Mapping
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import col
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateStage

from domain.order_status import Actor, OrderStatus
from local.cast import Cast
from schema.database import Database
from schema.messages.dispatch import DriverCommand
from schema.messages.order import Changes, Transition, Who
from schema.queries import orders
from schema.tables import Order
from schema.tables.columns import now
from workflows.connection import connect
from workflows.order import OrderWorkflow

S = OrderStatus


async def test_a_command_after_a_lost_task_goes_through(play: Cast) -> None:
    order = await play.bring(S.PAYMENT_CONFIRMED)
    # A workflow task committed the chef's accept and was lost; the chef has seen it and goes on.
    await lose(play.database, order["id"], S.ACCEPTED, play.world.chef.user_id)

    answer = await play.chef_says(order, "preparing")

    assert answer["status"] == S.PREPARING
    assert await play.history(order) == ["pending", "payment_confirmed", "accepted", "preparing"]


async def lose(database: Database, order_id: str, to: S, user_id: UUID) -> None:
    async with database.write() as session:
        order = await orders.load(session, UUID(order_id))
        assert order is not None
        await orders.record(
            session,
            Transition(
                order_id=order.id,
                sequence=order.sequence + 1,
                was=order.status,
                to=to,
                by=Who(role=Actor.CHEF, id=user_id),
                at=now(),
                changes=Changes(estimated_ready_at=now()),
            ),
        )


async def test_a_request_that_once_lost_a_race_is_asked_anew_when_it_makes_sense_again(
    play: Cast, environment: Mapping[str, str]
) -> None:
    order = await play.bring(S.ASSIGNED_TO_DRIVER)
    driver, key = play.world.drivers[0], str(play.world.drivers[0].user_id)
    client = await connect(environment)
    run = client.get_workflow_handle_for(OrderWorkflow.run, f"order-{order['id']}")
    word = DriverCommand(by=Who(role=Actor.DRIVER, id=driver.user_id), driver_id=driver.id)

    # Both are let in while the order is still assigned; the first gives it back.
    async with play.database.write() as session:
        await session.execute(
            select(Order).where(col(Order.id) == UUID(order["id"])).with_for_update()
        )
        accepted = WorkflowUpdateStage.ACCEPTED
        back = await run.start_update(
            OrderWorkflow.drop_out, word, id="drop_out:race", wait_for_stage=accepted
        )
        picked = await run.start_update(
            OrderWorkflow.pick_up, word, id=f"pick_up:{key}", wait_for_stage=accepted
        )
    await back.result()
    with pytest.raises(WorkflowUpdateFailedError):
        await picked.result()

    await play.admin.post(f"/admin/orders/{order['id']}/assign", driverId=str(driver.id))
    for _ in range(2):
        answer = await play.driver_says(0, order, "picked_up")
        assert answer["status"] == S.PICKED_UP
    assert (await play.history(order)).count("picked_up") == 1
