"""How a worker process begins."""

import gc
import traceback
from collections.abc import Iterator

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker.workflow_sandbox import _importer

from local.servers import program
from settings import Settings
from worker import working


@pytest.fixture
def collected_in() -> Iterator[list[list[str]]]:
    """The files that were at work at each collection of garbage, of which there are many."""
    seen: list[list[str]] = []

    def note(phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            frames = traceback.walk_stack(None)
            seen.append([frame.f_code.co_filename for frame, _ in frames])

    before = gc.get_threshold()
    gc.callbacks.append(note)
    gc.set_threshold(50)
    yield seen
    gc.set_threshold(*before)
    gc.callbacks.remove(note)


async def test_nothing_is_collected_while_the_sandbox_imports_the_workflows(
    settings: Settings, collected_in: list[list[str]]
) -> None:
    async with (
        await WorkflowEnvironment.start_time_skipping(
            test_server_existing_path=program("temporal-test-server"),
            data_converter=pydantic_data_converter,
        ) as env,
        working(env.client, settings),
    ):
        assert gc.isenabled()

    assert collected_in
    assert not [files for files in collected_in if _importer.__file__ in files]
