"""Orders brought at once to where a test needs them, past their workflow."""

import asyncio
from uuid import UUID

from stripe import StripeClient

from domain.order_status import Actor, OrderStatus
from local.world import World
from schema.database import Database
from schema.messages.money import OpenPayment
from schema.messages.order import CaptureMethod, Changes, Transition, Who
from schema.queries import orders, payments
from schema.tables.columns import now

S = OrderStatus


async def delivered(database: Database, world: World, stripe: StripeClient) -> tuple[UUID, str]:
    """An order at its customer's door, paid for at Stripe: its id, and the payment's."""
    placing = world.placing()
    order = placing.order
    intent = await asyncio.to_thread(
        stripe.v1.payment_intents.create,
        {
            "amount": order.price.total_cents,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        },
    )
    driver = Changes(driver_id=world.drivers[0].id)
    steps = (
        (S.PAYMENT_CONFIRMED, Changes(captured_cents=order.price.total_cents)),
        (S.IN_TRANSIT, driver),
        (S.DELIVERED, Changes()),
    )
    async with database.write() as session:
        await orders.begin(session, placing)
        asked = OpenPayment(
            order_id=order.id,
            order_number="",
            customer_id=order.customer_id,
            amount_cents=order.price.total_cents,
            currency="usd",
            capture_method=CaptureMethod.AUTOMATIC,
        )
        await payments.note_opened(session, asked, intent.id)
        was = S.PENDING
        for sequence, (to, changes) in enumerate(steps, start=2):
            step = Transition(
                order_id=order.id,
                sequence=sequence,
                was=was,
                to=to,
                by=Who(role=Actor.STRIPE),
                at=now(),
                changes=changes,
            )
            await orders.record(session, step)
            was = to
    return order.id, intent.id
