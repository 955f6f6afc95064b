"""Histories of workflows: fetched from Temporal or read from files, and replayed."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Protocol

from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from finance import deeds
from workflows.payout import PayoutWorkflow
from workflows.payout_run import PayoutRunWorkflow

WORKFLOWS: Sequence[type] = (PayoutWorkflow, PayoutRunWorkflow)
# So many requests to Temporal at once, and so many ids in one question.
_AT_ONCE = 20
_TO_A_QUESTION = 50


class Histories(Protocol):
    """Where histories come from."""

    async def of(
        self, ids: Collection[str], runs: Iterable[tuple[str, str]] = ()
    ) -> Mapping[str, list[WorkflowHistory]]:
        """The histories of all runs of these workflows, the first first; none for unknown ones.

        `runs` are runs that are known of otherwise.
        """


class FromTemporal:
    """Histories that Temporal still has."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._some = asyncio.Semaphore(_AT_ONCE)

    async def of(
        self, ids: Collection[str], runs: Iterable[tuple[str, str]] = ()
    ) -> Mapping[str, list[WorkflowHistory]]:
        known: dict[str, set[str]] = {workflow_id: set() for workflow_id in ids}
        for workflow_id, run_id in runs:
            if workflow_id in known:
                known[workflow_id].add(run_id)
        for workflow_id, run_id in await self._listed(list(known)):
            known[workflow_id].add(run_id)
        found = await asyncio.gather(
            *(self._all_runs(workflow_id, run_ids) for workflow_id, run_ids in known.items())
        )
        return dict(zip(known, found, strict=True))

    async def _all_runs(self, workflow_id: str, runs: set[str]) -> list[WorkflowHistory]:
        wanted, found = set(runs), dict[str, WorkflowHistory]()
        latest = await self._latest(workflow_id)
        if latest is not None:
            wanted.add(latest)
        while wanted:
            run_id = wanted.pop()
            history = await self._run(workflow_id, run_id)
            if history is None:
                continue
            found[run_id] = history
            before = deeds.run_before(history)
            if before is not None and before not in found:
                wanted.add(before)
        return _in_order(found.values())

    async def _latest(self, workflow_id: str) -> str | None:
        async with self._some:
            try:
                return (await self._client.get_workflow_handle(workflow_id).describe()).run_id
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return None
                raise

    async def _run(self, workflow_id: str, run_id: str) -> WorkflowHistory | None:
        handle = self._client.get_workflow_handle(workflow_id, run_id=run_id)
        async with self._some:
            try:
                return await handle.fetch_history()
            except RPCError as error:
                # Closed for longer than the namespace keeps what is closed.
                if error.status is RPCStatusCode.NOT_FOUND:
                    return None
                raise

    async def _listed(self, ids: Sequence[str]) -> list[tuple[str, str]]:
        """All runs of workflows: one that was terminated and begun again has several."""
        found = list[tuple[str, str]]()
        for at in range(0, len(ids), _TO_A_QUESTION):
            asked = ", ".join(f"'{workflow_id}'" for workflow_id in ids[at : at + _TO_A_QUESTION])
            try:
                runs = self._client.list_workflows(f"WorkflowId IN ({asked})")
                found += [(run.id, run.run_id) async for run in runs]
            except RPCError as error:
                # Temporal's test server keeps no lists.
                if error.status is not RPCStatusCode.UNIMPLEMENTED:
                    raise
        return found


class FromFiles:
    """Histories that were exported: a file each, named by workflow and run."""

    def __init__(self, folder: Path) -> None:
        self._files: dict[str, list[Path]] = {}
        for path in sorted(folder.glob("*.json")):
            self._files.setdefault(workflow_id_of(path), []).append(path)

    def markets(self, day: date) -> list[str]:
        """The markets of whose runs for a day there are histories."""
        before = run_id(day, "")
        return [name.removeprefix(before) for name in self._files if name.startswith(before)]

    async def of(
        self, ids: Collection[str], runs: Iterable[tuple[str, str]] = ()
    ) -> Mapping[str, list[WorkflowHistory]]:
        del runs
        return {
            workflow_id: _in_order(
                WorkflowHistory.from_json(workflow_id, path.read_text())
                for path in self._files.get(workflow_id, [])
            )
            for workflow_id in ids
        }


def file_name(history: WorkflowHistory, number: int) -> str:
    """What the file of a workflow's history is called; the first of its runs has number 1."""
    return f"{history.workflow_id}.{number}.json"


def workflow_id_of(path: Path) -> str:
    """Whose history a file holds."""
    return path.stem.rpartition(".")[0]


def run_id(day: date, market: str) -> str:
    """The workflow that pays a market's payees for a day."""
    return f"payout-run-{day}-{market}"


async def replay(
    histories: Collection[WorkflowHistory], workflows: Sequence[type] = WORKFLOWS
) -> list[tuple[WorkflowHistory, str]]:
    """Replay histories with today's code: those that it would have taken otherwise, and how."""

    async def each() -> AsyncIterator[WorkflowHistory]:
        for history in histories:
            yield history

    failed = []
    replayer = Replayer(workflows=workflows, data_converter=pydantic_data_converter)
    async with replayer.workflow_replay_iterator(each()) as results:
        async for result in results:
            if result.replay_failure is not None:
                words = str(result.replay_failure).partition("\n")[0]
                failed.append((result.history, words))
    return failed


def _in_order(histories: Iterable[WorkflowHistory]) -> list[WorkflowHistory]:
    return sorted(histories, key=lambda history: history.events[0].event_time.ToNanoseconds())
