"""What is written down for partners: with the step, to whoever wants it, and to nobody else."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlmodel import col

from domain.order_status import Actor, OrderStatus
from domain.payees import PayeeKind
from domain.payouts import PayoutStatus
from domain.webhooks import EventType
from local import world as worlds
from local.payees import account_id
from local.world import World
from schema.database import Database
from schema.messages.order import Order, Transition, Who
from schema.queries import orders, webhook_endpoints, webhook_events
from schema.tables import OrderItem, Payout, WebhookDelivery, WebhookEndpoint
from schema.tables.columns import now
from tests import webhooks
from tests.databases import waited_for

S = OrderStatus


@pytest.fixture
async def world(database: Database) -> World:
    return await worlds.settle(database)


async def placed(database: Database, world: World) -> Order:
    async with database.write() as session:
        order = await orders.begin(session, world.placing())
    async with database.write() as session:
        chosen = {"id": str(order.id), "group": "Extras", "name": "ghee", "price_cents": 50}
        await session.execute(
            update(OrderItem)
            .where(col(OrderItem.order_id) == order.id)
            .values(options=[chosen], special_instructions="I am allergic to nuts.")
        )
    return order


def step(order: Order, sequence: int, was: OrderStatus, to: OrderStatus) -> Transition:
    return Transition(
        order_id=order.id,
        sequence=sequence,
        was=was,
        to=to,
        by=Who(role=Actor.STRIPE, id=None),
        at=now() + timedelta(seconds=sequence),
        reason="the customer's own words",
    )


async def take(database: Database, *steps: Transition) -> None:
    for each in steps:
        async with database.write() as session:
            await orders.record(session, each)


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    said: list[str] = []

    def note(*about: Any) -> None:
        said.append(about[2])

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    yield said
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)


async def test_a_step_is_told_to_the_kitchen_and_the_market_and_to_nobody_else(
    database: Database, world: World
) -> None:
    other = await worlds.settle(database)
    till = await webhooks.endpoint(database, world, "https://till.example.com")
    market = await webhooks.endpoint(database, world, "https://all.example.com", of_market=True)
    neighbour = await webhooks.endpoint(database, other, "https://till.example.org")
    off = await webhooks.endpoint(database, world, "https://off.example.com")
    choosy = await webhooks.endpoint(database, world, "https://choosy.example.com")
    async with database.write() as session:
        await webhook_endpoints.change(session, off.id, {"enabled": False})
        await webhook_endpoints.change(
            session, choosy.id, {"event_types": [EventType.ORDER_CANCELLED]}
        )
    order = await placed(database, world)
    paid = step(order, 2, S.PENDING, S.PAYMENT_CONFIRMED)
    accepted = step(order, 3, S.PAYMENT_CONFIRMED, S.ACCEPTED)

    # A step that is taken again was taken.
    await take(database, paid, paid, accepted)

    for partner in (till, market):
        first, second = [
            row for row in await webhooks.messages(database, partner.id) if row.order_id == order.id
        ]
        assert (first.event_type, second.event_type) == ("order.created", "order.accepted")
        assert first.id.version == 7
        assert not first.handed_over
        assert first.payload["type"] == "order.created"
        assert first.payload["timestamp"] == paid.at.isoformat().replace("+00:00", "Z")
        data = first.payload["data"]
        assert (data["sequence"], data["status"]) == (2, "payment_confirmed")
        assert (data["previousStatus"], data["totalCents"]) == ("pending", 2660)
        assert data["orderId"] == str(order.id)
        assert data["paidAt"] == first.payload["timestamp"]
        assert data["acceptedAt"] is None
        (item,) = data["items"]
        assert (item["name"], item["quantity"], item["priceCents"]) == ("Masala Dosa", 2, 1000)
        assert item["options"] == [{"group": "Extras", "name": "ghee", "priceCents": 50}]
        # Who has ordered, and what anybody has said, is nobody's business here.
        assert str(world.customer.user_id) not in str(first.payload)
        assert "allergic" not in str(first.payload)
        assert "own words" not in str(first.payload)
    for partner in (neighbour, off, choosy):
        assert await webhooks.messages(database, partner.id) == []
    async with database.write() as session:
        await webhook_endpoints.remove(session, market.id)


async def test_an_order_that_was_never_paid_is_told_to_nobody(
    database: Database, world: World
) -> None:
    till = await webhooks.endpoint(database, world, "https://till.example.com")
    order = await placed(database, world)

    await take(database, step(order, 2, S.PENDING, S.CANCELLED))

    assert await webhooks.messages(database, till.id) == []


async def test_where_nobody_wants_to_be_told_it_costs_one_statement(
    database: Database, world: World
) -> None:
    order = await placed(database, world)
    with statements(database) as said:
        async with database.write() as session:
            paid = step(order, 2, S.PENDING, S.PAYMENT_CONFIRMED)
            await webhook_events.of_step(session, paid)

    (only,) = said
    assert only.startswith("INSERT INTO webhook_deliveries")


async def test_an_endpoint_that_goes_while_a_step_is_taken_does_not_hold_the_order_up(
    database: Database, world: World
) -> None:
    going = await webhooks.endpoint(database, world, "https://till.example.com")
    order = await placed(database, world)
    async with database.write() as session:
        await webhook_endpoints.remove(session, going.id)
        taking = asyncio.create_task(take(database, step(order, 2, S.PENDING, S.PAYMENT_CONFIRMED)))
        await waited_for(session, database)

    await taking

    async with database.read() as session:
        assert len(await orders.steps_after(session, order.id, 1)) == 1
        assert await session.get(WebhookEndpoint, going.id) is None


async def test_what_a_partner_was_told_goes_with_his_endpoint(
    database: Database, world: World
) -> None:
    till = await webhooks.endpoint(database, world, "https://till.example.com")
    told = await webhooks.message(database, till)

    async with database.write() as session:
        await webhook_endpoints.remove(session, till.id)

    async with database.read() as session:
        assert await session.get(WebhookDelivery, told.id) is None


async def test_a_payout_is_told_to_its_chef_and_to_the_market_a_drivers_to_the_market_alone(
    database: Database,
) -> None:
    world = await worlds.settle(database, drivers=1)
    till = await webhooks.endpoint(database, world, "https://till.example.com")
    market = await webhooks.endpoint(database, world, "https://all.example.com", of_market=True)
    payees = [(PayeeKind.CHEF, world.chef), (PayeeKind.DRIVER, world.drivers[0])]
    for kind, payee in payees:
        payout = Payout(
            user_id=payee.user_id,
            user_type=kind,
            payee_id=payee.id,
            market="austin",
            day=date(2026, 1, 31),
            currency="usd",
            total_paid_cents=1601,
            status=PayoutStatus.PAID,
            stripe_account_id=account_id(payee.id),
        )
        async with database.write() as session:
            session.add(payout)
            await session.flush()
            for _ in range(2):
                await webhook_events.of_payout(session, payout.id, EventType.PAYOUT_PAID)

    (told,) = await webhooks.messages(database, till.id)
    assert told.event_type == "payout.paid"
    assert told.payload["data"] == {
        "payoutId": told.business_key.split(":")[1],
        "payeeKind": "chef",
        "payeeId": str(world.chef.id),
        "market": "austin",
        "day": "2026-01-31",
        "amountCents": 1601,
        "currency": "usd",
    }
    kinds = [
        row.payload["data"]["payeeKind"] for row in await webhooks.messages(database, market.id)
    ]
    assert kinds == ["chef", "driver"]
    async with database.write() as session:
        await webhook_endpoints.remove(session, market.id)
