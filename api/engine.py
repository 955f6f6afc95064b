"""The one door from the facade to Temporal."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from schema.messages.base import Message
from schema.messages.disputes import DisputeRef
from schema.messages.order import OrderStart, Placed, Placing, Refusal, StatusView, Terms
from schema.messages.payees import AccountUpdated, LinkAsk, OnboardingLink, PayeeRef
from schema.messages.refund import Decision, RefundStart, RefundView
from schema.queries.order_views import Access
from workflows import search
from workflows.connection import connect
from workflows.dispute import DisputeWorkflow
from workflows.onboarding import OnboardingWorkflow
from workflows.options import ORDERS_QUEUE, PAYOUTS_QUEUE
from workflows.order import OrderWorkflow
from workflows.refund import RefundWorkflow
from workflows.schedules import RECONCILIATION

_log = structlog.get_logger()


class Refused(Exception):
    """The order's workflow refused a request: `kind` is why, `refusal` where the order stands."""

    def __init__(self, kind: str, words: str, refusal: Refusal | None) -> None:
        super().__init__(words)
        self.kind, self.refusal = kind, refusal

    def is_behind(self, order: Access) -> bool:
        """Whether the refusal knows less of the order than the database does."""
        return (
            self.refusal is not None
            and self.kind != "NotBegun"
            and self.refusal.sequence < order.sequence
        )


class OrderClosed(Exception):
    """The order's workflow has ended: there is nobody to ask any more."""


class EngineBusy(Exception):
    """Temporal or its workers did not answer in time; the request may still take effect."""


