"""An order cancelled at each stage: the exact refund at Stripe, and what is owed to whom."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col
from temporalio.client import WorkflowFailureError

from domain.cancellation import Fault
from domain.ledger import Account, payee_of
from domain.order_status import OrderStatus
from local.people import until
from schema.messages.money import PaymentStatus, RefundSettled, RefundStatus
from schema.messages.order import OperatorCancel
from schema.tables import Refund
from tests.books import books
from tests.workflows.room import Room, Run
from workflows.order import OrderWorkflow

S, F = OrderStatus, Fault
TIP = 300


async def bring(room: Room, to: OrderStatus) -> Run:
    """An order with a tip, brought as far as `to`."""
    driver = room.world.drivers[0]
    run = await room.begin(placing=room.world.placing(tip_cents=TIP))
    steps = {
        S.PAYMENT_CONFIRMED: run.pay,
        S.ACCEPTED: run.accept,
        S.PREPARING: run.start,
        S.READY_FOR_PICKUP: run.ready,
        S.ASSIGNED_TO_DRIVER: lambda: run.take(driver),
        S.PICKED_UP: lambda: run.drive(driver, to=S.PICKED_UP),
    }
    for status, step in steps.items():
        if run.placed.status is to:
            break
        await step()
        if status is to:
            break
    return run


@pytest.mark.parametrize(
    ("status", "refund", "chef"),
    [
        (S.PENDING, 0, 0),
        (S.PAYMENT_CONFIRMED, 2960, 0),
        (S.ACCEPTED, 2960, 0),
        (S.PREPARING, 2960 - 2160, 1601),
    ],
)
async def test_the_customer_cancels(room: Room, status: S, refund: int, chef: int) -> None:
    run = await bring(room, status)

    answer = await run.ask(OrderWorkflow.cancel, run.command(run.customer, "changed my mind"))

    assert answer.status is S.CANCELLED
    assert answer.refund_cents == refund
    await ends_refunded(run, refund, chef, driver=0)


@pytest.mark.parametrize("status", [S.PAYMENT_CONFIRMED, S.ACCEPTED, S.PREPARING])
async def test_the_chef_cancels(room: Room, status: S) -> None:
    run = await bring(room, status)

    await run.ask(OrderWorkflow.cancel, run.command(run.chef, "the oven broke"))

    await ends_refunded(run, 2960, chef=0, driver=0)


@pytest.mark.parametrize(
    ("status", "fault", "refund", "chef", "driver"),
    [
        (S.ACCEPTED, F.PLATFORM, 2960, 0, 0),
        (S.PREPARING, F.PLATFORM, 2960, 1601, 0),
        (S.PREPARING, F.CHEF, 2960, 0, 0),
        (S.READY_FOR_PICKUP, F.PLATFORM, 2960, 1601, 0),
        (S.ASSIGNED_TO_DRIVER, F.PLATFORM, 2960, 1601, 0),
        (S.PICKED_UP, F.CUSTOMER, 300, 1601, 500),
        (S.PICKED_UP, F.DRIVER, 2960, 1601, 0),
        (S.PICKED_UP, F.PLATFORM, 2960, 1601, 500),
    ],
)
async def test_an_operator_cancels(
    room: Room, status: S, fault: F, refund: int, chef: int, driver: int
) -> None:
    run = await bring(room, status)

    await run.ask(
        OrderWorkflow.operator_cancel, OperatorCancel(by=run.admin, reason="why", fault=fault)
    )

    await ends_refunded(run, refund, chef, driver)


@pytest.mark.parametrize("status", [S.READY_FOR_PICKUP, S.ASSIGNED_TO_DRIVER, S.PICKED_UP])
async def test_the_customer_cannot_cancel_what_is_cooked_or_on_its_way(
    room: Room, status: S
) -> None:
    run = await bring(room, status)

    refusal = await run.refusal(OrderWorkflow.cancel, run.command(run.customer))

    assert refusal.type == "IllegalTransition"
    assert refusal.details[0]["current"] == status
    assert refusal.details[0]["allowed"] == []
    assert (await run.status()).status is status
    assert run.given_back() == 0


async def test_a_run_that_is_cancelled_in_the_ui_gives_the_money_back(room: Room) -> None:
    run = await bring(room, S.ACCEPTED)

    await run.handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await run.handle.result()

    assert (await run.row()).cancel_reason == "stopped_by_operations"
    await money_is_back(run, 2960)


async def test_a_run_cancelled_in_the_ui_while_stripe_is_away_gives_the_money_back_later(
    room: Room,
) -> None:
    run = await bring(room, S.PAYMENT_CONFIRMED)
    async with room.stripe_fault("* /v1/*", "drop_before", times=1000):
        await run.ask(OrderWorkflow.reject, run.command(run.chef))
        await run.handle.cancel()
        await until(lambda: cancel_was_heard(run))

    with pytest.raises(WorkflowFailureError):
        await run.handle.result()
    await money_is_back(run, 2960)


async def cancel_was_heard(run: Run) -> bool:
    """Whether the settlement that was under way has been given up."""
    history = await run.handle.fetch_history()
    return any(
        event.HasField("activity_task_cancel_requested_event_attributes")
        for event in history.events
    )


@pytest.mark.parametrize("kind", ["server_error", "drop_after", "rate_limit"])
async def test_a_refund_that_goes_wrong_for_a_while_is_made_once(room: Room, kind: str) -> None:
    run = await bring(room, S.PAYMENT_CONFIRMED)

    async with room.stripe_fault("POST /v1/refunds", kind, times=7):
        await run.ask(OrderWorkflow.reject, run.command(run.chef))
        assert (await run.handle.result()).status is S.CANCELLED

    assert [r.amount for r in room.stripe.v1.refunds.list({"payment_intent": run.intent_id})] == [
        2960
    ]


async def test_a_refund_that_was_made_unheard_while_stripe_is_broken_is_not_made_again(
    room: Room,
) -> None:
    run = await bring(room, S.PREPARING)

    async with (
        room.stripe_fault("POST /v1/refunds", "drop_after"),
        room.stripe_fault("GET /v1/payment_intents", "server_error", times=4),
        room.stripe_fault("GET /v1/refunds", "server_error", times=4),
    ):
        await run.ask(OrderWorkflow.cancel, run.command(run.customer))
        assert (await run.handle.result()).status is S.CANCELLED

    refunds = room.stripe.v1.refunds.list({"payment_intent": run.intent_id})
    assert [refund.amount for refund in refunds] == [800]


async def test_a_refund_that_stripe_refuses_is_asked_for_again_every_day(room: Room) -> None:
    run = await bring(room, S.PAYMENT_CONFIRMED)
    async with room.stripe_fault("POST /v1/refunds", "refused", times=2):
        await run.ask(OrderWorkflow.reject, run.command(run.chef))
        await until(lambda: ops_has_heard(run))
        assert "Stripe refuses the refund" in (await run.status()).waiting_for
        await room.skip(timedelta(hours=25))
        assert run.given_back() == 0

        await room.skip(timedelta(hours=25))

    assert (await run.handle.result()).status is S.CANCELLED
    assert run.given_back() == 2960


async def ops_has_heard(run: Run) -> bool:
    return await run.told(run.room.world.admin) != []


async def test_a_payment_that_stripe_could_not_open_at_first_is_opened(room: Room) -> None:
    async with room.stripe_fault("POST /v1/payment_intents", "server_error", times=3):
        run = await room.begin()
    await run.pay()
    assert (await run.status()).status is S.PAYMENT_CONFIRMED


async def test_a_refund_that_fails_alarms_ops(room: Room) -> None:
    run = await room.begin()
    await run.pay("pm_card_refundFail")
    await run.ask(OrderWorkflow.reject, run.command(run.chef))
    await run.handle.result()

    refund = run.room.stripe.v1.refunds.list({"payment_intent": run.intent_id}).data[0]
    await room.stripe_control(f"refunds/{refund.id}/settle", {"outcome": "failed"})
    await run.tell_again(OrderWorkflow.refund_settled, RefundSettled(refund_id=refund.id))
    await run.handle.result()

    assert "failed: $26.60" in (await run.told(room.world.admin))[0]


async def ends_refunded(run: Run, refund: int, chef: int, driver: int) -> None:
    assert (await run.handle.result()).status is S.CANCELLED
    row = await run.row()
    assert (row.chef_earning_cents, row.driver_earning_cents) == (chef, driver)
    await money_is_back(run, refund)
    booked = await books(run.room.database, run.placing.order.id)
    assert sum(booked.values()) == 0
    assert booked.get(Account.CUSTOMER_DEPOSITS, 0) == 0
    assert booked.get(Account.STRIPE_CLEARING, 0) == (await run.payment()).captured_cents - refund
    assert -sum(cents for code, cents in booked.items() if payee_of(code)) == chef + driver


async def money_is_back(run: Run, refund: int) -> None:
    """At Stripe and in our books alike."""
    assert run.given_back() == refund
    payment = await run.payment()
    async with run.room.database.read() as session:
        refunds = await session.scalars(
            select(Refund).where(col(Refund.order_id) == run.placing.order.id)
        )
    assert payment.refunded_cents == refund
    paid = payment.captured_cents > 0
    assert payment.status is (PaymentStatus.CAPTURED if paid else PaymentStatus.RELEASED)
    assert [(r.amount_cents, r.status) for r in refunds] == (
        [(refund, RefundStatus.SUCCEEDED)] if refund else []
    )
