"""What happens by the clock is set up once, whoever starts, and follows the settings."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import Client, ScheduleActionStartWorkflow, ScheduleOverlapPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from local.servers import program
from schema.messages.reconciliation import Reconciling
from settings import Settings
from workflows.options import PAYOUTS_QUEUE
from workflows.schedules import FORGETTING, RECONCILIATION, ensure_schedules


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A Temporal without a schedule."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=program("temporal"), data_converter=pydantic_data_converter
    ) as env:
        yield env.client


async def test_schedules_are_made_once_and_follow_the_settings(
    client: Client, settings: Settings
) -> None:
    nightly = settings.model_copy(update={"reconciliation_cron": "30 8 * * *"})
    await ensure_schedules(client, nightly)
    handle = client.get_schedule_handle(RECONCILIATION)
    await handle.pause(note="Stripe is away")
    await ensure_schedules(client, nightly)
    later = nightly.model_copy(
        update={"reconciliation_cron": "0 9 * * *", "reconciliation_overlap_seconds": 3600}
    )
    await ensure_schedules(client, later)

    described = await handle.describe()
    schedule = described.schedule
    listed = {one.id async for one in await client.list_schedules()}
    assert listed <= {RECONCILIATION, FORGETTING, "payouts-austin"}
    assert (schedule.state.paused, schedule.state.note) == (True, "Stripe is away")
    assert [fires.hour for fires in described.info.next_action_times[:2]] == [9, 9]
    assert schedule.policy.overlap is ScheduleOverlapPolicy.BUFFER_ONE
    assert schedule.policy.catchup_window == timedelta(days=1)
    action = schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    assert (action.workflow, action.id, action.task_queue) == (
        "ReconciliationWorkflow",
        RECONCILIATION,
        PAYOUTS_QUEUE,
    )
    (start,) = await pydantic_data_converter.decode(action.args, [Reconciling])
    assert start.patience.overlap == timedelta(hours=1)


async def test_a_temporal_without_schedules_is_no_reason_not_to_work(settings: Settings) -> None:
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=program("temporal-test-server"),
        data_converter=pydantic_data_converter,
    ) as env:
        await ensure_schedules(env.client, settings)
