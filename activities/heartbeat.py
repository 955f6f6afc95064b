"""Signs of life, so that the work of a worker that died is given to another one soon, and what the
next attempt has to know of this one.
"""

import asyncio
from contextlib import suppress
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

_notes: ContextVar[list[Any] | None] = ContextVar("notes", default=None)


def note(progress: int) -> None:
    """Let the next attempt of this activity know how far this one came."""
    notes = _notes.get()
    if notes is not None:
        notes[:] = [progress]
        activity.heartbeat(progress)


def noted() -> int:
    """How far earlier attempts came; 0 if there is nothing noted."""
    notes = _notes.get()
    return int(notes[0]) if notes else 0


class Heartbeats(Interceptor):
    """Lets every activity that has a heartbeat timeout beat while it runs."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Put the beat around the activity."""
        return _Beating(next)


class _Beating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        timeout = activity.info().heartbeat_timeout
        if not timeout:
            return await self.next.execute_activity(input)
        # What the last attempt had noted stays noted.
        notes = list(activity.info().heartbeat_details)
        _notes.set(notes)
        beat = asyncio.create_task(_beat(timeout / 3, notes))
        try:
            return await self.next.execute_activity(input)
        finally:
            beat.cancel()
            with suppress(asyncio.CancelledError):
                await beat


async def _beat(every: timedelta, notes: list[Any]) -> None:
    # Most are over before the first beat is due; but what is noted must not get lost.
    if notes:
        activity.heartbeat(*notes)
    while True:
        await asyncio.sleep(every.total_seconds())
        activity.heartbeat(*notes)
