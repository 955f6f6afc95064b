"""A request for a refund in the engine room, as the facade makes it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col
from temporalio.client import WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy
from uuid_utils.compat import uuid7

from domain.ledger import Bearer
from domain.refunds import RefundKind, Rules
from schema.messages.refund import (
    Decision,
    ItemAsked,
    RefundAsk,
    RefundStart,
    RefundTerms,
    RefundView,
)
from schema.tables import OrderItem
from tests.workflows.room import Run
from workflows.options import PAYOUTS_QUEUE
from workflows.refund import RefundWorkflow

NOTHING_SMALL = RefundTerms(rules=Rules(small_cents=0))


@dataclass
class Asked:
    """One request under way."""

    run: Run
    ask: RefundAsk
    handle: WorkflowHandle[RefundWorkflow, RefundView | None]

    async def view(self) -> RefundView:
        view = await self.handle.query(RefundWorkflow.status)
        assert view is not None
        return view

    async def decide(self, grant: bool, **more: Any) -> RefundView:
        decision = Decision(
            request_id=self.ask.id,
            by=self.run.room.world.admin.user_id,
            grant=grant,
            reason="We have looked.",
            **more,
        )
        return await self.handle.execute_update(RefundWorkflow.decide, decision)

    async def result(self) -> RefundView:
        view = await self.handle.result()
        assert view is not None
        return view


async def ask(
    run: Run,
    kind: RefundKind = RefundKind.COMPLAINT,
    *,
    terms: RefundTerms = NOTHING_SMALL,
    bearer: Bearer = Bearer.CHEF,
    one_item: bool = False,
    **more: Any,
) -> Asked:
    """Have a request made, as the facade does. Raises WorkflowUpdateFailedError when it may not."""
    world, order_id = run.room.world, run.placing.order.id
    by = world.customer if kind is RefundKind.COMPLAINT else world.admin
    if one_item:
        more["items"] = (ItemAsked(order_item_id=await item_id(run), quantity=1),)
    asked = RefundAsk(
        id=uuid7(),
        order_id=order_id,
        kind=kind,
        asked_by=by.user_id,
        bearer=bearer,
        reason="quality",
        **more,
    )
    start = WithStartWorkflowOperation(
        RefundWorkflow.run,
        RefundStart(request_id=asked.id, terms=terms, ask=asked),
        id=f"refund-{asked.id}",
        task_queue=PAYOUTS_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    await run.room.client.execute_update_with_start_workflow(
        RefundWorkflow.ask, start_workflow_operation=start
    )
    return Asked(run, asked, await start.workflow_handle())


async def item_id(run: Run) -> UUID:
    async with run.room.database.read() as session:
        found = await session.scalar(
            select(col(OrderItem.id)).where(col(OrderItem.order_id) == run.placing.order.id)
        )
        assert found is not None
        return found
