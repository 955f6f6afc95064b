"""The end of an account: time to think again, then what is open is finished, then all is forgotten.

What it knows is in its row, so that a run which was ended is simply started again. Until nobody
gets in any more its owner may have the account back.
"""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy

from workflows.options import DATABASE, HEARTBEAT, PAYOUTS_QUEUE
from workflows.steps import until

with workflow.unsafe.imports_passed_through():
    from activities.erasure import ErasureActivities
    from schema.messages.erasure import Begin, EndAt, Ending, ErasureStart, UserRef

# Files and rows of years; what is away, or says no, is asked again until all is forgotten.
_FORGET: dict[str, Any] = {
    "task_queue": PAYOUTS_QUEUE,
    "start_to_close_timeout": timedelta(minutes=30),
    "heartbeat_timeout": HEARTBEAT,
    "retry_policy": RetryPolicy(maximum_interval=timedelta(minutes=1)),
}


@workflow.defn
class ErasureWorkflow:
    """One account's end."""

    @workflow.init
    def __init__(self, start: ErasureStart) -> None:
        self._whose = UserRef(user_id=start.user_id)
        self._terms = start.terms
        self._ending: Ending | None = None
        self._has_looked = False
        self._is_back = False
        self._door = asyncio.Lock()

    @workflow.run
    async def run(self, start: ErasureStart) -> None:
        """Live until there is nothing left to forget, or the account is had back."""
        now = workflow.now()
        self._ending = await workflow.execute_local_activity_method(
            ErasureActivities.begin_erasure,
            Begin(
                user_id=start.user_id,
                at=now,
                erase_at=now + start.terms.grace if start.asked else None,
            ),
            summary="begin",
            **DATABASE,
        )
        self._has_looked = True
        if self._ending is not None and await self._closed(start):
            await self._forget()
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.update
    async def ask(self) -> Ending | None:
        """How the account's end stands, once it is written down; None where it is had back."""
        await workflow.wait_condition(lambda: self._has_looked)
        return None if self._is_back else self._ending

    @workflow.update
    async def take_back(self) -> bool:
        """Have the account back; False where it is too late for that. Twice is once."""
        await workflow.wait_condition(lambda: self._has_looked)
        async with self._door:
            if not self._is_back and self._ending is not None:
                self._is_back = await workflow.execute_local_activity_method(
                    ErasureActivities.take_erasure_back,
                    self._whose,
                    summary="have it back",
                    **DATABASE,
                )
        return self._is_back

    async def _closed(self, start: ErasureStart) -> bool:
        """Wait for the day, and for what is open then; False where the account is had back."""
        ending = self._ending
        if ending is None:
            return False
        due = ending.erase_at
        while ending.closed_at is None:
            workflow.set_current_details(f"Ends at {due:%Y-%m-%d %H:%M} UTC, if nothing is open")
            if await until(lambda: self._is_back, due, "the account ends"):
                return False
            async with self._door:
                seen = None if self._is_back else await self._try_to_close()
            if seen is None:
                self._is_back = True
                return False
            ending = self._ending = seen
            due = workflow.now() + self._terms.look_again
            if ending.closed_at is None and workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(start.model_copy(update={"asked": False}))
        return True

    async def _try_to_close(self) -> Ending | None:
        return await workflow.execute_local_activity_method(
            ErasureActivities.close_account,
            EndAt(user_id=self._whose.user_id, at=workflow.now()),
            summary="close the account",
            **DATABASE,
        )

    async def _forget(self) -> None:
        """Forget, from the outside to the inside: what names the rest goes last."""
        workflow.set_current_details("Closed; all is about to be forgotten")
        await workflow.sleep(self._terms.settle, summary="what was let in before has come")
        await workflow.execute_activity_method(
            ErasureActivities.forget_at_stripe,
            self._whose,
            summary="forget the customer at Stripe",
            **_FORGET,
        )
        await workflow.execute_activity_method(
            ErasureActivities.forget_files, self._whose, summary="forget files", **_FORGET
        )
        while not await self._erased():
            await workflow.sleep(self._terms.look_again, summary="something is open again")
        await workflow.execute_activity_method(
            ErasureActivities.forget_position, self._whose, summary="forget where", **_FORGET
        )
        workflow.set_current_details("Forgotten")

    async def _erased(self) -> bool:
        return await workflow.execute_activity_method(
            ErasureActivities.erase,
            EndAt(user_id=self._whose.user_id, at=workflow.now()),
            summary="forget somebody",
            **_FORGET,
        )
