"""Facts that Stripe, phones and banks tell, also to an order whose workflow has ended."""

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.order_status import Actor, OrderStatus
from local.people import until
from schema.messages.dispatch import Delivery
from schema.messages.money import (
    DisputeClosed,
    DisputeOpened,
    PaymentSucceeded,
    RefundSettled,
)
from schema.messages.order import ChangeTip
from tests.workflows.room import Room, Run, by_driver
from workflows.order import OrderWorkflow

S = OrderStatus
DISPUTE = DisputeOpened(dispute_id="dp_1", amount_cents=2660, reason="product_not_received")


async def delivered(room: Room) -> Run:
    run = await room.begin()
    await run.cook()
    await run.deliver(room.world.drivers[0])
    await run.handle.result()
    return run


async def test_a_driver_near_the_door_is_told_to_the_customer_once(room: Room) -> None:
    driver = room.world.drivers[0]
    run = await room.begin()
    await run.cook()
    await run.take(driver)
    await run.handle.signal(OrderWorkflow.driver_near_door)
    assert (await run.row()).near_door_at is None

    await run.drive(driver, to=S.IN_TRANSIT)
    await run.handle.signal(OrderWorkflow.driver_near_door)
    await run.handle.signal(OrderWorkflow.driver_near_door)
    word = Delivery(by=by_driver(driver), driver_id=driver.id, proof={"note": "at the door"})
    await run.ask(OrderWorkflow.deliver, word)
    # It ends when all that it was told has been dealt with.
    await run.handle.result()

    told = [words for words in await run.told(room.world.customer) if "almost" in words]
    assert len(told) == 1
    assert (await run.row()).near_door_at is not None


async def test_a_payment_of_too_little_confirms_nothing_and_alarms_ops(room: Room) -> None:
    run = await room.begin()

    await run.handle.signal(
        OrderWorkflow.payment_succeeded,
        PaymentSucceeded(payment_intent_id=run.intent_id, amount_cents=2659, captured=True),
    )

    async def alarm() -> list[str]:
        return await run.told(room.world.admin)

    assert "not for what it costs" in (await until(alarm))[0]
    assert (await run.status()).status is S.PENDING


async def test_a_won_dispute_leaves_the_order_delivered(room: Room) -> None:
    run = await delivered(room)

    await run.tell_again(OrderWorkflow.dispute_opened, DISPUTE)
    await run.knows(S.DISPUTED)
    await run.handle.signal(
        OrderWorkflow.dispute_closed, DisputeClosed(dispute_id="dp_1", won=True)
    )

    assert (await run.handle.result()).status is S.DELIVERED
    assert (await run.trace())[-2:] == [S.DISPUTED, S.DELIVERED]


async def test_a_lost_dispute_refunds_the_order(room: Room) -> None:
    run = await delivered(room)

    await run.tell_again(OrderWorkflow.dispute_opened, DISPUTE)
    await run.handle.signal(
        OrderWorkflow.dispute_closed, DisputeClosed(dispute_id="dp_1", won=False)
    )

    assert (await run.handle.result()).status is S.REFUNDED


async def test_an_order_given_back_in_full_in_stripes_dashboard_is_refunded(room: Room) -> None:
    run = await delivered(room)
    refund = room.stripe.v1.refunds.create({"payment_intent": run.intent_id})

    await run.tell_again(OrderWorkflow.refund_settled, RefundSettled(refund_id=refund.id))

    assert (await run.handle.result()).status is S.REFUNDED
    row = await run.row()
    assert row.status is S.REFUNDED
    assert (await run.told(room.world.customer))[-1] == "Your order has been refunded."


async def test_a_part_given_back_in_the_dashboard_is_written_down_and_nothing_else(
    room: Room,
) -> None:
    run = await delivered(room)
    refund = room.stripe.v1.refunds.create({"payment_intent": run.intent_id, "amount": 500})

    await run.tell_again(OrderWorkflow.refund_settled, RefundSettled(refund_id=refund.id))

    assert (await run.handle.result()).status is S.DELIVERED
    assert (await run.payment()).refunded_cents == 500


async def test_a_fact_that_is_no_news_changes_nothing(room: Room) -> None:
    run = await delivered(room)
    before = await run.row()

    await run.tell_again(OrderWorkflow.payment_succeeded, run.payment_fact())

    assert (await run.handle.result()).status is S.DELIVERED
    assert await run.row() == before
    assert (await run.row()).cancelled_by is not Actor.STRIPE


async def test_an_inquiry_is_told_to_ops_and_disputes_nothing(room: Room) -> None:
    run = await delivered(room)

    await run.tell_again(OrderWorkflow.dispute_opened, DISPUTE.model_copy(update={"inquiry": True}))

    assert (await run.handle.result()).status is S.DELIVERED
    assert "asks about the payment" in (await run.told(room.world.admin))[-1]


async def test_a_dispute_of_an_order_that_was_cancelled_is_told_to_ops(room: Room) -> None:
    run = await room.begin()
    await run.pay()
    await run.accept()
    await run.start()
    await run.ask(OrderWorkflow.cancel, run.command(run.customer))
    await run.handle.result()

    await run.tell_again(OrderWorkflow.dispute_opened, DISPUTE)

    assert (await run.handle.result()).status is S.CANCELLED
    assert "asks about the payment" in (await run.told(room.world.admin))[-1]
    assert run.given_back() == 500


async def test_a_dispute_lost_before_it_was_heard_of_refunds_the_order(room: Room) -> None:
    run = await delivered(room)

    await run.tell_again(OrderWorkflow.dispute_closed, DisputeClosed(dispute_id="dp_1", won=False))

    assert (await run.handle.result()).status is S.REFUNDED
    assert (await run.trace())[-3:] == [S.DELIVERED, S.DISPUTED, S.REFUNDED]


async def test_an_order_that_is_taken_up_again_is_not_placed_again(room: Room) -> None:
    run = await delivered(room)
    await run.tell_again(OrderWorkflow.dispute_opened, DISPUTE)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await run.handle.execute_update(OrderWorkflow.place, id="place")

    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == "PlacedBefore"
    won = DisputeClosed(dispute_id="dp_1", won=True)
    await run.handle.signal(OrderWorkflow.dispute_closed, won)
    assert (await run.handle.result()).status is S.DELIVERED


async def test_a_tip_that_stripe_took_without_our_hearing_of_it_is_the_orders(room: Room) -> None:
    run = await room.begin()
    async with room.stripe_fault("POST /v1/payment_intents", "drop_after", times=1000):
        with pytest.raises(WorkflowUpdateFailedError):
            await run.ask(
                OrderWorkflow.change_tip, ChangeTip(by=run.customer, tip_cents=500), "tip"
            )
    assert (await run.row()).tip_cents == 0

    await run.pay()

    row, payment = await run.row(), await run.payment()
    assert (row.tip_cents, row.total_cents, payment.captured_cents) == (500, 3160, 3160)
    assert await run.told(room.world.admin) == []


async def test_a_payment_of_too_much_is_taken_and_alarms_ops(room: Room) -> None:
    run = await room.begin()

    await run.handle.signal(
        OrderWorkflow.payment_succeeded,
        PaymentSucceeded(payment_intent_id=run.intent_id, amount_cents=3000, captured=True),
    )

    await run.knows(S.PAYMENT_CONFIRMED)
    assert "not for what it costs" in (await run.told(room.world.admin))[0]
