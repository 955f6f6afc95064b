"""Operators read an order's run in the Temporal UI: found by what it is about, told in words."""

from collections.abc import Mapping
from typing import Any

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle
from temporalio.converter import default

from domain.order_status import OrderStatus
from local.cast import Cast, Order
from local.people import until
from schema.messages.order import OrderStart
from workflows.connection import connect
from workflows.options import ORDERS_QUEUE
from workflows.order import OrderWorkflow

S = OrderStatus
Run = WorkflowHandle[Any, Any]


@pytest.fixture
async def temporal(environment: Mapping[str, str]) -> Client:
    return await connect(environment)


def run_of(temporal: Client, order: Order) -> Run:
    return temporal.get_workflow_handle(f"order-{order['id']}")


async def found_by(run: Run) -> dict[str, Any]:
    described = await run.describe()
    return {pair.key.name: pair.value for pair in described.typed_search_attributes}


async def details(run: Run) -> str:
    metadata = await run.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return metadata.current_details


async def test_an_order_is_found_by_state_people_zone_and_price(
    play: Cast, temporal: Client
) -> None:
    run = run_of(temporal, order := await play.bring(S.PENDING))
    of_the_order = {
        "ChefId": str(play.world.chef.id),
        "CustomerId": str(play.world.customer.id),
        "Zone": "austin",
        "TotalCents": 2660,
    }
    first = await found_by(run)
    assert of_the_order.items() <= first.items()
    assert (first["OrderStatus"], first.get("DriverId")) == ("pending", None)

    await play.pay(order)
    for status in ("accepted", "preparing", "ready_for_pickup"):
        await play.chef_says(order, status)
    await play.take(0, order)
    driver = str(play.world.drivers[0].id)
    assert {"OrderStatus": "assigned_to_driver", "DriverId": driver, **of_the_order}.items() <= (
        await found_by(run)
    ).items()

    await play.driver_says(0, order, "ready_for_pickup", reason="flat tyre")
    assert "DriverId" not in await found_by(run)


async def test_an_order_that_is_taken_up_again_is_found_as_before(
    play: Cast, temporal: Client
) -> None:
    order = await play.bring(S.ASSIGNED_TO_DRIVER)
    before = await found_by(run_of(temporal, order))
    await run_of(temporal, order).terminate("lost for good")

    run = await temporal.start_workflow(
        OrderWorkflow.run,
        OrderStart(order_id=order["id"]),
        id=f"order-{order['id']}",
        task_queue=ORDERS_QUEUE,
    )
    # Until it knows its order again, whoever wants something of it is told to come back.
    await until(lambda: details(run))
    await play.driver_says(0, order, "picked_up")
    after = await found_by(run)
    for found in (before, after):
        found.pop("BuildIds", None)
    assert after == {**before, "OrderStatus": "picked_up"}


async def test_current_details_say_what_the_order_waits_for(play: Cast, temporal: Client) -> None:
    order = await play.bring(S.PAYMENT_CONFIRMED)
    run = run_of(temporal, order)
    kitchen = (await play.chef.get(f"/orders/{order['id']}"))["chefName"]
    said = await details(run)
    assert said.startswith(f"Waiting for chef {kitchen} until ")
    assert said.endswith(" UTC")

    await play.chef_says(order, "accepted")
    assert f"Waiting for {kitchen} to have it ready by " in await details(run)


async def test_every_activity_and_timer_has_a_summary(play: Cast, temporal: Client) -> None:
    order = await play.bring(S.DELIVERED)
    run = run_of(temporal, order)
    await run.result()
    history = await run.fetch_history()
    converter = default().payload_converter
    summaries = [
        converter.from_payload(event.user_metadata.summary)
        for event in history.events
        if event.HasField("timer_started_event_attributes")
        or event.HasField("activity_task_scheduled_event_attributes")
    ]
    assert len(summaries) > 5
    assert all(summaries)
    assert {"payment deadline", "remind the chef", "ask Stripe for 2660 usd cents"} <= set(
        summaries
    )
