"""A worker process that ends itself, as kill -9 would, at a boundary of an activity.

A boundary is where an activity's effects are not there yet, or are there and nobody has heard of
it. Only tests start this; it is `worker.working`, and nothing else.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvloop
from temporalio import activity, client, worker
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from settings import Settings
from worker import working
from workflows.options import NOTIFICATIONS_QUEUE


def work(
    settings: Settings, environment: Mapping[str, str], log: Path, dies: str | None = None
) -> None:
    """Work until killed, writing each boundary to `log` when it is reached; `dies` at that one."""
    uvloop.run(_work(settings, environment, Boundaries(log, dies)))


async def _work(
    settings: Settings, environment: Mapping[str, str], boundaries: "Boundaries"
) -> None:
    connected = await Client.connect(
        **ClientConfig.load_client_connect_config(override_env_vars=environment),
        data_converter=pydantic_data_converter,
        interceptors=[boundaries],
    )
    async with working(connected, settings):
        await asyncio.Event().wait()


class Boundaries(client.Interceptor, worker.Interceptor):
    """Counts the boundaries that this process comes to: `before make_transfer 1` and so on."""

    def __init__(self, log: Path, dies: str | None) -> None:
        super().__init__()
        self._log, self._dies = log, dies
        self._begun: Counter[str] = Counter()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        return _Bounded(next, self)

    def begin(self, kind: str) -> int:
        """An activity begins: how many of its kind have, with it."""
        self._begun[kind] += 1
        return self._begun[kind]

    def reach(self, boundary: str) -> None:
        """Write the boundary down, and die of it if that is the one."""
        with self._log.open("a") as log:
            log.write(f"{boundary}\n")
        if boundary == self._dies:
            os.kill(os.getpid(), signal.SIGKILL)


class _Bounded(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, boundaries: Boundaries) -> None:
        super().__init__(inner)
        self._boundaries = boundaries

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        kind = activity.info().activity_type
        # When a message goes out is not in step with what it is about.
        if activity.info().task_queue == NOTIFICATIONS_QUEUE:
            return await self.next.execute_activity(input)
        number = self._boundaries.begin(kind)
        self._boundaries.reach(f"before {kind} {number}")
        try:
            return await self.next.execute_activity(input)
        finally:
            self._boundaries.reach(f"after {kind} {number}")