class Engine:
    """Starts workflows and passes messages to them."""

    def __init__(self, client: Client, terms: Terms, patience: timedelta) -> None:
        self._client = client
        self._terms = terms
        self._patience = patience.total_seconds()

    @classmethod
    async def connected(cls, terms: Terms, patience: timedelta) -> "Engine":
        """An engine at the Temporal that the environment names."""
        # Whoever only reads is served while Temporal is away.
        return cls(await connect(lazy=True), terms, patience)

    async def ready(self) -> bool:
        """Whether Temporal answers."""
        try:
            async with self._answers():
                return await self._client.service_client.check_health()
        except EngineBusy:
            return False

    async def place(self, placing: Placing) -> Placed:
        """Start an order, or find it started, and answer when it waits for its payment.

        Raises Refused (it could not be placed), EngineBusy.
        """
        order = placing.order
        start = WithStartWorkflowOperation(
            OrderWorkflow.run,
            OrderStart(order_id=order.id, terms=self._terms, placing=placing),
            id=_workflow_id(order.id),
            task_queue=ORDERS_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=TypedSearchAttributes(search.attributes(order)),
            static_summary=f"{order.kitchen_name}: {len(placing.lines)} dishes,"
            f" {order.price.total_cents} {order.price.currency} cents",
        )
        async with self._answers():
            return await self._client.execute_update_with_start_workflow(
                OrderWorkflow.place, id="place", start_workflow_operation=start
            )

    async def placed(self, order_id: UUID) -> Placed:
        """The answer that placing this order had, however long ago.

        Raises Refused, OrderClosed (its history is gone), EngineBusy.
        """
        async with self._answers():
            return await self._handle(order_id).execute_update(OrderWorkflow.place, id="place")

    async def ask(self, order: Access, update: Any, request: Message, *, key: str) -> StatusView:
        """Ask an order's workflow for something; the same `key` gets the same answer.

        Raises Refused, OrderClosed, EngineBusy.
        """
        try:
            return await self._execute(order.order_id, update, request, key)
        except Refused as refused:
            if not refused.is_behind(order):
                raise
        # The database is ahead of the workflow: a task was lost after its commit, and with it the
        # update that it belonged to. The workflow adopts the step, then it is asked again.
        async with self._answers():
            await self._handle(order.order_id).execute_update(
                OrderWorkflow.catch_up, id=f"catch-up:{order.sequence}"
            )
        try:
            return await self._execute(order.order_id, update, request, key)
        except Refused as refused:
            if not refused.is_behind(order) or refused.refusal is None:
                raise
            behind = refused.refusal.sequence
        # Or it is the answer that the same request had earlier, when it lost a race; the order has
        # come back to where the request makes sense, and it is a new one.
        return await self._execute(order.order_id, update, request, f"{key}:after-{behind}")

    async def ask_again(
        self, order_id: UUID, update: Any, request: Message, *, key: str
    ) -> StatusView:
        """Ask an order's workflow for something, and take it up again for that if it has ended.

        Raises Refused, OrderClosed, EngineBusy.
        """
        start = WithStartWorkflowOperation(
            OrderWorkflow.run,
            OrderStart(order_id=order_id, terms=self._terms),
            id=_workflow_id(order_id),
            task_queue=ORDERS_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=f"taken up again: {update.__name__}",
        )
        async with self._answers():
            answer: StatusView = await self._client.execute_update_with_start_workflow(
                update, request, id=key, start_workflow_operation=start
            )
            return answer

    async def ask_for_refund(self, start: RefundStart) -> RefundView:
        """Start a request for a refund, or find it, and answer when it is written down.

        Raises Refused (it may not be), EngineBusy.
        """
        async with self._answers():
            return await self._client.execute_update_with_start_workflow(
                RefundWorkflow.ask, start_workflow_operation=_refund(start)
            )

    async def decide_refund(self, start: RefundStart, decision: Decision) -> RefundView:
        """Pass an admin's decision on a complaint on; the same decision gets the same answer.

        Raises Refused, EngineBusy.
        """
        async with self._answers():
            return await self._client.execute_update_with_start_workflow(
                RefundWorkflow.decide, decision, start_workflow_operation=_refund(start)
            )

    async def tell(self, order_id: UUID, signal: Any, *fact: Message) -> None:
        """Tell an order's workflow a fact; one that has ended is taken up again for it.

        Raises EngineBusy.
        """
        start = OrderStart(order_id=order_id, terms=self._terms)
        await self._tell(OrderWorkflow.run, start, _workflow_id(order_id), signal, fact)

    async def tell_dispute(self, dispute_id: str) -> None:
        """Tell a dispute's workflow that something has changed; the first time, it begins by that.

        Raises EngineBusy.
        """
        await self._tell(
            DisputeWorkflow.run,
            DisputeRef(dispute_id=dispute_id),
            _dispute_workflow_id(dispute_id),
            DisputeWorkflow.changed,
        )

    async def ask_dispute(
        self, dispute_id: str, update: Any, request: Message, *, key: str
    ) -> None:
        """Ask a dispute's workflow for something, be a run of it there or not.

        Raises Refused, EngineBusy.
        """
        start = WithStartWorkflowOperation(
            DisputeWorkflow.run,
            DisputeRef(dispute_id=dispute_id),
            id=_dispute_workflow_id(dispute_id),
            task_queue=ORDERS_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=f"taken up: {update.__name__}",
        )
        async with self._answers():
            await self._client.execute_update_with_start_workflow(
                update, request, id=key, start_workflow_operation=start
            )

    async def take_up(self, order_id: UUID) -> None:
        """Go on with an order whose run was ended before the order was.

        Raises EngineBusy.
        """
        start = WithStartWorkflowOperation(
            OrderWorkflow.run,
            OrderStart(order_id=order_id, terms=self._terms),
            id=_workflow_id(order_id),
            task_queue=ORDERS_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary="taken up again: its last run ended before the order did",
        )
        async with self._answers():
            await self._client.execute_update_with_start_workflow(
                OrderWorkflow.catch_up, id="take-up", start_workflow_operation=start
            )

    async def onboard(self, payee: PayeeRef, ask: LinkAsk) -> OnboardingLink:
        """A page of Stripe's for a payee, whose account is opened where there is none.

        Raises Refused, EngineBusy.
        """
        start = WithStartWorkflowOperation(
            OnboardingWorkflow.run,
            payee,
            id=_onboarding_id(payee),
            task_queue=PAYOUTS_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=TypedSearchAttributes(search.attributes_of_payee(payee)),
            static_summary=f"the account of a {payee.kind}",
        )
        try:
            async with self._answers():
                return await self._client.execute_update_with_start_workflow(
                    OnboardingWorkflow.link, ask, start_workflow_operation=start
                )
        except OrderClosed as closed:
            # The run was ended just then: the next request starts another.
            raise EngineBusy from closed

    async def tell_of_account(self, payee: PayeeRef, fact: AccountUpdated) -> None:
        """Tell a payee's workflow that his account has changed; one that has ended starts again.

        Raises EngineBusy.
        """
        async with self._answers():
            await self._client.start_workflow(
                OnboardingWorkflow.run,
                payee,
                id=_onboarding_id(payee),
                task_queue=PAYOUTS_QUEUE,
                start_signal=OnboardingWorkflow.account_updated.__name__,
                start_signal_args=[fact],
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                search_attributes=TypedSearchAttributes(search.attributes_of_payee(payee)),
                static_summary=f"the account of a {payee.kind}",
            )

    async def _tell(
        self,
        run: Any,
        start: Message,
        workflow_id: str,
        signal: Any,
        fact: Sequence[Message] = (),
    ) -> None:
        async with self._answers():
            await self._client.start_workflow(
                run,
                start,
                id=workflow_id,
                task_queue=ORDERS_QUEUE,
                # By the method's own name: a signal that no workflow knows would be lost unseen.
                start_signal=signal.__name__,
                start_signal_args=fact,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                static_summary=f"taken up: {signal.__name__}",
            )

    async def reconcile(self) -> None:
        """Have Stripe's transactions held against the books now, or when the present run ends.

        Raises EngineBusy.
        """
        try:
            async with self._answers():
                await self._client.get_schedule_handle(RECONCILIATION).trigger()
        except OrderClosed as missing:
            # The first worker that starts makes the schedule.
            raise EngineBusy from missing

    def _handle(self, order_id: UUID) -> WorkflowHandle[OrderWorkflow, StatusView]:
        return self._client.get_workflow_handle_for(OrderWorkflow.run, _workflow_id(order_id))

    async def _execute(
        self,
        order_id: UUID,
        update: Any,
        request: Message,
        key: str,
    ) -> StatusView:
        async with self._answers():
            answer: StatusView = await self._handle(order_id).execute_update(
                update, request, id=key
            )
            return answer

    @asynccontextmanager
    async def _answers(self) -> AsyncIterator[None]:
        """Temporal's errors in the facade's words."""
        try:
            async with asyncio.timeout(self._patience):
                yield
        except WorkflowUpdateFailedError as failed:
            raise _refused(failed.cause) from failed
        except WorkflowAlreadyStartedError as closed:
            raise OrderClosed from closed
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise OrderClosed from error
            _log.warning("temporal does not answer", status=error.status.name, error=str(error))
            raise EngineBusy from error
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError, RuntimeError) as error:
            # RuntimeError is how the SDK says that it could not connect in the first place.
            raise EngineBusy from error


