"""Every SQL statement about tips that are added after paying."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain import ledger as rules
from domain.pricing import Price, with_tip
from schema.queries import bookings, ledger, orders
from schema.tables import Order, TipCharge
from schema.tables.columns import now


async def promise(session: AsyncSession, order_id: UUID, tip_cents: int | None) -> None:
    """Remember a higher tip, to be charged when the order is delivered; None forgets it."""
    await session.execute(
        update(Order).where(col(Order.id) == order_id).values(promised_tip_cents=tip_cents)
    )


async def note_charged(session: AsyncSession, order_id: UUID, charged: Mapping[str, int]) -> Price:
    """Write down and book what was charged by which payment, each once; answers with the bill."""
    await session.execute(select(col(Order.id)).where(col(Order.id) == order_id).with_for_update())
    for intent_id, cents in charged.items():
        if await _is_new(session, order_id, intent_id, cents):
            bill = (await bookings.sale_of(session, order_id)).bill
            await orders.set_price(session, order_id, with_tip(bill, bill.tip_cents + cents))
            await promise(session, order_id, None)
            sale = await bookings.sale_of(session, order_id)
            await ledger.book(session, rules.tipped(sale, cents, intent_id))
    return (await bookings.sale_of(session, order_id)).bill


async def _is_new(session: AsyncSession, order_id: UUID, intent_id: str, cents: int) -> bool:
    claimed = await session.execute(
        insert(TipCharge)
        .values(
            id=uuid7(),
            order_id=order_id,
            stripe_payment_intent_id=intent_id,
            amount_cents=cents,
            created_at=now(),
        )
        .on_conflict_do_nothing(index_elements=["stripe_payment_intent_id"])
        .returning(col(TipCharge.id))
    )
    return claimed.first() is not None
