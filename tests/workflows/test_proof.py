"""What proves a delivery is seen by the facade; the workflow takes none for granted."""

from uuid import UUID

import pytest

from domain.order_status import OrderStatus
from domain.proof import ProofKind
from schema.messages.dispatch import Delivery
from schema.messages.order import OrderStart, Placing
from schema.queries import orders, proofs
from tests.workflows.room import Room, Run, by_driver
from workflows.options import ORDERS_QUEUE
from workflows.order import OrderWorkflow

S = OrderStatus


def asking_for(placing: Placing, kind: ProofKind) -> Placing:
    order = placing.order.model_copy(update={"proof_kind": kind})
    return placing.model_copy(update={"order": order})


async def at_the_door(room: Room, kind: ProofKind) -> Run:
    driver = room.world.drivers[0]
    run = await room.begin(placing=asking_for(room.world.placing(), kind))
    await run.cook()
    await run.take(driver)
    await run.drive(driver, to=S.IN_TRANSIT)
    return run


def delivery(run: Run, **proof: str) -> Delivery:
    driver = run.room.world.drivers[0]
    return Delivery(by=by_driver(driver), driver_id=driver.id, proof=proof or None)


@pytest.mark.parametrize("kind", [ProofKind.CODE, ProofKind.PHOTO])
async def test_an_order_that_asks_for_proof_is_not_delivered_without(
    room: Room, kind: ProofKind
) -> None:
    run = await at_the_door(room, kind)

    for proof in ({}, {"note": "at the door"}):
        refused = await run.refusal(OrderWorkflow.deliver, delivery(run, **proof))
        assert refused.type == "ProofRequired"
    assert (await run.row()).status is S.IN_TRANSIT

    # The same update as the one that was refused: a refusal that changed nothing is not kept.
    await run.ask(OrderWorkflow.deliver, delivery(run, kind=kind, note="at the door"))
    assert (await run.handle.result()).status is S.DELIVERED
    assert (await run.row()).proof == {"kind": kind, "note": "at the door"}
    await room.replay()


async def test_an_order_that_is_taken_up_again_still_asks_for_its_proof(room: Room) -> None:
    run = await at_the_door(room, ProofKind.PHOTO)
    await run.handle.terminate("by mistake")
    run.handle = await room.client.start_workflow(
        OrderWorkflow.run,
        OrderStart(order_id=run.placing.order.id),
        id=run.handle.id,
        task_queue=ORDERS_QUEUE,
    )
    await run.catch_up()

    assert (await run.refusal(OrderWorkflow.deliver, delivery(run))).type == "ProofRequired"
    await run.ask(OrderWorkflow.deliver, delivery(run, kind="photo"))
    assert (await run.handle.result()).status is S.DELIVERED


async def test_a_code_is_made_once_however_often_the_order_is_written(room: Room) -> None:
    placing = asking_for(room.world.placing(), ProofKind.CODE)

    async def written(order_id: UUID) -> tuple[ProofKind, str | None]:
        async with room.database.write() as session:
            begun = await orders.begin(session, placing)
            assert "delivery_code" not in begun.model_dump()
        async with room.database.read() as session:
            return await proofs.wanted(session, order_id)

    first = await written(placing.order.id)

    assert first[0] is ProofKind.CODE
    assert all([await written(placing.order.id) == first for _ in range(3)])


async def test_no_code_is_made_where_none_is_asked_for(room: Room) -> None:
    run = await room.begin()

    row = await run.row()

    assert (row.proof_kind, row.delivery_code) == (ProofKind.NONE, None)
