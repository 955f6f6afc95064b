"""Messages to the workflows of accounts that end."""

from temporalio.client import WithStartWorkflowOperation

from api.engine.door import Door, EngineBusy, taking_up
from schema.messages.erasure import Ending, ErasureStart
from workflows.erasure import ErasureWorkflow
from workflows.options import PAYOUTS_QUEUE


class People:
    """Accounts end, and are had back."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def end(self, start: ErasureStart) -> Ending:
        """Have an account end after its time of grace; one that is to end already ends as it was
        said. Raises EngineBusy.
        """
        ending: Ending | None = await self._door.ask(
            ErasureWorkflow.ask, start=_erasure(start, "an account is to end")
        )
        if ending is None:
            # It was had back just then: the next request begins anew.
            raise EngineBusy
        return ending

    async def take_back(self, start: ErasureStart) -> bool:
        """Have an account back; False where it was not to end, or it is too late.

        Raises EngineBusy.
        """
        start = start.model_copy(update={"asked": False})
        is_back: bool = await self._door.ask(
            ErasureWorkflow.take_back, start=_erasure(start, "taken up again: take_back")
        )
        return is_back


def _erasure(start: ErasureStart, why: str) -> WithStartWorkflowOperation[ErasureWorkflow, None]:
    return taking_up(
        ErasureWorkflow.run,
        start,
        workflow_id=f"erasure-{start.user_id}",
        task_queue=PAYOUTS_QUEUE,
        why=why,
    )