# What Temporal says of an update that was let in and not answered before the workflow ended.
_ENDED_MEANWHILE = "AcceptedUpdateCompletedWorkflow"


def _workflow_id(order_id: UUID) -> str:
    return f"order-{order_id}"


def _refund(
    start: RefundStart,
) -> WithStartWorkflowOperation[RefundWorkflow, RefundView | None]:
    """What a request's workflow is found by, and taken up again if it has ended."""
    return WithStartWorkflowOperation(
        RefundWorkflow.run,
        start,
        id=f"refund-{start.request_id}",
        task_queue=ORDERS_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"{start.ask.kind}: {start.ask.reason}" if start.ask else "taken up again",
    )


def _onboarding_id(payee: PayeeRef) -> str:
    return f"onboarding-{payee.payee_id}"


def _dispute_workflow_id(dispute_id: str) -> str:
    return f"dispute-{dispute_id}"


def _refused(cause: BaseException | None) -> Refused | OrderClosed:
    if not isinstance(cause, ApplicationError):
        return Refused("Failed", str(cause), None)
    if cause.type == _ENDED_MEANWHILE:
        return OrderClosed()
    refusal = Refusal.model_validate(cause.details[0]) if cause.details else None
    return Refused(cause.type or "Failed", cause.message, refusal)
