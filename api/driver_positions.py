"""Taking in what a driver's phone says, whichever way it comes."""

from datetime import UTC, datetime
from uuid import UUID

from api.dependencies import Services
from api.whereabouts import LocationBody, LocationOut, location
from workflows.order import OrderWorkflow


async def taken_in(held: Services, user_id: UUID, body: LocationBody) -> LocationOut:
    """Use what can be used of it. Near the door of an order in hand, its customer is told so.

    Raises Problem, EngineBusy.
    """
    now = datetime.now(UTC)
    taken = await held.locations.take(user_id, body.fixes(now), now)
    body.must_be_possible(taken.judgement.refused)
    for order_id in taken.near_door:
        await held.engine.orders.tell(order_id, OrderWorkflow.driver_near_door)
    return location(taken.judgement)
