"""Telling an order's workflow a fact, from another workflow."""

from typing import Any
from uuid import UUID

from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy

from activities.market_terms import MarketTerms
from schema.messages.base import Message
from schema.messages.order import OrderStart


class Telling(Message):
    """Which signal of which order's workflow, and the fact it carries."""

    order_id: UUID
    signal: str
    fact: dict[str, Any]


class Messenger:
    """Reaches orders that run and orders that have ended alike: those are taken up again.

    No workflow could do that by itself: it can signal a run or start one, not both at once. `run`
    is the order workflow's run method, `task_queue` where it is worked on.
    """

    def __init__(self, client: Client, run: Any, task_queue: str, terms: MarketTerms) -> None:
        self._client = client
        self._run = run
        self._task_queue = task_queue
        self._terms = terms

    @activity.defn
    async def tell_order(self, telling: Telling) -> None:
        """Pass a fact on; heard twice when the answer was lost, as facts may be."""
        terms = await self._terms.of(telling.order_id)
        await self._client.start_workflow(
            self._run,
            OrderStart(order_id=telling.order_id, terms=terms),
            id=f"order-{telling.order_id}",
            task_queue=self._task_queue,
            start_signal=telling.signal,
            start_signal_args=[telling.fact],
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            static_summary=f"taken up again: {telling.signal}",
        )
