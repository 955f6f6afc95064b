"""One payee's payout for one day: what is owed is set aside, moved to his account at Stripe, and
from there to his bank; what the bank does not take is fetched back and owed again.

The row is the truth: a run that was terminated is started again and goes on from there, and so is
one that is over when the bank changes its mind. What waits, waits for days: for money at Stripe,
for the payee's account, for an admin who has stopped it.
"""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    FailureError,
    is_cancelled_exception,
)

from workflows.options import DATABASE, PAYOUTS_QUEUE, stripe_call
from workflows.steps import until

with workflow.unsafe.imports_passed_through():
    from activities.payouts import BALANCE_SHORT, HELD, PayoutActivities
    from domain.payouts import Outcome, PayoutStatus
    from schema.messages.payouts import (
        Hold,
        Payout,
        PayoutChanged,
        PayoutStart,
        PayoutStep,
        PayoutTrouble,
        PayoutView,
        Rested,
    )

# Stripe's balance grows with the day's payments, and an outage of Stripe ends.
BALANCE_AGAIN = timedelta(hours=1)
# What else Stripe refuses; and word from a bank, or of a hold, that may have been lost.
ASK_AGAIN = timedelta(days=1)
# By what a payout's run hears of it.
RESTED = "payout_rested"
_OUTCOMES = {PayoutStatus.PAID: Outcome.PAID, PayoutStatus.FAILED: Outcome.FAILED}
# How long one try to move the money may take: whoever wants to hold the payout waits for its end.
_ONE_TRY = timedelta(minutes=2)
# All else may wait its turn: ten thousand banks may answer in the same minute.
_IN_TURN = timedelta(days=1)
# How often Stripe may not answer, once an hour, before somebody is told.
_UNANSWERED = 24


