"""What a suspension does to open orders, by their own workflows: cancelled, or given to others."""

from typing import Any

import structlog
from temporalio import activity
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from activities.market_terms import MarketTerms
from domain.cancellation import Fault
from domain.order_status import Actor
from schema.database import Database
from schema.messages.base import Message
from schema.messages.order import Command, OperatorCancel, OrderStart, Who
from schema.messages.suspensions import Deed, OrderDue, SuspensionStart
from schema.queries import suspensions

_log = structlog.get_logger()


class DueOrder(Message):
    """What is to be done about an order, and because of whose suspension."""

    start: SuspensionStart
    order: OrderDue


class SuspensionActivities:
    """Reaches the workflows of orders. `run` is the order workflow's run method, `cancel`,
    `unassign` and `catch_up` are its updates, `task_queue` is where it is worked on.
    """

    def __init__(
        self,
        database: Database,
        client: Client,
        run: Any,
        *,
        cancel: Any,
        unassign: Any,
        catch_up: Any,
        task_queue: str,
        terms: MarketTerms,
    ) -> None:
        self._database = database
        self._client = client
        self._run = run
        self._cancel = cancel
        self._unassign = unassign
        self._catch_up = catch_up
        self._task_queue = task_queue
        self._terms = terms

    @activity.defn
    async def orders_due(self, start: SuspensionStart) -> list[OrderDue]:
        """What is still to be done, as the database knows it; a local activity."""
        async with self._database.read() as session:
            return await suspensions.due(session, start.user_id)

    @activity.defn
    async def deal_with_order(self, asked: DueOrder) -> bool:
        """Have an order's workflow do what is due, if it still is; False when it refuses, since it
        has moved on.

        The same request has one effect. A run that has ended is taken up again first, and one that
        knows less than the database catches up.
        """
        order = asked.order
        async with self._database.read() as session:
            if not await suspensions.still_due(session, asked.start.user_id, order):
                return False
        update, request = self._request(order)
        try:
            await self._client.execute_update_with_start_workflow(
                self._catch_up,
                id=f"catch-up:{order.key}:{order.sequence}",
                start_workflow_operation=await self._taken_up(order),
            )
            handle: WorkflowHandle[Any, Any] = self._client.get_workflow_handle(
                f"order-{order.order_id}"
            )
            await handle.execute_update(
                update, request, id=f"{update.__name__}:{order.key}:{order.sequence}"
            )
        except WorkflowUpdateFailedError as refused:
            _log.info("not done", order_id=str(order.order_id), why=str(refused.cause))
            return False
        return True

    def _request(self, order: OrderDue) -> tuple[Any, Message]:
        by = Who(role=Actor.ADMIN, id=order.by)
        match order.deed:
            case Deed.CANCEL_OF_CUSTOMER:
                why = "customer_suspended"
                return self._cancel, OperatorCancel(by=by, reason=why, fault=Fault.PLATFORM)
            case Deed.CANCEL_OF_CHEF:
                why = "chef_suspended"
                return self._cancel, OperatorCancel(by=by, reason=why, fault=Fault.CHEF)
            case Deed.UNASSIGN:
                return self._unassign, Command(by=by, reason="driver_suspended")

    async def _taken_up(self, order: OrderDue) -> WithStartWorkflowOperation[Any, Any]:
        return WithStartWorkflowOperation(
            self._run,
            OrderStart(order_id=order.order_id, terms=await self._terms.of(order.order_id)),
            id=f"order-{order.order_id}",
            task_queue=self._task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=f"taken up again: {order.deed}",
        )
