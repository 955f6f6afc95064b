"""Messages to the workflows of zones, which find drivers for orders."""

from collections.abc import Sequence
from uuid import UUID

from api.engine.door import Door, EngineBusy, OrderClosed, taking_up
from schema.messages.dispatch import Declined, OfferAnswer, ZoneOrder, ZoneStart
from workflows import search
from workflows.options import DISPATCH_QUEUE
from workflows.zone import ZoneDispatchWorkflow


class Zones:
    """Offers are declined, orders looked at again."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def decline(self, zone: str, answer: OfferAnswer) -> Declined:
        """A driver's no to an offer that the zone made; a zone that is gone is started for it.

        Raises Refused (the offer is gone), EngineBusy.
        """
        start = taking_up(
            ZoneDispatchWorkflow.run,
            ZoneStart(zone=zone),
            workflow_id=_workflow_id(zone),
            task_queue=DISPATCH_QUEUE,
            why=f"dispatch in {zone}",
            found_by=search.attributes_of_zone(zone),
        )
        try:
            declined: Declined = await self._door.ask(
                ZoneDispatchWorkflow.decline, answer, start=start, key=f"decline:{answer.offer_id}"
            )
        except OrderClosed as closed:
            # The run was ended just then: the next request starts another.
            raise EngineBusy from closed
        return declined

    async def look(self, zones: Sequence[str], order_id: UUID) -> None:
        """Have zones look again at an order, about which something has changed.

        Raises EngineBusy.
        """
        for zone in zones:
            await self._door.tell(
                ZoneDispatchWorkflow.run,
                ZoneStart(zone=zone),
                ZoneDispatchWorkflow.join,
                [ZoneOrder(order_id=order_id)],
                workflow_id=_workflow_id(zone),
                task_queue=DISPATCH_QUEUE,
                found_by=search.attributes_of_zone(zone),
            )


def _workflow_id(zone: str) -> str:
    return f"dispatch-{zone}"
