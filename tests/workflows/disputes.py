"""A delivered order in the engine room, and the dispute that its customer's bank opens."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlmodel import col
from stripe import Dispute
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.order_status import OrderStatus
from local.people import until
from schema.messages.disputes import DisputeRef, Standing
from schema.tables import AdminAction
from schema.tables import Dispute as Row
from tests.workflows.room import Room, Run
from workflows.dispute import DisputeWorkflow
from workflows.options import PAYOUTS_QUEUE


@dataclass
class DisputeRun:
    """A dispute about an order."""

    run: Run
    dispute_id: str
    handle: WorkflowHandle[DisputeWorkflow, Standing]

    @property
    def room(self) -> Room:
        return self.run.room

    async def hear(self) -> None:
        """Tell the dispute's workflow what any of Stripe's events does."""
        self.handle = await self.room.client.start_workflow(
            DisputeWorkflow.run,
            DisputeRef(dispute_id=self.dispute_id),
            id=f"dispute-{self.dispute_id}",
            task_queue=PAYOUTS_QUEUE,
            start_signal=DisputeWorkflow.changed.__name__,
        )

    async def ask(self, update: Any, request: Any) -> Standing:
        standing: Standing = await self.handle.execute_update(update, request, id=str(uuid4()))
        return standing

    async def refusal(self, update: Any, request: Any) -> ApplicationError:
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await self.ask(update, request)
        assert isinstance(failed.value.cause, ApplicationError)
        return failed.value.cause

    async def decide(self, outcome: str) -> None:
        """Let the bank decide, and Stripe's event come."""
        await self.room.stripe_control(f"disputes/{self.dispute_id}/decide", {"outcome": outcome})
        await self.hear()

    async def is_known(self) -> None:
        """Wait until the workflow has looked at Stripe and told the order."""

        async def is_told() -> bool:
            async with self.room.database.read() as session:
                row = await session.get(Row, self.dispute_id)
            return row is not None and row.told is not None

        await until(is_told)

    async def order_becomes(self, status: OrderStatus) -> None:
        """Wait until the order has taken in what it was told."""

        async def has_become() -> bool:
            return (await self.run.row()).status is status

        await until(has_become)

    async def ops_hear(self, words: str) -> None:
        """Wait until ops was told something about the order."""

        async def have_heard() -> bool:
            return any(words in told for told in await self.run.told(self.room.world.admin))

        await until(have_heard)

    def at_stripe(self) -> Dispute:
        return self.room.stripe.v1.disputes.retrieve(self.dispute_id)

    async def row(self) -> Row:
        async with self.room.database.read() as session:
            row = await session.get(Row, self.dispute_id)
            assert row is not None
            return row

    async def actions(self) -> list[str]:
        """What admins did about the order."""
        async with self.room.database.read() as session:
            found = await session.scalars(
                select(col(AdminAction.action_type))
                .where(col(AdminAction.target_id) == self.run.placing.order.id)
                .order_by(col(AdminAction.id))
            )
            return list(found)


async def delivered(room: Room) -> Run:
    """An order at its customer's door."""
    run = await room.begin()
    await run.cook()
    await run.deliver(room.world.drivers[0])
    await run.handle.result()
    return run


async def disputed(run: Run, *, paid_by: str | None = None, **how: Any) -> DisputeRun:
    """A dispute that Stripe knows of, and we not yet; about the order's payment or another."""
    room, intent_id = run.room, paid_by or run.intent_id
    await room.stripe_control("disputes", {"payment_intent": intent_id, **how})
    found = room.stripe.v1.disputes.list({"payment_intent": intent_id})
    dispute_id = found.data[0].id
    return DisputeRun(
        run, dispute_id, room.client.get_workflow_handle_for(DisputeWorkflow.run, dispute_id)
    )
