"""Histories that were recorded of every way an order or a dispute can end, and of what happens to
a payee's account, still replay with today's code.
"""

import json
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.workflows.impatient import ImpatientOrderWorkflow
from tests.workflows.record_histories import FOLDER, ONBOARDING, ONBOARDING_STORIES, STORIES
from workflows.dispute import DisputeWorkflow
from workflows.onboarding import OnboardingWorkflow
from workflows.order import OrderWorkflow

HISTORIES = sorted(FOLDER.glob("*.json"))
ACCOUNTS = sorted(ONBOARDING.glob("*.json"))


def recorded(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(path.stem, json.loads(path.read_text()))


async def replay(path: Path, *kinds: type) -> None:
    replayer = Replayer(workflows=kinds, data_converter=pydantic_data_converter)
    await replayer.replay_workflow(recorded(path))


def test_there_is_a_history_of_every_story() -> None:
    assert {path.stem for path in HISTORIES} == {story.__name__ for story in STORIES}
    assert {path.stem for path in ACCOUNTS} == {story.__name__ for story in ONBOARDING_STORIES}


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_recorded_history_replays(path: Path) -> None:
    await replay(path, OrderWorkflow, DisputeWorkflow)


@pytest.mark.parametrize("path", ACCOUNTS, ids=lambda path: path.stem)
async def test_a_recorded_history_of_an_account_replays(path: Path) -> None:
    await replay(path, OnboardingWorkflow)


async def test_a_workflow_that_does_otherwise_is_caught() -> None:
    with pytest.raises(workflow.NondeterminismError):
        await replay(FOLDER / "delivered.json", ImpatientOrderWorkflow)
