"""What an order costs the server that runs it: exact, and small."""

from collections import Counter

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from domain.order_status import OrderStatus
from local.cast import Cast
from local.people import until

S = OrderStatus


async def test_the_demos_path_costs_ninety_events_and_eleven_workflow_tasks(
    play: Cast,
) -> None:
    """Placed, paid, accepted, cooked, declined once, accepted, driven, near the door, delivered."""
    order = await play.bring(S.READY_FOR_PICKUP)
    offer = await play.offered(0, order)
    await play.drivers[0].post(f"/delivery/offers/{offer['id']}/decline", reason="flat tyre")
    await play.take(1, order)
    await play.driver_says(1, order, "picked_up")
    await play.driver_says(1, order, "in_transit")
    door = play.world.door
    await play.drivers[1].post(
        "/delivery/location", latitude=door.latitude, longitude=door.longitude
    )
    await until(lambda: _is_near(play, order["id"]))
    await play.driver_says(1, order, "delivered")

    client = await Client.connect(play.environment["TEMPORAL_ADDRESS"])
    workflow = client.get_workflow_handle(f"order-{order['id']}")
    await workflow.result()
    history = await workflow.fetch_history()
    events = Counter(
        EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history.events
    )
    assert not any("CHILD" in name for name in events), "its cost would have to be counted too"
    assert events["WORKFLOW_TASK_COMPLETED"] == 11
    assert len(history.events) == 90
    # Everything but the call to Stripe is done where the workflow runs, and waits in no queue.
    assert events["ACTIVITY_TASK_SCHEDULED"] == 1


async def _is_near(play: Cast, order_id: str) -> bool:
    order = await play.customer.get(f"/orders/{order_id}")
    return order["nearDoorAt"] is not None
