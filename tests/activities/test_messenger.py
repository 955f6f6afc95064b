"""Facts told by other workflows: an order that is taken up again has the terms of its market."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy import update
from sqlmodel import col

from activities.market_terms import MarketTerms
from activities.messenger import Messenger, Telling
from local import world as worlds
from schema.database import Database
from schema.messages.order import OrderStart
from schema.queries import orders
from schema.tables import MarketSetting, Order
from settings import Settings
from workflows.connection import connect
from workflows.order import OrderWorkflow


async def test_an_order_is_taken_up_again_with_the_terms_that_it_was_placed_under(
    environment: Mapping[str, str], database: Database, settings: Settings
) -> None:
    client = await connect(environment)
    world, market = await worlds.settle(database), f"city-{uuid4().hex}"
    placing = world.placing()
    order_id = placing.order.id
    async with database.write() as session:
        await orders.begin(session, placing)
        await session.execute(update(Order).where(col(Order.id) == order_id).values(market=market))
        session.add(
            MarketSetting(
                market=market,
                effective_from=datetime.now(UTC) - timedelta(days=1),
                values={"pickup_overdue_seconds": 77},
                created_by=world.admin.user_id,
                reason="to see",
            )
        )
    messenger = Messenger(
        client, OrderWorkflow.run, f"nobody-works-here-{market}", MarketTerms(settings, database)
    )

    await messenger.tell_order(Telling(order_id=order_id, signal="heard", fact={}))

    run = client.get_workflow_handle(f"order-{order_id}")
    events = (await run.fetch_history()).events
    await run.terminate()
    said = events[0].workflow_execution_started_event_attributes.input.payloads
    (start,) = await client.data_converter.decode(said, [OrderStart])
    assert start.terms.pickup_overdue == timedelta(seconds=77)
