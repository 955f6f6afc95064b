"""Messages to the workflows of orders."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from temporalio.client import WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import (
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)

from activities.market_terms import MarketTerms
from api.engine.door import Door, Refused, taking_up
from schema.messages.base import Message
from schema.messages.order import OrderStart, Placed, Placing, StatusView
from schema.queries.order_views import Access
from workflows import search
from workflows.options import ORDERS_QUEUE
from workflows.order import OrderWorkflow


class Orders:
    """Starts orders and passes messages to them."""

    def __init__(self, door: Door, terms: MarketTerms) -> None:
        self._door = door
        self._terms = terms

    async def place(self, placing: Placing) -> Placed:
        """Start an order, or find it started, and answer when it waits for its payment.

        Raises Refused (it could not be placed), EngineBusy.
        """
        order = placing.order
        terms = await self._terms.at(order.market, order.placed_at)
        start = WithStartWorkflowOperation(
            OrderWorkflow.run,
            OrderStart(order_id=order.id, terms=terms, placing=placing),
            id=_workflow_id(order.id),
            task_queue=ORDERS_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=TypedSearchAttributes(search.attributes(order)),
            static_summary=f"{order.kitchen_name}: {len(placing.lines)} dishes,"
            f" {order.price.total_cents} {order.price.currency} cents",
        )
        async with self._placing(order.id), self._door.answers():
            return await self._door.client.execute_update_with_start_workflow(
                OrderWorkflow.place, id="place", start_workflow_operation=start
            )

    async def placed(self, order_id: UUID) -> Placed:
        """The answer that placing this order had, however long ago.

        Raises Refused, OrderClosed (its history is gone), EngineBusy.
        """
        async with self._placing(order_id), self._door.answers():
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
        async with self._door.answers():
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
        start = await self._taken_up(order_id, update.__name__)
        answer: StatusView = await self._door.ask(update, request, start=start, key=key)
        return answer

    async def tell(self, order_id: UUID, signal: Any, *fact: Message) -> None:
        """Tell an order's workflow a fact; one that has ended is taken up again for it.

        Raises EngineBusy.
        """
        await self._door.tell(
            OrderWorkflow.run,
            OrderStart(order_id=order_id, terms=await self._terms.of(order_id)),
            signal,
            fact,
            workflow_id=_workflow_id(order_id),
            task_queue=ORDERS_QUEUE,
        )

    async def take_up(self, order_id: UUID) -> None:
        """Go on with an order whose run was ended before the order was.

        Raises EngineBusy.
        """
        await self._door.ask(
            OrderWorkflow.catch_up,
            start=await self._taken_up(order_id, "its last run ended before the order did"),
            key="take-up",
        )

    async def _taken_up(self, order_id: UUID, why: str) -> WithStartWorkflowOperation[Any, Any]:
        return taking_up(
            OrderWorkflow.run,
            OrderStart(order_id=order_id, terms=await self._terms.of(order_id)),
            workflow_id=_workflow_id(order_id),
            task_queue=ORDERS_QUEUE,
            why=f"taken up again: {why}",
        )

    @asynccontextmanager
    async def _placing(self, order_id: UUID) -> AsyncIterator[None]:
        try:
            yield
        except Refused as refused:
            refused.order_id = order_id
            raise

    def _handle(self, order_id: UUID) -> WorkflowHandle[OrderWorkflow, StatusView]:
        return self._door.client.get_workflow_handle_for(OrderWorkflow.run, _workflow_id(order_id))

    async def _execute(
        self,
        order_id: UUID,
        update: Any,
        request: Message,
        key: str,
    ) -> StatusView:
        async with self._door.answers():
            answer: StatusView = await self._handle(order_id).execute_update(
                update, request, id=key
            )
            return answer


def _workflow_id(order_id: UUID) -> str:
    return f"order-{order_id}"