@workflow.defn
class PayoutWorkflow:
    """What one payee is paid for one day."""

    @workflow.init
    def __init__(self, start: PayoutStart) -> None:
        self._start = start
        self._outcome: Outcome | None = None
        self._payout: Payout | None = None
        self._news = False
        self._held = False
        self._tried = 0
        self._refused = 0
        self._rested = False
        self._waiting_for = ""
        # A hold is answered before or after a try to move the money, never in the middle of one.
        self._moving = asyncio.Lock()

    @workflow.run
    async def run(self, start: PayoutStart) -> PayoutView:
        """Live until the bank has the money, or it is owed again."""
        claimed = await workflow.execute_local_activity_method(
            PayoutActivities.claim_payout, start, summary="set aside what is owed", **DATABASE
        )
        self._outcome, self._payout = claimed.outcome, claimed.payout
        # Another run may have moved it, and died before it wrote that down.
        self._tried = 1 if claimed.taken_up else 0
        while self._payout is not None and await self._get_on(self._payout):
            pass
        await self._rest(self._outcome)
        await workflow.wait_condition(workflow.all_handlers_finished)
        self._say(f"Over: {self._payout.status if self._payout else self._outcome}")
        return self.status()

    @workflow.query
    def status(self) -> PayoutView:
        """How far the payout has come, and what it waits for."""
        return PayoutView(
            outcome=self._outcome,
            payout=self._payout,
            held=self._held,
            waiting_for=self._waiting_for,
        )

    @workflow.update
    async def hold(self, ask: Hold) -> PayoutView:
        """An admin stops the payee's payouts or lets them go on; what has left stays on its way."""
        async with self._moving:
            await workflow.execute_local_activity_method(
                PayoutActivities.note_hold,
                ask,
                summary="stop the payouts" if ask.held else "let the payouts go on",
                **DATABASE,
            )
            self._held = ask.held
        return self.status()

    @hold.validator
    def _may_hold(self, ask: Hold) -> None:
        if not ask.reason.strip():
            raise ApplicationError("a hold has a reason", type="NoReason", non_retryable=True)

    @workflow.signal
    def payout_changed(self, fact: PayoutChanged) -> None:  # noqa: ARG002 - Stripe is asked
        """Stripe: what was sent to the bank stands otherwise than before."""
        self._news = True

    async def _get_on(self, payout: Payout) -> bool:
        """Take the payout one step on, or wait for what it needs; False when it is settled."""
        match payout.status:
            case PayoutStatus.CLAIMED:
                if not self._held:
                    await self._try(PayoutActivities.make_transfer, payout, "transfer")
                else:
                    await self._wait_for_release()
            case PayoutStatus.TRANSFERRED:
                await self._try(PayoutActivities.pay_out, payout, "send to the bank")
            case PayoutStatus.IN_TRANSIT:
                await self._bank_answers(payout)
            case PayoutStatus.RETURNING:
                await self._try(PayoutActivities.fetch_back, payout, "fetch back")
            case PayoutStatus.PAID | PayoutStatus.FAILED:
                if not (self._news and payout.status is PayoutStatus.PAID):
                    return False
                await self._look(payout)
        return True

    async def _bank_answers(self, payout: Payout) -> None:
        await self._rest(Outcome.UNDER_WAY)
        self._say("Waiting for the bank")
        await until(lambda: self._news, workflow.now() + ASK_AGAIN, "ask how the payout stands")
        await self._look(payout)

    async def _look(self, payout: Payout) -> None:
        self._news = False
        if not await self._try(PayoutActivities.look_at_payout, payout, "ask about"):
            # What was news is not known yet, and Stripe tells it once.
            self._news = True

    async def _wait_for_release(self) -> None:
        await self._rest(Outcome.HELD)
        self._say("Stopped by an admin")
        await until(lambda: not self._held, workflow.now() + ASK_AGAIN, "is it still held?")
        # The table knows; the next try asks it.
        self._held = False

    async def _try(self, step: Any, payout: Payout, what: str) -> bool:
        """Have one step made; False when it was not, and it is time to try again."""
        try:
            if payout.status is PayoutStatus.CLAIMED:
                async with self._moving:
                    if self._held:
                        return False
                    now = await self._execute(step, payout, what, _ONE_TRY)
            else:
                now = await self._execute(step, payout, what, _IN_TURN)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            await self._wait_after(error, payout, what)
            return False
        self._payout = now
        if now.status is not payout.status:
            self._tried = self._refused = 0
        self._outcome = _OUTCOMES.get(now.status, self._outcome)
        return True

    async def _execute(self, step: Any, payout: Payout, what: str, within: timedelta) -> Payout:
        made: Payout = await workflow.execute_activity_method(
            step,
            PayoutStep(payout=payout, tried=self._tried, refused_before=self._refused),
            summary=f"{what} {payout.cents} {payout.currency} cents",
            **stripe_call(within=within, queue=PAYOUTS_QUEUE),
        )
        return made

    async def _wait_after(self, error: ActivityError, payout: Payout, what: str) -> None:
        cause = error.cause
        kind = cause.type if isinstance(cause, ApplicationError) else None
        self._tried += 1
        if kind == HELD:
            self._held = True
            return
        refused = isinstance(cause, ApplicationError) and cause.non_retryable
        self._refused += refused
        await self._rest(Outcome.WAITING)
        is_short = kind == BALANCE_SHORT
        soon = is_short or (not refused and payout.status is PayoutStatus.CLAIMED)
        reason = cause.message if isinstance(cause, FailureError) else str(error)
        if is_short or not soon or self._tried % _UNANSWERED == 0:
            await self._tell(payout, what, reason, is_short=is_short)
        again = workflow.now() + (BALANCE_AGAIN if soon else ASK_AGAIN)
        self._say(f"Could not {what}: {reason}. Again at {again:%Y-%m-%d %H:%M} UTC")
        await until(lambda: self._news, again, f"{what} again")

    async def _tell(self, payout: Payout, what: str, reason: str, *, is_short: bool) -> None:
        await workflow.execute_local_activity_method(
            PayoutActivities.tell_payout_trouble,
            PayoutTrouble(
                payout=payout, what=what, reason=reason, balance_short=is_short, at=workflow.now()
            ),
            summary="tell finance",
            **DATABASE,
        )

    async def _rest(self, outcome: Outcome | None) -> None:
        """Let the run that asked for this payout go on with others; once."""
        if self._rested or self._start.run_id is None or outcome is None:
            return
        self._rested = True
        cents = self._payout.cents if self._payout else 0
        try:
            await workflow.get_external_workflow_handle(self._start.run_id).signal(
                RESTED,
                Rested(
                    payee_id=self._start.payee_id,
                    day=self._start.terms.day,
                    outcome=outcome,
                    cents=cents,
                ),
            )
        except FailureError as error:
            # It did not wait for this payout any longer, or was stopped.
            workflow.logger.info("run %s is over: %s", self._start.run_id, error)

    def _say(self, waiting_for: str) -> None:
        self._waiting_for = waiting_for
        workflow.set_current_details(waiting_for)
