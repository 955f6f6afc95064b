"""Messages to the workflows of suspensions."""

from uuid import UUID

from api.engine.door import Door
from schema.messages.suspensions import SuspensionStart
from workflows.options import ORDERS_QUEUE
from workflows.suspension import SuspensionWorkflow, suspension_id


class Suspensions:
    """What a suspension does to open orders is set going."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def look(self, user_id: UUID) -> None:
        """Have the open orders of somebody who is suspended, or will be within a minute, seen to.

        Raises EngineBusy.
        """
        await self._door.tell(
            SuspensionWorkflow.run,
            SuspensionStart(user_id=user_id),
            SuspensionWorkflow.look,
            workflow_id=suspension_id(user_id),
            task_queue=ORDERS_QUEUE,
        )
