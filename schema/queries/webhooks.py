"""Every SQL statement about what Stripe told us."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from schema.messages.money import RefundStatus
from schema.tables import Order, Payment, Refund, StripeEvent, TipCharge
from schema.tables.columns import now


class PaidFor(NamedTuple):
    """What a payment was for: an order, or (`tip_charge_id`) a tip that was added to it later."""

    order_id: UUID
    tip_charge_id: UUID | None = None


async def store(session: AsyncSession, event_id: str, kind: str, payload: dict[str, Any]) -> bool:
    """Store an event once; False when it was stored and handled before."""
    await session.execute(
        insert(StripeEvent)
        .values(id=event_id, type=kind, payload=payload, received_at=now())
        .on_conflict_do_nothing()
    )
    handled = await session.scalar(
        select(col(StripeEvent.handled_at)).where(col(StripeEvent.id) == event_id)
    )
    return handled is None


async def note_handled(session: AsyncSession, event_id: str, outcome: str) -> None:
    """Write down that an event was passed on, or why it was not."""
    await session.execute(
        update(StripeEvent)
        .where(col(StripeEvent.id) == event_id)
        .values(handled_at=now(), outcome=outcome)
    )


async def order_of_payment(session: AsyncSession, payment_intent_id: str) -> UUID | None:
    """The order that a payment is for; None for the payment of a tip."""
    return await session.scalar(
        select(col(Payment.order_id)).where(
            col(Payment.stripe_payment_intent_id) == payment_intent_id
        )
    )


async def paid_for(session: AsyncSession, payment_intent_id: str) -> PaidFor | None:
    """What a payment was for, an order or its tip."""
    order_id = await order_of_payment(session, payment_intent_id)
    if order_id is not None:
        return PaidFor(order_id)
    found = await session.execute(
        select(col(TipCharge.order_id), col(TipCharge.id)).where(
            col(TipCharge.stripe_payment_intent_id) == payment_intent_id
        )
    )
    row = found.first()
    return None if row is None else PaidFor(*row)


async def tip_is_known(session: AsyncSession, payment_intent_id: str) -> bool:
    """Whether a payment is written down as a tip's."""
    found = await session.scalar(
        select(col(TipCharge.id)).where(
            col(TipCharge.stripe_payment_intent_id) == payment_intent_id
        )
    )
    return found is not None


async def order_exists(session: AsyncSession, order_id: UUID) -> bool:
    """Whether there is such an order."""
    return await session.scalar(select(col(Order.id)).where(col(Order.id) == order_id)) is not None


async def refund_status(session: AsyncSession, stripe_refund_id: str) -> RefundStatus | None:
    """How a refund stands as far as we know."""
    return await session.scalar(
        select(col(Refund.status)).where(col(Refund.stripe_refund_id) == stripe_refund_id)
    )
