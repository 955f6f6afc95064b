"""Complaints and refunds: who decides, what Stripe does, what the order and the books say of it."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.ledger import Account, Bearer
from domain.order_status import Actor, OrderStatus
from domain.refunds import RefundKind, RequestStatus
from local.people import until
from schema.messages.money import DisputeClosed, DisputeOpened, RefundSettled
from schema.messages.refund import RefundStart, RefundTerms
from schema.queries import orders
from schema.tables import AdminAction
from tests.books import booked_events, books
from tests.workflows.disputes import disputed
from tests.workflows.refunds import Asked, ask
from tests.workflows.room import REPLAYED, Room, Run
from workflows.options import PAYOUTS_QUEUE
from workflows.order import OrderWorkflow
from workflows.refund import RefundWorkflow

pytestmark = pytest.mark.parametrize("room", [REPLAYED], indirect=True)

S, R = OrderStatus, RequestStatus
DAY = timedelta(days=1)


async def delivered(room: Room, card: str = "pm_card_visa") -> Run:
    run = await room.begin()
    await run.pay(card)
    await run.accept()
    await run.start()
    await run.ready()
    await run.deliver(room.world.drivers[0])
    await run.handle.result()
    return run


async def is_written(run: Run, refunded_cents: int) -> bool:
    return (await run.payment()).refunded_cents == refunded_cents


def objection(raised: pytest.ExceptionInfo[WorkflowUpdateFailedError]) -> str | None:
    assert isinstance(raised.value.cause, ApplicationError)
    return raised.value.cause.type


async def test_a_small_complaint_is_granted_at_once_and_the_chef_bears_it(room: Room) -> None:
    run = await delivered(room)

    asked = await ask(run, terms=RefundTerms(), one_item=True)
    view = await asked.result()

    assert (view.status, view.granted_cents) == (R.REFUNDED, 1080)
    assert run.given_back() == 1080
    await until(lambda: is_written(run, 1080))
    assert (await run.row()).status is S.DELIVERED
    assert await books(room.database, run.placing.order.id) == {
        Account.STRIPE_CLEARING: 1580,
        Account.TAX_PAYABLE: -80,
        Account.PLATFORM_REVENUE: -399,
        f"chef:{room.world.chef.id}": -601,
        f"driver:{room.world.drivers[0].id}": -500,
    }
    told = await run.told(room.world.customer)
    assert "You get $10.80 back" in told[-2]
    assert "on their way to your card" in told[-1]


async def test_a_complaint_that_waits_disputes_the_order_and_ops_is_reminded_daily(
    room: Room,
) -> None:
    run = await delivered(room)
    at_the_door = (await run.row()).delivered_at

    asked = await ask(run)
    await run.becomes(S.DISPUTED)
    await room.skip(3 * DAY + timedelta(hours=1))

    told = [words for words in await run.told(room.world.admin) if "complaint" in words]
    assert len([words for words in told if "still waits" in words]) == 3
    assert run.given_back() == 0

    await asked.decide(grant=False)
    assert (await asked.result()).status is R.REJECTED
    await run.becomes(S.DELIVERED)
    assert (await run.trace())[-3:] == [S.DELIVERED, S.DISPUTED, S.DELIVERED]
    assert (await run.row()).delivered_at == at_the_door
    assert "We have looked." in (await run.told(room.world.customer))[-1]
    assert run.given_back() == 0
    async with room.database.read() as session:
        actions = await session.scalars(
            select(col(AdminAction.action_type)).where(
                col(AdminAction.target_id) == asked.ask.id,
            )
        )
        assert list(actions) == ["complaint_rejected"]


async def test_a_complaint_granted_in_full_refunds_the_order(room: Room) -> None:
    run = await delivered(room)
    asked = await ask(run, bearer=Bearer.DRIVER)
    await run.becomes(S.DISPUTED)

    await asked.decide(grant=True)

    assert (await asked.result()).status is R.REFUNDED
    await run.becomes(S.REFUNDED)
    assert run.given_back() == 2660
    assert await books(room.database, run.placing.order.id) == {
        Account.REFUND_LOSSES: 2000,
        Account.PLATFORM_REVENUE: -399,
        f"chef:{room.world.chef.id}": -1601,
    }


async def test_a_complaint_granted_in_part_leaves_the_order_delivered(room: Room) -> None:
    run = await delivered(room)
    asked = await ask(run)
    await run.becomes(S.DISPUTED)

    first = await asked.decide(grant=True, amount_cents=266, bearer=Bearer.PLATFORM)
    assert await asked.decide(grant=True, amount_cents=266, bearer=Bearer.PLATFORM) is not first
    with pytest.raises(WorkflowUpdateFailedError) as otherwise:
        await asked.decide(grant=False)

    assert objection(otherwise) == "already_decided"
    assert (await asked.result()).granted_cents == 266
    await run.becomes(S.DELIVERED)
    assert run.given_back() == 266
    booked = await books(room.database, run.placing.order.id)
    assert (booked[Account.REFUND_LOSSES], booked[Account.TAX_PAYABLE]) == (250, -144)


async def test_a_complaint_after_a_day_is_too_late_and_nothing_is_written(room: Room) -> None:
    run = await delivered(room)
    await room.skip(DAY + timedelta(hours=1))

    with pytest.raises(WorkflowUpdateFailedError) as late:
        await ask(run)

    assert objection(late) == "complaint_too_late"
    assert (await run.row()).status is S.DELIVERED
    assert run.given_back() == 0


async def test_requests_at_once_never_come_to_more_than_was_paid(room: Room) -> None:
    run = await delivered(room)

    answers = await asyncio.gather(
        *(ask(run, RefundKind.ADMIN, amount_cents=1000) for _ in range(5)), return_exceptions=True
    )

    made = [asked for asked in answers if isinstance(asked, Asked)]
    refused = [error for error in answers if isinstance(error, WorkflowUpdateFailedError)]
    assert (len(made), len(refused)) == (2, 3)
    for asked in made:
        assert (await asked.result()).status is R.REFUNDED
    rest = await ask(run, RefundKind.ADMIN, bearer=Bearer.PLATFORM)
    assert (await rest.result()).granted_cents == 660
    await run.becomes(S.REFUNDED)
    assert run.given_back() == 2660
    booked = await books(room.database, run.placing.order.id)
    assert Account.STRIPE_CLEARING not in booked
    assert Account.TAX_PAYABLE not in booked
    assert sum(booked.values()) == 0


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "server_error", "rate_limit"])
async def test_a_refund_whose_answer_was_lost_is_made_once(room: Room, kind: str) -> None:
    run = await delivered(room)

    async with room.stripe_fault("POST /v1/refunds", kind, times=4):
        asked = await ask(run, RefundKind.ADMIN, amount_cents=500)
        assert (await asked.result()).status is R.REFUNDED

    assert run.given_back() == 500
    assert (await booked_events(room.database, run.placing.order.id)).count("refund") == 1


async def test_what_stripe_refuses_is_asked_for_again_every_day(room: Room) -> None:
    run = await delivered(room)

    async with room.stripe_fault("POST /v1/refunds", "refused", times=3):
        asked = await ask(run, RefundKind.ADMIN, amount_cents=500)
        await room.skip(3 * DAY + timedelta(hours=1))
        assert (await asked.result()).status is R.REFUNDED

    assert run.given_back() == 500
    told = [words for words in await run.told(room.world.admin) if "does not refund" in words]
    assert len(told) == 3


async def test_what_stripe_refuses_for_a_month_has_failed_and_may_be_asked_anew(
    room: Room,
) -> None:
    run = await delivered(room)

    async with room.stripe_fault("POST /v1/refunds", "refused", times=100):
        asked = await ask(run, RefundKind.ADMIN)
        await room.skip(31 * DAY)
        assert (await asked.result()).status is R.FAILED

    assert run.given_back() == 0
    again = await ask(run, RefundKind.ADMIN)
    assert (await again.result()).status is R.REFUNDED
    assert run.given_back() == 2660


async def test_a_refund_that_the_bank_sends_back_has_failed_and_is_booked_back(
    room: Room,
) -> None:
    run = await delivered(room, "pm_card_refundFail")
    asked = await ask(run, RefundKind.ADMIN, bearer=Bearer.CHEF)
    refund_id = (await asked.result()).stripe_refund_id
    assert refund_id is not None
    await run.becomes(S.REFUNDED)

    await room.stripe_control(f"refunds/{refund_id}/settle", {"outcome": "failed"})
    await run.tell_again(OrderWorkflow.refund_settled, RefundSettled(refund_id=refund_id))
    await run.handle.result()

    again = await ask(run, RefundKind.ADMIN, amount_cents=100)
    await again.result()
    events = await booked_events(room.database, run.placing.order.id)
    assert events[-3:] == ["refund", "refund_failed", "refund"]
    assert "did not reach your card" in " ".join(await run.told(room.world.customer))
    assert "did not reach the customer" in " ".join(await run.told(room.world.admin))


async def test_a_refund_that_is_pending_is_looked_at_until_it_is_there(room: Room) -> None:
    run = await delivered(room, "pm_card_pendingRefund")
    asked = await ask(run, RefundKind.ADMIN, amount_cents=500)

    async def is_made() -> str | None:
        return (await asked.view()).stripe_refund_id

    refund_id = await until(is_made)
    await room.stripe_control(f"refunds/{refund_id}/settle", {"outcome": "succeeded"})
    await room.skip(DAY + timedelta(hours=1))

    assert (await asked.result()).status is R.REFUNDED
    assert run.given_back() == 500


async def test_a_complaint_and_a_dispute_let_the_order_go_only_together(room: Room) -> None:
    run = await delivered(room)
    asked = await ask(run)
    await run.becomes(S.DISPUTED)
    dispute = DisputeOpened(dispute_id="dp_both", amount_cents=2660, reason="fraudulent")
    await run.tell_again(OrderWorkflow.dispute_opened, dispute)

    await asked.decide(grant=False)
    await asked.result()
    run.handle = room.client.get_workflow_handle_for(OrderWorkflow.run, run.handle.id)
    assert (await run.status()).status is S.DISPUTED

    await run.handle.signal(
        OrderWorkflow.dispute_closed, DisputeClosed(dispute_id="dp_both", won=True)
    )
    assert (await run.handle.result()).status is S.DELIVERED


async def test_a_taken_up_order_stays_disputed_while_the_bank_holds_its_money(room: Room) -> None:
    run = await delivered(room)
    asked = await ask(run)
    await run.becomes(S.DISPUTED)
    dispute = await disputed(run)
    await dispute.hear()
    await dispute.is_known()
    await room.client.get_workflow_handle(run.handle.id).terminate()

    await asked.decide(grant=False)
    await asked.result()
    await dispute.decide("won")
    await dispute.handle.result()

    await run.becomes(S.DELIVERED)
    async with room.database.read() as session:
        *_, last = await orders.steps_after(session, run.placing.order.id, 0)
    # Not by the end of the complaint, while the bank might still keep the money.
    assert (last.was, last.by.role) == (S.DISPUTED, Actor.STRIPE)


async def test_a_dispute_that_is_won_waits_for_the_complaint(room: Room) -> None:
    run = await delivered(room)
    asked = await ask(run)
    await run.becomes(S.DISPUTED)
    run.handle = room.client.get_workflow_handle_for(OrderWorkflow.run, run.handle.id)
    for signal, fact in (
        (
            OrderWorkflow.dispute_opened,
            DisputeOpened(dispute_id="dp_won", amount_cents=2660, reason="fraudulent"),
        ),
        (OrderWorkflow.dispute_closed, DisputeClosed(dispute_id="dp_won", won=True)),
    ):
        await run.handle.signal(signal, fact)  # type: ignore[arg-type]
    assert (await run.status()).status is S.DISPUTED

    await asked.decide(grant=False)

    assert (await run.handle.result()).status is S.DELIVERED


async def test_nothing_is_granted_of_an_order_that_a_dispute_has_refunded(room: Room) -> None:
    run = await delivered(room)
    asked = await ask(run)
    await run.becomes(S.DISPUTED)
    await run.tell_again(
        OrderWorkflow.dispute_closed, DisputeClosed(dispute_id="dp_lost", won=False)
    )
    await run.becomes(S.REFUNDED)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await asked.decide(grant=True)
    assert objection(refused) == "not_refundable"

    assert (await asked.decide(grant=False)).status is R.REJECTED
    await asked.result()
    assert (await run.row()).status is S.REFUNDED
    assert run.given_back() == 0


async def test_a_request_whose_run_was_terminated_is_taken_up_from_its_row(room: Room) -> None:
    run = await delivered(room)
    asked = await ask(run)
    await run.becomes(S.DISPUTED)
    await asked.handle.terminate()

    asked.handle = await room.client.start_workflow(
        RefundWorkflow.run,
        RefundStart(request_id=asked.ask.id),
        id=asked.handle.id,
        task_queue=PAYOUTS_QUEUE,
    )
    await asked.decide(grant=True, amount_cents=100)

    assert (await asked.result()).status is R.REFUNDED
    assert run.given_back() == 100
    await run.becomes(S.DELIVERED)
