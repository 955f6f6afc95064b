"""A run finds what was done to either side behind the other's back, and sets right what it can."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, text, update
from sqlmodel import col
from temporalio import activity, client, worker

from domain import ledger as rules
from domain.ledger import Account, Event
from domain.order_status import OrderStatus
from domain.reconciliation import CaseKind, CaseStatus
from local.people import until
from schema.queries import bookings, ledger, reconciliation_cases
from schema.tables import Notification, Order
from settings import Settings
from tests.books import booked_events, books
from tests.reconciling import (
    NO_PATIENCE,
    Bureau,
    bureau_at,
    cases,
    digest,
    figures,
    kinds,
)
from tests.workflows.room import Run
from workflows.order import OrderWorkflow

S = OrderStatus
OPEN, RESOLVED, CLOSED = CaseStatus.OPEN, CaseStatus.RESOLVED, CaseStatus.CLOSED

# 2.9 % and 30 cents of the golden order's 2660.
FEE = 107
DISPUTE_FEE = 1500


class Forgetful(client.Interceptor, worker.Interceptor):
    """Has each step of reconciliation done, and its first answer lost, as by a worker that dies
    between commit and answer.
    """

    def __init__(self) -> None:
        self.forgotten: set[str] = set()

    def intercept_activity(
        self,
        next: worker.ActivityInboundInterceptor,  # noqa: A002 - the SDK's name
    ) -> worker.ActivityInboundInterceptor:
        forgotten = self.forgotten

        class Forgetting(worker.ActivityInboundInterceptor):
            async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:  # noqa: A002
                answer = await self.next.execute_activity(input)
                kind = activity.info().activity_type
                if kind in STEPS and kind not in forgotten:
                    forgotten.add(kind)
                    raise ConnectionError("the answer was lost")
                return answer

        return Forgetting(next)


STEPS = {
    "begin_reconciliation",
    "read_transactions",
    "match_transactions",
    "untold_orders",
    "tell_order",
    "note_order_told",
    "finish_reconciliation",
    "take_refunds_up",
}
FORGETFUL = Forgetful()


@pytest.fixture
async def bureau(
    request: pytest.FixtureRequest,
    environment: Mapping[str, str],
    settings: Settings,
    tmp_path: Path,
) -> AsyncIterator[Bureau]:
    """One of which no workflow is cached, so that every task replays the whole history."""
    interceptors = getattr(request, "param", [])
    async with bureau_at(
        environment["DATABASE_URL"],
        settings,
        tmp_path,
        cached_workflows=0,
        interceptors=interceptors,
    ) as equipped:
        yield equipped


async def delivered(bureau: Bureau) -> Run:
    run = await bureau.room.begin()
    await run.cook()
    await run.deliver(bureau.room.world.drivers[0])
    await run.handle.result()
    return run


async def told_ops(bureau: Bureau) -> list[str]:
    async with bureau.database.read() as session:
        found = await session.scalars(
            select(col(Notification.message))
            .where(col(Notification.related_order_id).is_(None))
            .order_by(col(Notification.id))
        )
        return list(found)


async def book(bureau: Bureau, *movements: rules.Movement) -> None:
    async with bureau.database.write() as session:
        for movement in movements:
            assert await ledger.book(session, movement)


async def test_an_order_is_matched_its_fee_booked_and_a_second_run_changes_nothing(
    bureau: Bureau,
) -> None:
    run = await delivered(bureau)

    first = await bureau.reconcile()
    before = await digest(bureau.database)
    second = await bureau.reconcile()

    assert (first.seen, first.matched, first.opened) == (1, 1, 0)
    assert first.balances[0].fees_cents == FEE
    assert figures(first) == figures(second) == (2660 - FEE, 2660 - FEE, 0)
    assert (await books(bureau.database, run.placing.order.id))[Account.STRIPE_FEES] == FEE
    assert (second.seen, second.matched, second.balances[0].fees_cents) == (1, 0, 0)
    assert await digest(bureau.database) == before
    assert await told_ops(bureau) == []


async def test_a_charge_made_outside_is_a_case_and_accepted_it_is_on_the_books(
    bureau: Bureau,
) -> None:
    bureau.api.paid(2000)

    found = await bureau.reconcile()
    again = await bureau.reconcile()

    (case,) = await cases(bureau.database)
    assert (case.kind, case.status, case.amount_cents) == (
        CaseKind.CHARGE_WITHOUT_ORDER,
        OPEN,
        2000,
    )
    assert (found.opened, found.open_cases, again.opened, again.open_cases) == (1, 1, 0, 1)
    # What nothing is booked for explains the difference, so that the whole is no case.
    assert figures(found) == (0, 1912, -1912)
    assert await told_ops(bureau) == ["Our books and Stripe do not agree: charge without order 1."]

    async with bureau.database.write() as session:
        await reconciliation_cases.close(
            session,
            case.id,
            by=bureau.room.world.admin.user_id,
            reason="the caterer's invoice",
            accept=True,
        )
    last = await bureau.reconcile()

    assert figures(last) == (1912, 1912, 0)
    assert (last.opened, last.open_cases) == (0, 0)
    assert await kinds(bureau.database) == [(CaseKind.CHARGE_WITHOUT_ORDER, CLOSED)]


async def test_a_refund_made_in_the_dashboard_is_told_to_the_order_which_books_it(
    bureau: Bureau,
) -> None:
    run = await delivered(bureau)
    bureau.room.stripe.v1.refunds.create({"payment_intent": run.intent_id, "amount": 500})

    first = await bureau.reconcile()

    (case,) = await cases(bureau.database)
    assert (case.kind, case.status) == (CaseKind.REFUND_UNKNOWN, RESOLVED)
    assert case.resolved_how == "told the order: refund_settled"
    assert case.order_id == run.placing.order.id
    assert (first.seen, first.matched, first.open_cases) == (2, 1, 0)
    await until(lambda: _has_booked(bureau, run, Event.REFUND))
    second = await bureau.reconcile()

    assert (await run.payment()).refunded_cents == 500
    assert (second.matched, second.opened) == (1, 0)
    assert figures(second) == (2660 - 500 - FEE, 2660 - 500 - FEE, 0)
    assert await kinds(bureau.database) == [(CaseKind.REFUND_UNKNOWN, RESOLVED)]


async def _has_booked(bureau: Bureau, run: Run, event: Event) -> bool:
    return event in await booked_events(bureau.database, run.placing.order.id)


async def test_a_refund_that_fell_through_unheard_is_told_too(bureau: Bureau) -> None:
    run = await bureau.room.begin()
    await run.pay()
    await run.ask(OrderWorkflow.cancel, run.command(run.customer))
    await run.handle.result()
    (refund,) = bureau.room.stripe.v1.refunds.list({"payment_intent": run.intent_id}).data
    bureau.api.control("POST", f"refunds/{refund.id}/settle", {"outcome": "failed"})

    await bureau.reconcile()
    await until(lambda: _has_booked(bureau, run, Event.REFUND_FAILED))
    second = await bureau.reconcile()

    assert await kinds(bureau.database) == [(CaseKind.REFUND_UNKNOWN, RESOLVED)]
    assert figures(second) == (2660 - FEE, 2660 - FEE, 0)


async def test_a_payment_whose_webhook_never_came_is_told_to_its_order(bureau: Bureau) -> None:
    run = await bureau.room.begin()
    await bureau.room.wallet.pay(run.placed.client_secret)

    await bureau.reconcile()
    await until(lambda: _has_booked(bureau, run, Event.CAPTURE))
    second = await bureau.reconcile()

    (case,) = await cases(bureau.database)
    assert (case.kind, case.status) == (CaseKind.PAYMENT_UNHEARD, RESOLVED)
    assert case.resolved_how == "told the order: payment_succeeded"
    assert (await run.status()).status is S.PAYMENT_CONFIRMED
    assert (second.matched, second.opened) == (1, 0)
    assert figures(second) == (2660 - FEE, 2660 - FEE, 0)


async def test_a_tip_that_was_never_written_down_is_told_to_its_order(bureau: Bureau) -> None:
    run = await delivered(bureau)
    tip = await run.tip_at_stripe(300)

    await bureau.reconcile()
    await until(lambda: _has_booked(bureau, run, Event.TIP))
    second = await bureau.reconcile()

    (case,) = await cases(bureau.database)
    assert (case.kind, case.status) == (CaseKind.PAYMENT_UNHEARD, RESOLVED)
    assert (case.resolved_how, case.order_id) == (
        "told the order: tip_charged",
        run.placing.order.id,
    )
    assert [(t.stripe_payment_intent_id, t.amount_cents) for t in await run.tip_charges()] == [
        (tip.payment_intent_id, 300)
    ]
    row = await run.row()
    assert (row.tip_cents, row.driver_earning_cents, row.status) == (300, 800, S.DELIVERED)
    assert (second.matched, second.opened, second.balances[0].difference_cents) == (1, 0, 0)


async def test_a_tip_given_back_in_the_dashboard_is_for_people_and_not_told_to_its_order(
    bureau: Bureau,
) -> None:
    run = await delivered(bureau)
    await run.raise_tip(300)
    (tip,) = await run.tip_charges()
    bureau.room.stripe.v1.refunds.create({"payment_intent": tip.stripe_payment_intent_id})

    await bureau.reconcile()
    await bureau.reconcile()

    assert await kinds(bureau.database) == [(CaseKind.REFUND_UNKNOWN, OPEN)]
    assert (await run.payment()).refunded_cents == 0
    assert (await run.row()).status is S.DELIVERED


async def test_a_payment_that_is_still_warm_is_left_to_its_webhook(bureau: Bureau) -> None:
    run = await bureau.room.begin()
    await bureau.room.wallet.pay(run.placed.client_secret)

    report = await bureau.reconcile(
        patience=NO_PATIENCE.model_copy(update={"transaction": timedelta(hours=1)})
    )

    assert (report.seen, report.matched, report.opened) == (1, 0, 0)
    assert figures(report) == (0, 2660 - FEE, FEE - 2660)
    assert (await run.status()).status is S.PENDING


async def test_a_captured_payment_of_a_cancelled_order_goes_back(bureau: Bureau) -> None:
    run = await bureau.room.begin()
    # The run dies, its order is cancelled by hand, and the customer pays all the same.
    await run.handle.terminate()
    async with bureau.database.write() as session:
        await session.execute(
            update(Order)
            .where(col(Order.id) == run.placing.order.id)
            .values(status=S.CANCELLED, kept_cents=0)
        )
    await bureau.room.wallet.pay(run.placed.client_secret)

    await bureau.reconcile()
    await until(lambda: _has_booked(bureau, run, Event.REFUND))
    second = await bureau.reconcile()

    assert run.given_back() == 2660
    assert (await run.row()).status is S.CANCELLED
    assert await kinds(bureau.database) == [(CaseKind.PAYMENT_UNHEARD, RESOLVED)]
    assert (second.matched, second.opened) == (2, 0)
    assert figures(second) == (-FEE, -FEE, 0)


async def test_an_order_that_was_told_and_did_nothing_is_left_to_a_person(bureau: Bureau) -> None:
    run = await bureau.room.begin()
    bureau.room.stripe.v1.payment_intents.update(run.intent_id, {"amount": 2000})
    await bureau.room.wallet.pay(run.placed.client_secret)

    # The order has an alarm raised about it, and goes on waiting for the whole.
    first = await bureau.reconcile()
    second = await bureau.reconcile()
    third = await bureau.reconcile()

    assert await kinds(bureau.database) == [
        (CaseKind.PAYMENT_UNHEARD, RESOLVED),
        (CaseKind.PAYMENT_UNHEARD, OPEN),
    ]
    assert (first.open_cases, second.opened, third.opened) == (0, 1, 0)
    assert (await run.status()).status is S.PENDING


async def test_a_movement_whose_transfer_was_lost_is_a_case_and_accepted_is_booked_back(
    bureau: Bureau,
) -> None:
    await book(bureau, rules.transferred(uuid4(), 1601, "usd", "tr_nobody_knows"))

    early = await bureau.reconcile()
    await bureau.room.skip(timedelta(days=3))
    late = await bureau.reconcile()

    assert (early.opened, late.opened) == (0, 1)
    assert figures(early) == figures(late) == (-1601, 0, -1601)
    (case,) = await cases(bureau.database)
    assert (case.kind, case.status, case.amount_cents, case.expected_cents) == (
        CaseKind.MOVEMENT_WITHOUT_TRANSACTION,
        OPEN,
        0,
        -1601,
    )
    async with bureau.database.write() as session:
        await reconciliation_cases.close(
            session,
            case.id,
            by=bureau.room.world.admin.user_id,
            reason="never made",
            accept=True,
        )
    last = await bureau.reconcile()

    assert figures(last) == (0, 0, 0)
    assert (last.opened, last.open_cases) == (0, 0)


async def test_an_order_without_its_charge_is_a_case_until_the_charge_comes(
    bureau: Bureau,
) -> None:
    run = await bureau.room.begin()
    async with bureau.database.write() as session:
        await bookings.capture(session, run.placing.order.id, 2660, run.intent_id)
    await bureau.room.skip(timedelta(days=3))
    await bureau.reconcile()
    assert await kinds(bureau.database) == [(CaseKind.ORDER_WITHOUT_CHARGE, OPEN)]

    paid = bureau.api.paid(2660)
    async with bureau.database.write() as session:
        await session.execute(
            text("ALTER TABLE ledger_movements DISABLE TRIGGER ledger_movements_unchangeable")
        )
        await session.execute(text("UPDATE ledger_movements SET stripe_id = :id"), {"id": paid.id})
    last = await bureau.reconcile()

    assert await kinds(bureau.database) == [(CaseKind.ORDER_WITHOUT_CHARGE, CLOSED)]
    assert last.matched == 1


async def test_a_transfer_and_its_reversal_are_matched(bureau: Bureau) -> None:
    payee, payout_id = bureau.api.connected(), uuid4()
    bureau.api.fund(5000)
    stripe = bureau.room.stripe.v1
    transfer = stripe.transfers.create({"amount": 1601, "currency": "usd", "destination": payee})
    reversal = stripe.transfers.reversals.create(transfer.id)
    await book(
        bureau,
        rules.transferred(payout_id, 1601, "usd", transfer.id),
        rules.transfer_reversed(payout_id, 1601, "usd", reversal.id),
    )

    report = await bureau.reconcile()

    # What was topped up is nobody's earning: somebody has to say what it is.
    assert (report.seen, report.matched) == (3, 2)
    assert await kinds(bureau.database) == [(CaseKind.UNKNOWN_TRANSACTION, OPEN)]
    assert figures(report) == (0, 5000, -5000)


async def test_a_dispute_and_the_money_it_gave_again_are_matched_with_its_fee(
    bureau: Bureau,
) -> None:
    run = await delivered(bureau)
    lost = bureau.api.control("POST", "disputes", {"payment_intent": run.intent_id})
    bureau.api.control("POST", f"disputes/{lost['id']}/decide", {"outcome": "won"})
    async with bureau.database.read() as session:
        sale = await bookings.sale_of(session, run.placing.order.id)
    await book(
        bureau,
        rules.dispute_opened(sale, 2660, lost["id"]),
        rules.dispute_won(sale, 2660, lost["id"]),
    )

    report = await bureau.reconcile()

    assert (report.seen, report.matched, report.opened) == (3, 3, 0)
    assert report.balances[0].fees_cents == FEE + DISPUTE_FEE
    assert figures(report) == (2660 - FEE - DISPUTE_FEE, 2660 - FEE - DISPUTE_FEE, 0)


async def test_a_movement_of_another_amount_is_one_case_not_two(bureau: Bureau) -> None:
    paid = bureau.api.paid(2000)
    run = await bureau.room.begin()
    async with bureau.database.write() as session:
        await bookings.capture(session, run.placing.order.id, 2660, paid.id)
    await bureau.room.skip(timedelta(days=3))

    report = await bureau.reconcile()

    (case,) = await cases(bureau.database)
    assert (case.kind, case.amount_cents, case.expected_cents) == (
        CaseKind.AMOUNT_DIFFERS,
        2000,
        2660,
    )
    assert figures(report) == (2660, 1912, 2660 - 1912)
    async with bureau.database.write() as session:
        await reconciliation_cases.close(
            session,
            case.id,
            by=bureau.room.world.admin.user_id,
            reason="agreed by phone",
            accept=True,
        )
    last = await bureau.reconcile()

    assert figures(last) == (1912, 1912, 0)
    assert (last.opened, last.open_cases) == (0, 0)


async def test_money_on_clearing_that_no_transaction_explains_is_a_case_until_it_is_gone(
    bureau: Bureau,
) -> None:
    await delivered(bureau)
    stray = rules.unexplained("txn_by_hand", 300, "usd", None)
    await book(bureau, stray)

    first = await bureau.reconcile()

    (case,) = await cases(bureau.database)
    assert (case.kind, case.subject) == (CaseKind.CLEARING_DIFFERS, "stripe_clearing:usd")
    assert (case.amount_cents, case.expected_cents) == (2660 - FEE, 2660 - FEE + 300)
    assert first.balances[0].difference_cents == 300
    await book(bureau, rules.reverse(stray, Event.ADJUSTMENT))
    last = await bureau.reconcile()

    assert last.balances[0].difference_cents == 0
    assert await kinds(bureau.database) == [(CaseKind.CLEARING_DIFFERS, CLOSED)]


@pytest.mark.parametrize("bureau", [[FORGETFUL]], indirect=True, ids=["forgetful"])
async def test_a_worker_that_dies_after_each_commit_once_leaves_everything_done_once(
    bureau: Bureau,
) -> None:
    run = await delivered(bureau)
    bureau.room.stripe.v1.refunds.create({"payment_intent": run.intent_id, "amount": 500})
    bureau.api.paid(1000)

    first = await bureau.reconcile()
    await until(lambda: _has_booked(bureau, run, Event.REFUND))
    second = await bureau.reconcile()

    assert (first.seen, first.matched, first.opened, first.open_cases) == (3, 1, 2, 1)
    assert (second.matched, second.opened, second.open_cases) == (1, 0, 1)
    assert await booked_events(bureau.database, run.placing.order.id) == [
        *("capture", "earned", "stripe_fee", "refund"),
    ]
    assert second.balances[0].difference_cents == 0
    assert len(await told_ops(bureau)) == 1
    assert FORGETFUL.forgotten == STEPS


async def test_more_than_a_page_is_read_to_its_end_also_over_several_histories(
    bureau: Bureau,
) -> None:
    charges = 205
    for number in range(charges):
        bureau.api.paid(1000 + number)

    report = await bureau.reconcile(pages_per_history=1)

    assert (report.seen, report.opened) == (charges, charges)
    assert report.balances[0].difference_cents == 0
    assert await told_ops(bureau) == [
        f"Our books and Stripe do not agree: charge without order {charges}."
    ]
