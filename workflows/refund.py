"""One request for a refund: written down, decided, given back.

What it knows is in its row, so that a run which was ended is simply started again. Only the order's
own workflow writes the order: it is told that a complaint was opened or settled, and that money has
gone back.
"""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ApplicationErrorCategory,
    FailureError,
    is_cancelled_exception,
)

from workflows.options import DATABASE, HOWEVER_LONG, REQUESTED, stripe_call
from workflows.steps import until
from workflows.telling import tell_order

with workflow.unsafe.imports_passed_through():
    from activities.refunds import RefundActivities
    from domain.notifications import Alert
    from domain.refunds import Objection, RefundKind, RequestStatus
    from schema.messages.money import RefundSettled
    from schema.messages.refund import (
        Begin,
        Complaint,
        DecideAt,
        Decision,
        GiveBack,
        GiveUp,
        RefundAlarm,
        RefundRef,
        RefundStart,
        RefundView,
    )

    # For the names of its signals alone: no need of a copy for each refund.
    from workflows.order import OrderWorkflow

_LET_IN = timedelta(seconds=10)


@workflow.defn
class RefundWorkflow:
    """A complaint that may wait for an admin, or an admin's own refund; then the money."""

    @workflow.init
    def __init__(self, start: RefundStart) -> None:
        self._start = start
        self._terms = start.terms
        self._request: RefundView | None = None
        self._objection: ApplicationError | None = None
        self._is_answered = False
        self._door = asyncio.Lock()

    @workflow.run
    async def run(self, start: RefundStart) -> RefundView | None:
        """Live until the money is with the customer's bank, or it is clear that it will not be.

        None when what was asked may not be.
        """
        if await self._begin(start):
            if self._stands(RequestStatus.ASKED):
                await tell_order(self._known.order_id, OrderWorkflow.complaint_opened, self._fact())
                await self._decided()
            await self._settled()
        else:
            # Whoever has asked comes with the start of the run, and may yet have to be let in.
            due = workflow.now() + _LET_IN
            await until(lambda: self._is_answered, due, "answer whoever has asked")
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._request

    @workflow.update
    async def ask(self) -> RefundView:
        """Answer once the request is written down."""
        return await self._written()

    @workflow.update
    async def decide(self, decision: Decision) -> RefundView:
        """An admin grants a complaint or rejects it."""
        await self._written()
        async with self._door:
            if self._stands(RequestStatus.ASKED):
                try:
                    self._request = await workflow.execute_local_activity_method(
                        RefundActivities.decide_refund,
                        DecideAt(decision=decision, at=workflow.now()),
                        summary="grant" if decision.grant else "reject",
                        **REQUESTED,
                    )
                except FailureError as error:
                    raise _said(error) from error
            if not decision.agrees_with(self._known):
                raise ApplicationError(
                    f"this request is {self._known.status} already",
                    type=Objection.ALREADY_DECIDED,
                    non_retryable=True,
                    category=ApplicationErrorCategory.BENIGN,
                )
            return self._known

    @decide.validator
    def _may_decide(self, decision: Decision) -> None:
        if self._objection is not None:
            raise self._objection
        if decision.request_id != self._start.request_id:
            raise ApplicationError("another request", type="AnotherRequest", non_retryable=True)

    @workflow.query
    def status(self) -> RefundView | None:
        """How the request stands."""
        return self._request

    @property
    def _known(self) -> RefundView:
        if self._request is None:
            raise RuntimeError("the request is not written yet")
        return self._request

    def _stands(self, *statuses: RequestStatus) -> bool:
        return self._known.status in statuses

    async def _written(self) -> RefundView:
        await workflow.wait_condition(lambda: self._request is not None or bool(self._objection))
        self._is_answered = True
        if self._objection is not None:
            raise self._objection
        return self._known

    async def _begin(self, start: RefundStart) -> bool:
        try:
            if start.ask is not None:
                begin = Begin(ask=start.ask, terms=start.terms, at=workflow.now())
                self._request = await workflow.execute_local_activity_method(
                    RefundActivities.begin_refund, begin, summary="write the request", **REQUESTED
                )
            else:
                self._request = await workflow.execute_local_activity_method(
                    RefundActivities.load_refund,
                    RefundRef(request_id=start.request_id),
                    summary="take the request up again",
                    **DATABASE,
                )
        except FailureError as error:
            self._objection = _said(error)
            workflow.set_current_details(f"May not be: {self._objection.message}")
            return False
        return True

    async def _decided(self) -> None:
        """Wait for an admin, and remind ops every day."""
        reminders = 0
        workflow.set_current_details("Waiting for an admin to decide")
        while self._stands(RequestStatus.ASKED):
            due = workflow.now() + self._terms.remind_every
            if await until(lambda: not self._stands(RequestStatus.ASKED), due, "remind ops"):
                return
            reminders += 1
            # The database may know of a decision whose task was lost.
            await self._tell_ops(Alert.COMPLAINT_WAITS, f"waits:{reminders}")

    async def _settled(self) -> None:
        """Give back what was granted, however often Stripe has to be asked, and tell the order."""
        since, refused = workflow.now(), 0
        overdue = since + self._terms.overdue_after
        while True:
            if self._stands(RequestStatus.GRANTED):
                reason = await self._give_back(refused)
                if reason:
                    refused += 1
                    if workflow.now() >= since + self._terms.give_up_after:
                        await self._give_up(reason)
            await self._tell_the_order()
            if not self._stands(RequestStatus.GRANTED):
                return
            if workflow.now() >= overdue and not refused:
                await self._tell_ops(Alert.REFUND_OVERDUE, "overdue")
            again = workflow.now() + self._terms.ask_again_after
            workflow.set_current_details(f"Asking Stripe again at {again:%Y-%m-%d %H:%M} UTC")
            await workflow.sleep(self._terms.ask_again_after, summary="ask Stripe again")

    async def _give_back(self, refused: int) -> str | None:
        """Have the refund made, or looked at; answers with why Stripe does not, if so."""
        try:
            self._request = await workflow.execute_activity_method(
                RefundActivities.give_back,
                GiveBack(request_id=self._known.id, refused_before=refused),
                summary=f"give {self._known.granted_cents} cents back",
                **stripe_call(within=HOWEVER_LONG),
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            if not isinstance(error.cause, ApplicationError):
                # Stripe was away all the while: who knows whether it was made.
                return None
            await self._tell_ops(Alert.REFUND_REFUSED, f"refused:{refused}")
            return error.cause.message
        return None

    async def _give_up(self, reason: str) -> None:
        self._request = await workflow.execute_local_activity_method(
            RefundActivities.give_refund_up,
            GiveUp(request_id=self._known.id, reason=reason),
            summary="give the refund up",
            **DATABASE,
        )

    async def _tell_ops(self, alert: Alert, key: str) -> None:
        self._request = await workflow.execute_local_activity_method(
            RefundActivities.alarm_of_refund,
            RefundAlarm(request_id=self._known.id, alert=alert, key=key),
            summary=f"tell ops: {key}",
            **DATABASE,
        )

    async def _tell_the_order(self) -> None:
        request = self._known
        if request.kind is RefundKind.COMPLAINT:
            await tell_order(request.order_id, OrderWorkflow.complaint_settled, self._fact())
        elif request.stripe_refund_id is not None:
            settled = RefundSettled(refund_id=request.stripe_refund_id)
            await tell_order(request.order_id, OrderWorkflow.refund_settled, settled)

    def _fact(self) -> Complaint:
        request = self._known
        return Complaint(
            request_id=request.id,
            by=request.decided_by or request.asked_by,
            reason=request.decision_note or request.reason,
        )


def _said(error: FailureError) -> ApplicationError:
    """What an activity that refused has said. Raises what has another cause."""
    # A local activity's own failure comes without an ActivityError around it.
    said = error.cause if isinstance(error, ActivityError) else error
    if isinstance(said, ApplicationError):
        return said
    raise error
