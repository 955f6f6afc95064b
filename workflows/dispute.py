"""The life of a dispute: a customer's bank wants its money back, and takes months to decide.

Stripe's events only say that something has changed. What has, the workflow asks Stripe, and acts on
the difference to what is written down: so the order of their arrival, how often they come and
whether they come at all make no difference. Once a day it looks without being told.

A run knows nothing that PostgreSQL and Stripe do not: one that was terminated is taken up again by
the next event or request.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ApplicationErrorCategory,
    is_cancelled_exception,
)

from workflows.options import DATABASE, HOWEVER_LONG, stripe_call
from workflows.search import attributes_of_dispute
from workflows.steps import until
from workflows.telling import tell_order

with workflow.unsafe.imports_passed_through():
    from activities.disputes import DisputeActivities
    from activities.orders import OrderActivities
    from domain import disputes as rules
    from domain.disputes import Outcome, Stage
    from domain.notifications import Alert
    from schema.messages.disputes import (
        Concession,
        Decision,
        DisputeRef,
        DisputeRequest,
        Evidence,
        Standing,
        Submission,
        Told,
    )
    from schema.messages.money import DisputeClosed, DisputeOpened
    from schema.messages.order import Alarm

    # For the names of its signals alone: no need of a copy for each dispute.
    from workflows.order import OrderWorkflow

# Stripe tells when a dispute changes; word that was lost is made up for.
LOOK_AGAIN = timedelta(days=1)


@workflow.defn
class DisputeWorkflow:
    """One dispute, from the bank's first word to its last."""

    @workflow.init
    def __init__(self, ref: DisputeRef) -> None:
        self._ref = ref
        self._standing: Standing | None = None
        self._unreadable = False
        self._news = False
        self._refused = 0
        # One change goes at a time: an admin's, or what a look at Stripe brings.
        self._door = asyncio.Lock()

    @workflow.run
    async def run(self, ref: DisputeRef) -> Standing:
        """Live until the bank has decided and the money is where it belongs."""
        while True:
            try:
                await self._follow()
            except ActivityError:
                self._unreadable = True
                await workflow.wait_condition(workflow.all_handlers_finished)
                raise
            if self._is_over:
                await workflow.wait_condition(workflow.all_handlers_finished)
                if not self._news:
                    return self._known
                continue
            await until(lambda: self._news, self._next_look(), "look again")
            if workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(ref)

    @property
    def _known(self) -> Standing:
        if self._standing is None:
            raise RuntimeError(f"{self._ref.dispute_id} was not looked at yet")
        return self._standing

    @property
    def _is_over(self) -> bool:
        return self._known.outcome is not None and not self._known.awaits_money

    # Facts and questions

    @workflow.signal
    def changed(self) -> None:
        """Stripe: something about the dispute has changed."""
        self._news = True

    @workflow.query
    def standing(self) -> Standing | None:
        """How the dispute stands, as far as it is known."""
        return self._standing

    # Requests

    @workflow.update
    async def add_evidence(self, ask: Evidence) -> Standing:
        """An admin has something to say to the bank, or knows whose fault it was."""
        async with self._deciding():
            self._may_add(ask)
            await self._decide("evidence", ask, text=ask.text, fault=ask.fault)
        return self._known

    @add_evidence.validator
    def _may_add(self, ask: Evidence) -> None:
        self._must_be_open()
        if ask.text is not None:
            self._must_be_unanswered()

    @workflow.update
    async def submit(self, ask: DisputeRequest) -> Standing:
        """An admin wants the evidence to go off now."""
        async with self._deciding():
            self._may_submit(ask)
            await self._decide("submit", ask)
            try:
                await self._submit()
            except ActivityError as error:
                raise _stripe_refused(error) from error
        return self._known

    @submit.validator
    def _may_submit(self, ask: DisputeRequest) -> None:  # noqa: ARG002 - anybody's word counts
        self._must_be_unanswered()

    @workflow.update
    async def concede(self, ask: Concession) -> Standing:
        """An admin lets the customer have the money."""
        async with self._deciding():
            self._may_concede(ask)
            # Whose fault it is has to be known before Stripe says that it is lost.
            await self._decide("concede", ask, reason=ask.reason, fault=ask.fault, conceded=True)
            try:
                await self._concede()
            except ActivityError as error:
                raise _stripe_refused(error) from error
        return self._known

    @concede.validator
    def _may_concede(self, ask: Concession) -> None:  # noqa: ARG002 - anybody's word counts
        self._must_be_unanswered()
        if self._standing is not None and self._standing.inquiry:
            raise _refused(
                "InquiryNotConcedable", "the bank only asks: give the money back by a refund"
            )

    def _must_be_open(self) -> None:
        """Raise a refusal once the bank has decided; before the first look nobody knows."""
        if self._standing is not None and self._standing.outcome is not None:
            raise _refused("DisputeClosed", f"the dispute is {self._standing.outcome}")

    def _must_be_unanswered(self) -> None:
        self._must_be_open()
        if self._standing is None:
            return
        if self._standing.submitted:
            raise _refused("EvidenceSubmitted", "the bank has the evidence already")
        if self._standing.past_due:
            raise _refused("EvidencePastDue", "the bank takes no evidence any more")

    @asynccontextmanager
    async def _deciding(self) -> AsyncIterator[None]:
        """The door, once the dispute has been looked at; what was decided is followed up."""
        await workflow.wait_condition(lambda: self._standing is not None or self._unreadable)
        if self._standing is None:
            raise _refused("UnknownDispute", "the dispute cannot be read")
        async with self._door:
            yield
            self._news = True

    # What is done about it

    async def _follow(self) -> None:
        """Look how the dispute stands, and do whatever that asks for."""
        async with self._door:
            self._news = False
            await self._look()
            await self._tell_order()
            await self._remind()
            if await self._answer():
                await self._tell_order()
            self._say()

    async def _look(self) -> None:
        first = self._standing is None
        self._standing = await workflow.execute_activity_method(
            DisputeActivities.look_at_dispute,
            self._ref,
            summary="ask Stripe how the dispute stands",
            **stripe_call(within=HOWEVER_LONG),
        )
        if first:
            workflow.upsert_search_attributes(
                [pair.key.value_set(pair.value) for pair in attributes_of_dispute(self._known)]
            )

    async def _tell_order(self) -> None:
        """Let the order hear what it has not heard, each stage in its turn."""
        for stage in rules.untold(self._known.told, self._known.status):
            await self._tell(stage)
            await workflow.execute_local_activity_method(
                DisputeActivities.note_told,
                Told(dispute_id=self._ref.dispute_id, stage=stage),
                summary=f"the order knows of: {stage}",
                **DATABASE,
            )
            self._learn(told=stage)

    async def _tell(self, stage: Stage) -> None:
        known = self._known
        if known.of_tip:
            await self._tell_of_tip(stage)
        elif stage is Stage.CLOSED:
            won = known.outcome is not Outcome.LOST
            await self._alarm(Alert.DISPUTE_ENDED, "ended", str(known.outcome))
            await tell_order(
                known.order_id,
                OrderWorkflow.dispute_closed,
                DisputeClosed(dispute_id=known.dispute_id, won=won),
            )
        else:
            await tell_order(
                known.order_id,
                OrderWorkflow.dispute_opened,
                DisputeOpened(
                    dispute_id=known.dispute_id,
                    amount_cents=known.amount_cents,
                    reason=known.reason,
                    inquiry=stage is Stage.INQUIRY,
                ),
            )

    async def _tell_of_tip(self, stage: Stage) -> None:
        """The order stands as it stood whatever becomes of its tip: people alone are told."""
        known = self._known
        if stage is Stage.CLOSED:
            await self._alarm(Alert.TIP_DISPUTE_ENDED, "ended", str(known.outcome))
        else:
            await self._alarm(Alert.TIP_DISPUTED, stage, known.reason)

    async def _remind(self) -> None:
        if not self._waits_for_us or self._known.due_by is None:
            return
        before = rules.reminder_due(self._known.due_by, workflow.now())
        if before is not None:
            await self._alarm(Alert.EVIDENCE_DUE, f"due-{before.days}", due=self._known.due_by)

    async def _answer(self) -> bool:
        """Do what is left of a concession, or send the evidence where it is time for it."""
        known = self._known
        try:
            if known.conceded and known.outcome is None:
                await self._concede()
                return True
            if self._waits_for_us and known.answer_by and known.answer_by <= workflow.now():
                await self._submit()
                return True
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            await self._alarm(Alert.ANSWER_REFUSED, "refused", str(error.cause or error))
        return False

    async def _submit(self) -> None:
        try:
            self._standing = await workflow.execute_activity_method(
                DisputeActivities.submit_evidence,
                Submission(dispute_id=self._ref.dispute_id, refused_before=self._refused),
                summary="send the evidence",
                **stripe_call(within=HOWEVER_LONG),
            )
        except ActivityError as error:
            if isinstance(error.cause, ApplicationError):
                self._refused += 1
            raise

    async def _concede(self) -> None:
        try:
            self._standing = await workflow.execute_activity_method(
                DisputeActivities.concede_dispute,
                self._ref,
                summary="let the customer have the money",
                **stripe_call(within=HOWEVER_LONG),
            )
        except ActivityError as error:
            if not is_cancelled_exception(error):
                await workflow.execute_local_activity_method(
                    DisputeActivities.unconcede,
                    self._ref,
                    summary="the concession came to nothing",
                    **DATABASE,
                )
                self._learn(conceded=False)
            raise

    async def _decide(self, action: str, ask: DisputeRequest, **what: object) -> None:
        update = workflow.current_update_info()
        if update is None:
            raise RuntimeError("only a request is a decision")
        self._standing = await workflow.execute_local_activity_method(
            DisputeActivities.note_decision,
            Decision(
                dispute_id=self._ref.dispute_id,
                key=update.id,
                admin_id=ask.admin_id,
                action=action,
                **what,
            ),
            summary=f"write down: {action}",
            **DATABASE,
        )

    async def _alarm(
        self, alert: Alert, key: str, reason: str | None = None, *, due: datetime | None = None
    ) -> None:
        await workflow.execute_local_activity_method(
            OrderActivities.raise_alarm,
            Alarm(
                order_id=self._known.order_id,
                alert=alert,
                key=f"{self._ref.dispute_id}:{key}",
                reason=reason,
                due=due,
            ),
            summary=f"tell: {alert}",
            **DATABASE,
        )

    @property
    def _waits_for_us(self) -> bool:
        known = self._known
        return rules.awaits_evidence(known.status) and not known.past_due and not known.submitted

    def _next_look(self) -> datetime:
        """Tomorrow, or when evidence (once more) or a reminder is due before that."""
        now, known = workflow.now(), self._known
        moments: list[datetime | None] = [now + LOOK_AGAIN]
        if self._waits_for_us and known.due_by is not None:
            moments += [known.answer_by, rules.next_reminder(known.due_by, now)]
            if self._refused:
                moments.append(rules.next_try(known.due_by, now))
        return min(at for at in moments if at is not None and at > now)

    def _learn(self, **news: object) -> None:
        self._standing = self._known.model_copy(update=news)

    def _say(self) -> None:
        """For operators, in the Temporal UI."""
        known = self._known
        words = f"{known.amount_cents} cents of order {known.order_id} ({known.reason}): "
        if known.outcome is not None:
            words += str(known.outcome)
        elif self._waits_for_us and known.answer_by is not None:
            words += f"the evidence goes off by itself at {known.answer_by:%Y-%m-%d %H:%M} UTC"
        else:
            words += f"{known.status}, waiting for the bank"
        workflow.set_current_details(words)


def _refused(kind: str, words: str) -> ApplicationError:
    return ApplicationError(
        words, type=kind, non_retryable=True, category=ApplicationErrorCategory.BENIGN
    )


def _stripe_refused(error: ActivityError) -> BaseException:
    """What the admin is told; a run that is being stopped is no refusal."""
    if is_cancelled_exception(error):
        return error
    return _refused("StripeRefused", str(error.cause or error))
