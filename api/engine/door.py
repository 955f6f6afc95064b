"""How the facade reaches Temporal, and what goes wrong there, in its own words."""

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
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from schema.messages.base import Message
from schema.messages.order import Refusal
from schema.queries.order_views import Access

_log = structlog.get_logger()

# What Temporal says of an update that was let in and not answered before the workflow ended.
_ENDED_MEANWHILE = "AcceptedUpdateCompletedWorkflow"


class Refused(Exception):
    """The order's workflow refused a request: `kind` is why, `refusal` where the order stands, and
    `order_id` which order it was that could not be placed.
    """

    def __init__(self, kind: str, words: str, refusal: Refusal | None) -> None:
        super().__init__(words)
        self.kind, self.refusal = kind, refusal
        self.order_id: UUID | None = None

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


class Door:
    """A client of Temporal, and how long the facade waits for an answer."""

    def __init__(self, client: Client, patience: timedelta) -> None:
        self.client = client
        self._patience = patience.total_seconds()

    async def tell(
        self,
        run: Any,
        start: Message,
        signal: Any,
        fact: Sequence[Message] = (),
        *,
        workflow_id: str,
        task_queue: str,
        found_by: Sequence[SearchAttributePair[Any]] = (),
    ) -> None:
        """Tell a workflow a fact; one that has ended, or never was, is started for it.

        Raises EngineBusy.
        """
        async with self.answers():
            await self.client.start_workflow(
                run,
                start,
                id=workflow_id,
                task_queue=task_queue,
                # By the method's own name: a signal that no workflow knows would be lost unseen.
                start_signal=signal.__name__,
                start_signal_args=fact,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                search_attributes=TypedSearchAttributes(found_by),
                static_summary=f"taken up: {signal.__name__}",
            )

    async def ask(self, update: Any, *request: Message, start: Any, key: str | None = None) -> Any:
        """Ask a workflow for something, starting it (`taking_up`) where there is no run of it.

        Raises Refused, OrderClosed, EngineBusy.
        """
        async with self.answers():
            return await self.client.execute_update_with_start_workflow(
                update, *request, id=key, start_workflow_operation=start
            )

    @asynccontextmanager
    async def answers(self) -> AsyncIterator[None]:
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


def taking_up(
    run: Any,
    start: Message,
    *,
    workflow_id: str,
    task_queue: str,
    why: str,
    found_by: Sequence[SearchAttributePair[Any]] = (),
) -> WithStartWorkflowOperation[Any, Any]:
    """The run of a workflow that there is, or a new one."""
    return WithStartWorkflowOperation(
        run,
        start,
        id=workflow_id,
        task_queue=task_queue,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        search_attributes=TypedSearchAttributes(found_by),
        static_summary=why,
    )


def _refused(cause: BaseException | None) -> Refused | OrderClosed:
    if not isinstance(cause, ApplicationError):
        return Refused("Failed", str(cause), None)
    if cause.type == _ENDED_MEANWHILE:
        return OrderClosed()
    refusal = Refusal.model_validate(cause.details[0]) if cause.details else None
    return Refused(cause.type or "Failed", cause.message, refusal)
