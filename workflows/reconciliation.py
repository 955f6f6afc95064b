"""Nightly: every balance transaction of Stripe's is held against the books, and they against it.

What does not add up becomes a case. An order that never heard of its payment or refund is told, and
does by itself what is right; the next run finds it matched. A refund that nobody sees to any more,
since its workflow was terminated, is seen to again. A run knows nothing that PostgreSQL and
Stripe do not: one that was terminated is made up for by the next.
"""

from datetime import timedelta
from uuid import UUID

from temporalio import workflow
from temporalio.common import RetryPolicy

from workflows.options import HEARTBEAT, PAYOUTS_QUEUE, RemoteOptions, stripe_call
from workflows.order import OrderWorkflow
from workflows.telling import tell_order

with workflow.unsafe.imports_passed_through():
    from activities.overlooked import OverlookedActivities
    from activities.reconciliation import ReconciliationActivities
    from domain.reconciliation import Remedy
    from schema.messages.money import PaymentSucceeded, RefundSettled
    from schema.messages.reconciliation import (
        Beginning,
        Finishing,
        Judging,
        PageAsk,
        Progress,
        Reconciling,
        RunReport,
        Told,
        Untold,
    )
    from schema.messages.refund import Overlooked

# The night after the next there is another run.
_A_DAY = timedelta(days=1)

# A younger request has a workflow, or somebody who still asks for it.
_OVERLOOKED = timedelta(hours=1)

_BOOKS = RemoteOptions(
    task_queue=PAYOUTS_QUEUE,
    # The first run of all matches years.
    start_to_close_timeout=timedelta(hours=1),
    schedule_to_close_timeout=_A_DAY,
    heartbeat_timeout=HEARTBEAT,
    retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
)


@workflow.defn
class ReconciliationWorkflow:
    """One run."""

    @workflow.init
    def __init__(self, start: Reconciling) -> None:
        self._start = start
        self._progress = start.progress

    @workflow.run
    async def run(self, start: Reconciling) -> RunReport:  # noqa: ARG002 - taken by __init__
        """Read what moved, match it, tell the orders that can help, and report."""
        progress = self._progress or await self._begin()
        while not progress.all_read:
            progress = await self._read(progress)
        self._say("Matching what was read")
        await workflow.execute_activity_method(
            ReconciliationActivities.match_transactions,
            Judging(run=progress.run, patience=self._start.patience),
            summary="match transactions and movements",
            **_BOOKS,
        )
        await self._tell_orders()
        report = await workflow.execute_activity_method(
            ReconciliationActivities.finish_reconciliation,
            Finishing(
                run=progress.run,
                seen=progress.seen,
                until=progress.until,
                balance=progress.balance,
            ),
            summary="compare the whole, and report",
            **_BOOKS,
        )
        # The money that moves by it is the next night's.
        await self._take_refunds_up()
        self._say(
            f"{report.matched} matched; {report.opened} cases opened, {report.open_cases} open"
        )
        return report

    @workflow.query
    def progress(self) -> Progress | None:
        """How far the run is; None before it knows from when on to read."""
        return self._progress

    async def _begin(self) -> Progress:
        info = workflow.info()
        run = await workflow.execute_activity_method(
            ReconciliationActivities.begin_reconciliation,
            Beginning(
                id=UUID(info.first_execution_run_id),
                started_at=workflow.now(),
                overlap=self._start.patience.overlap,
            ),
            summary="begin where the last run ended",
            **_BOOKS,
        )
        return Progress(run=run)

    async def _read(self, progress: Progress) -> Progress:
        """Read so many pages as one history may hold."""
        for _ in range(self._start.pages_per_history):
            self._progress = progress
            self._say(f"Reading Stripe's transactions: {progress.seen} so far")
            page = await workflow.execute_activity_method(
                ReconciliationActivities.read_transactions,
                PageAsk(run=progress.run, after=progress.next),
                summary=f"read transactions from the {progress.seen + 1}. on",
                **stripe_call(within=_A_DAY, queue=PAYOUTS_QUEUE),
            )
            progress = progress.model_copy(
                update={
                    "seen": progress.seen + page.count,
                    "next": page.next,
                    "all_read": page.next is None,
                    "until": page.until or progress.until,
                    "balance": page.balance or progress.balance,
                }
            )
            if progress.all_read:
                break
        self._progress = progress
        if not progress.all_read:
            workflow.continue_as_new(self._start.model_copy(update={"progress": progress}))
        return progress

    async def _tell_orders(self) -> None:
        while untold := await workflow.execute_activity_method(
            ReconciliationActivities.untold_orders, summary="whom to tell", **_BOOKS
        ):
            for case in untold:
                self._say(f"Telling {len(untold)} orders what they have not heard")
                await self._tell(case)

    async def _tell(self, case: Untold) -> None:
        if case.remedy is Remedy.PAYMENT_SUCCEEDED:
            succeeded = PaymentSucceeded(
                payment_intent_id=case.payment_intent_id,
                amount_cents=case.amount_cents,
                captured=True,
            )
            await tell_order(case.order_id, OrderWorkflow.payment_succeeded, succeeded)
        else:
            # The order asks Stripe itself how its payment and the refunds of it stand.
            settled = RefundSettled(refund_id=case.source_id)
            await tell_order(case.order_id, OrderWorkflow.refund_settled, settled)
        await workflow.execute_activity_method(
            ReconciliationActivities.note_order_told,
            Told(case_id=case.case_id, remedy=case.remedy),
            summary="the order was told",
            **_BOOKS,
        )

    async def _take_refunds_up(self) -> None:
        page: UUID | None = None
        before = workflow.now() - _OVERLOOKED
        self._say("Taking up refunds that nobody sees to")
        while True:
            page = await workflow.execute_activity_method(
                OverlookedActivities.take_refunds_up,
                Overlooked(before=before, after=page),
                summary="take up refunds that nobody sees to",
                **_BOOKS,
            )
            if page is None:
                return

    def _say(self, doing: str) -> None:
        workflow.set_current_details(doing)
