"""CAPTURE_METHOD=manual: authorised when paid, captured when the chef accepts, else let go."""

from datetime import timedelta

from domain.order_status import Actor, OrderStatus
from schema.messages.money import PaymentFailed
from schema.messages.order import CaptureMethod, ReadyIn, Terms
from tests.workflows.room import Room, Run
from workflows.order import OrderWorkflow

S = OrderStatus
MANUAL = Terms(capture_method=CaptureMethod.MANUAL)


async def authorised(room: Room) -> Run:
    run = await room.begin(MANUAL)
    await run.pay()
    assert run.intent().status == "requires_capture"
    return run


async def test_the_card_is_charged_when_the_chef_accepts(room: Room) -> None:
    run = await authorised(room)

    answer = await run.accept()

    assert answer.status is S.ACCEPTED
    assert run.intent().amount_received == 2660


async def test_a_rejected_order_lets_the_authorisation_go(room: Room) -> None:
    run = await authorised(room)

    answer = await run.ask(OrderWorkflow.reject, run.command(run.chef))

    assert answer.refund_cents == 0
    await run.handle.result()
    assert run.intent().status == "canceled"
    assert run.intent().amount_received == 0


async def test_a_silent_chef_lets_the_authorisation_go(room: Room) -> None:
    run = await authorised(room)

    await run.handle.result()

    assert run.intent().status == "canceled"


async def test_cooked_and_cancelled_keeps_the_food_of_what_was_captured(room: Room) -> None:
    run = await authorised(room)
    await run.accept()
    await run.start()

    await run.ask(OrderWorkflow.cancel, run.command(run.customer))

    await run.handle.result()
    assert run.given_back() == 500


async def test_an_accept_that_cannot_be_charged_cancels_the_order(room: Room) -> None:
    run = await authorised(room)
    await room.stripe_control(f"authorizations/{run.intent_id}/expire", {})

    refusal = await run.refusal(OrderWorkflow.accept, ReadyIn(by=run.chef))

    assert refusal.type == "PaymentNotCaptured"
    assert (await run.handle.result()).status is S.CANCELLED
    row = await run.row()
    assert (row.cancelled_by, row.cancel_reason) == (Actor.STRIPE, "payment_not_captured")


async def test_an_authorisation_that_dies_ends_the_order(room: Room) -> None:
    run = await authorised(room)
    await room.stripe_control(f"authorizations/{run.intent_id}/expire", {})

    await run.handle.signal(
        OrderWorkflow.payment_failed,
        PaymentFailed(
            event_id="evt_1", payment_intent_id=run.intent_id, reason="expired", final=True
        ),
    )

    assert (await run.handle.result()).status is S.CANCELLED
    assert "expired" in ((await run.row()).cancel_reason or "")


async def test_an_unpaid_order_expires_as_ever(room: Room) -> None:
    run = await room.begin(MANUAL)

    await room.skip(timedelta(minutes=16))

    assert (await run.row()).status is S.CANCELLED
    assert run.intent().status == "canceled"
