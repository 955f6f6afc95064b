"""Letters to the workflows that send them."""

from temporalio.common import WorkflowIDConflictPolicy

from api.engine.door import Door
from schema.messages.letters import Letter
from workflows.letter import LetterWorkflow
from workflows.options import NOTIFICATIONS_QUEUE


class Letters:
    """What is handed over is sent, unless its row never comes."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def send(self, letter: Letter) -> None:
        """Have a letter sent. Raises EngineBusy."""
        async with self._door.answers():
            await self._door.client.start_workflow(
                LetterWorkflow.run,
                letter,
                id=f"letter-{letter.challenge_id}",
                task_queue=NOTIFICATIONS_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary="a letter",
            )
