"""Paying everybody to whom something is owed: one workflow for each payee, a few at a time.

The run does not wait for banks: a payout that is on its way, or held up, goes on by itself. Whom it
has come to is known by the payee's id, and who was paid by the table: a run that is started twice
for a day, or dies in the middle and is started again, pays nobody twice.
"""

import asyncio
import contextlib
from datetime import date, timedelta
from uuid import UUID

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from workflows.options import PAYOUTS_QUEUE, stripe_call
from workflows.payout import RESTED, PayoutWorkflow
from workflows.steps import until

with workflow.unsafe.imports_passed_through():
    from activities.payouts import PayoutActivities
    from domain.payouts import Outcome, latest_day
    from schema.messages.payouts import (
        DuePayee,
        MarketPayouts,
        PayeesDue,
        PayoutStart,
        Progress,
        Rested,
        RunStart,
    )

_PAGE = 250
# A payout that says nothing for so long goes on by itself.
_PATIENCE = timedelta(minutes=10)
_READ = timedelta(minutes=10)


@workflow.defn
class PayoutRunWorkflow:
    """One market's payouts of one day."""

    @workflow.init
    def __init__(self, start: RunStart) -> None:
        self._start = start
        self._progress = start.progress
        # Those who are being paid in this moment, each for a day.
        self._busy: set[tuple[UUID, date]] = set()

    @workflow.run
    async def run(self, start: RunStart) -> Progress:
        """See to it that every open payout gets on, then begin one for each payee who is due."""
        resuming, after, begun = start.resuming, start.after, 0
        while True:
            page = await self._page(resuming, after)
            if not page and not resuming:
                break
            waiting = page
            while waiting:
                room = await self._room(1)
                await asyncio.gather(*(self._begin(payee) for payee in waiting[:room]))
                waiting = waiting[room:]
            begun += len(page)
            resuming, after = (resuming, page[-1].id) if page else (False, None)
            if begun >= start.to_a_history:
                await self._room(start.parallel)
                workflow.continue_as_new(
                    start.model_copy(
                        update={"resuming": resuming, "after": after, "progress": self._progress}
                    )
                )
        await self._room(start.parallel)
        self._progress = self._progress.model_copy(update={"finished": True})
        self._say()
        return self._progress

    @workflow.query
    def progress(self) -> Progress:
        """How many payees have been begun with, and what became of them so far."""
        return self._progress

    @workflow.signal(name=RESTED)
    def payout_rested(self, news: Rested) -> None:
        """A payout is through, on its way, or held up: another one may begin."""
        if (news.payee_id, news.day) in self._busy:
            self._busy.discard((news.payee_id, news.day))
            self._count(news.outcome, news.cents)

    async def _page(self, resuming: bool, after: UUID | None) -> list[DuePayee]:
        limit = min(_PAGE, self._start.to_a_history)
        return await workflow.execute_activity_method(
            PayoutActivities.payees_due,
            PayeesDue(terms=self._start.terms, resuming=resuming, after=after, limit=limit),
            summary="which payouts are open?" if resuming else "whom is something owed to?",
            **stripe_call(within=_READ, queue=PAYOUTS_QUEUE),
        )

    async def _begin(self, payee: DuePayee) -> None:
        self._busy.add((payee.payee_id, payee.day))
        self._progress = self._progress.model_copy(update={"begun": self._progress.begun + 1})
        try:
            await workflow.start_child_workflow(
                PayoutWorkflow.run,
                PayoutStart(
                    terms=self._start.terms.model_copy(update={"day": payee.day}),
                    kind=payee.kind,
                    payee_id=payee.payee_id,
                    run_id=workflow.info().workflow_id,
                ),
                id=f"payout-{payee.payee_id}-{payee.day}",
                task_queue=PAYOUTS_QUEUE,
                # Banks take days, and a run that is stopped does not stop money on its way.
                parent_close_policy=ParentClosePolicy.ABANDON,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                static_summary=f"{payee.kind}: {payee.cents} {self._start.terms.currency} cents",
            )
        except WorkflowAlreadyStartedError:
            self._busy.discard((payee.payee_id, payee.day))
            self._count(Outcome.UNDER_WAY, 0)

    async def _room(self, number: int) -> int:
        """Wait until so many more may begin, at least; answers with how many may."""
        self._say()
        while len(self._busy) > self._start.parallel - number:
            busy = len(self._busy)
            if not await until(
                lambda: len(self._busy) < busy,  # noqa: B023 - asked before the loop goes on
                workflow.now() + _PATIENCE,
                "payouts that say nothing",
            ):
                for _ in self._busy:
                    self._count(Outcome.WAITING, 0)
                self._busy.clear()
        return self._start.parallel - len(self._busy)

    def _count(self, outcome: Outcome, cents: int) -> None:
        outcomes = dict(self._progress.outcomes)
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        self._progress = self._progress.model_copy(
            update={"outcomes": outcomes, "cents": self._progress.cents + cents}
        )

    def _say(self) -> None:
        progress = self._progress
        counted = ", ".join(f"{number} {outcome}" for outcome, number in progress.outcomes.items())
        workflow.set_current_details(
            f"{progress.begun} payees begun with: {counted or 'none through yet'};"
            f" {progress.cents} {self._start.terms.currency} cents"
        )


@workflow.defn
class PayoutDayWorkflow:
    """What the clock starts: the run of the day that has just ended where the market is."""

    @workflow.run
    async def run(self, rules: MarketPayouts) -> str:
        """Start the run, unless it is there; answers with its workflow id."""
        start = rules.run(latest_day(workflow.now(), rules.timezone))
        with contextlib.suppress(WorkflowAlreadyStartedError):
            await workflow.start_child_workflow(
                PayoutRunWorkflow.run,
                start,
                id=run_id(start),
                task_queue=PAYOUTS_QUEUE,
                parent_close_policy=ParentClosePolicy.ABANDON,
                static_summary=f"payouts of {start.terms.day}, {rules.market}",
            )
        return run_id(start)


def run_id(start: RunStart) -> str:
    """What the run of a market and a day is called."""
    return f"payout-run-{start.terms.day}-{start.terms.market}"
