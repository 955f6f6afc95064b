"""Races have one answer each."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateStage
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from api.engine import Engine
from api.engine.door import Door
from domain.order_status import OrderStatus
from schema.messages.dispatch import DriverCommand, OfferAnswer, OperatorAssign
from schema.messages.order import ReadyIn, Terms
from schema.queries import order_views
from schema.tables import Order
from tests.workflows.room import Room, by_driver
from workflows.order import OrderWorkflow

S = OrderStatus


@pytest.mark.parametrize("chef_first", [True, False])
async def test_cancel_against_accept_one_wins_and_the_other_is_told_what_has_become(
    room: Room, chef_first: bool
) -> None:
    run = await room.begin()
    await run.pay()
    requests = [
        run.ask(OrderWorkflow.accept, ReadyIn(by=run.chef)),
        run.ask(OrderWorkflow.reject, run.command(run.chef)),
    ]
    if not chef_first:
        requests.reverse()

    answers = await asyncio.gather(*requests, return_exceptions=True)

    refused = [answer for answer in answers if isinstance(answer, WorkflowUpdateFailedError)]
    assert len(refused) == 1
    assert isinstance(refused[0].cause, ApplicationError)
    row = await run.row()
    assert refused[0].cause.details[0]["current"] == row.status
    assert len(await run.trace()) == 3
    if row.status is S.CANCELLED:
        await run.handle.result()
        assert run.given_back() == 2660
    else:
        assert row.status is S.ACCEPTED
        assert run.given_back() == 0


async def test_a_customer_may_cancel_what_the_chef_has_just_accepted(room: Room) -> None:
    run = await room.begin()
    await run.pay()

    answers = await asyncio.gather(
        run.accept(),
        run.ask(OrderWorkflow.cancel, run.command(run.customer)),
        return_exceptions=True,
    )

    # Accept first: both take effect. Cancel first: the accept is refused. The end is the same.
    assert (await run.handle.result()).status is S.CANCELLED
    assert sum(isinstance(answer, Exception) for answer in answers) == 4 - len(await run.trace())
    assert run.given_back() == 2660


async def test_a_payment_made_just_before_expiry_but_told_after_is_given_back(room: Room) -> None:
    run = await room.begin()
    await room.wallet.pay(run.placed.client_secret)

    # The webhook does not come, the deadline does.
    assert (await run.handle.result()).status is S.CANCELLED
    assert run.given_back() == 2660

    await run.tell_again(OrderWorkflow.payment_succeeded, run.payment_fact())
    assert (await run.handle.result()).status is S.CANCELLED
    assert run.given_back() == 2660
    assert (await run.trace()) == [S.PENDING, S.CANCELLED]


async def test_a_payment_that_comes_while_an_order_is_being_cancelled_is_given_back(
    room: Room,
) -> None:
    run = await room.begin()
    await room.wallet.pay(run.placed.client_secret)

    await asyncio.gather(
        run.ask(OrderWorkflow.cancel, run.command(run.customer)), run.hear_of_payment()
    )

    assert (await run.handle.result()).status is S.CANCELLED
    assert run.given_back() == 2660


async def test_only_the_driver_with_the_live_offer_can_accept(room: Room) -> None:
    first, second = room.world.drivers
    run = await room.begin()
    await run.cook()
    offered = await run.answer(first)
    borrowed = OfferAnswer(by=by_driver(second), offer_id=offered.offer_id, driver_id=second.id)

    refusal = await run.refusal(OrderWorkflow.accept_offer, borrowed, "borrowed")
    assert refusal.type == "OfferGone"
    assert (await run.ask(OrderWorkflow.accept_offer, offered)).driver_id == first.id


async def test_an_offer_that_has_passed_on_cannot_be_accepted_any_more(room: Room) -> None:
    first, second = room.world.drivers
    run = await room.begin()
    await run.cook()
    too_late = await run.answer(first)
    await room.skip(room.offer_lasts + timedelta(seconds=5))
    await run.offered(second)

    results = await asyncio.gather(
        run.refusal(OrderWorkflow.accept_offer, too_late, "too late"), run.take(second)
    )

    assert results[0].type == "OfferGone"
    assert (await run.row()).driver_id == second.id


async def test_the_same_command_twice_gets_the_same_answer_and_has_one_effect(room: Room) -> None:
    run = await room.begin()
    await run.pay()

    once, twice = await asyncio.gather(
        run.accept(ready_in_minutes=10), run.accept(ready_in_minutes=40)
    )
    again = await run.accept(ready_in_minutes=99)

    assert once == twice == again
    assert (await run.trace()).count(S.ACCEPTED) == 1


async def test_the_same_fact_twice_has_one_effect(room: Room) -> None:
    run = await room.begin()
    await run.pay()
    await run.hear_of_payment()
    await run.hear_of_payment()

    assert (await run.catch_up()).status is S.PAYMENT_CONFIRMED
    assert (await run.trace()) == [S.PENDING, S.PAYMENT_CONFIRMED]


async def test_a_command_to_an_order_that_has_ended_finds_nobody(room: Room) -> None:
    driver = room.world.drivers[0]
    run = await room.begin()
    await run.cook()
    await run.deliver(driver)
    await run.handle.result()

    with pytest.raises(RPCError) as closed:
        await run.ask(OrderWorkflow.cancel, run.command(run.customer))
    assert closed.value.status is RPCStatusCode.NOT_FOUND


async def test_a_command_that_comes_while_the_order_ends_is_answered(room: Room) -> None:
    driver = room.world.drivers[0]
    run = await room.begin()
    await run.cook()
    await run.take(driver)
    await run.drive(driver, to=S.IN_TRANSIT)
    word = DriverCommand(by=by_driver(driver), driver_id=driver.id)

    answers = await asyncio.gather(
        run.ask(OrderWorkflow.deliver, word),
        run.ask(OrderWorkflow.cancel, run.command(run.customer)),
        run.ask(OrderWorkflow.in_transit, word, "once more"),
        return_exceptions=True,
    )

    assert (await run.handle.result()).status is S.DELIVERED
    assert not isinstance(answers[0], BaseException)
    # Refused while it lived, or not found once it had ended: never lost without an answer.
    assert all(isinstance(a, WorkflowUpdateFailedError | RPCError) for a in answers[1:])


async def test_a_request_that_once_lost_a_race_is_asked_anew_when_it_makes_sense_again(
    room: Room,
) -> None:
    driver = room.world.drivers[0]
    # Short tasks: the server hands on what comes while one is waiting for the database.
    run = await room.begin(task_timeout=timedelta(seconds=1))
    await run.cook()
    await run.take(driver)
    word = DriverCommand(by=by_driver(driver), driver_id=driver.id)
    engine, order_id = (
        Engine(Door(room.client, timedelta(seconds=30)), Terms()),
        run.placing.order.id,
    )

    # Both are let in while the order is still assigned; the first gives it back.
    accepted = WorkflowUpdateStage.ACCEPTED
    async with room.database.write() as session:
        await session.execute(select(Order).where(col(Order.id) == order_id).with_for_update())
        back = await run.handle.start_update(
            OrderWorkflow.drop_out, word, id="drop_out", wait_for_stage=accepted
        )
        picked = await run.handle.start_update(
            OrderWorkflow.pick_up, word, id="pick_up", wait_for_stage=accepted
        )
    await back.result()
    with pytest.raises(WorkflowUpdateFailedError):
        await picked.result()

    await run.ask(OrderWorkflow.operator_assign, OperatorAssign(by=run.admin, driver_id=driver.id))
    async with room.database.read() as session:
        order = await order_views.access(session, order_id)
    assert order is not None
    for _ in range(2):
        answer = await engine.orders.ask(order, OrderWorkflow.pick_up, word, key="pick_up")
        assert answer.status is S.PICKED_UP
    assert (await run.trace()).count(S.PICKED_UP) == 1
