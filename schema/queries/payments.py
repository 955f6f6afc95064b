"""Every SQL statement about an order's payment and its refunds."""

from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from schema.messages.money import OpenPayment, PaymentStatus, RefundStatus
from schema.queries import bookings
from schema.tables import Order, Payment, Refund, RefundRequest
from schema.tables.columns import now


async def of_customer(
    session: AsyncSession, customer_id: UUID, which: ColumnElement[bool]
) -> tuple[Payment, Order] | None:
    """A payment of a customer's own, and what it is for."""
    found = await session.execute(
        select(Payment, Order)
        .join(Order, col(Order.id) == col(Payment.order_id))
        .where(which, col(Order.customer_id) == customer_id)
    )
    row = found.first()
    return None if row is None else (row[0], row[1])


def by_id(payment_id: UUID) -> ColumnElement[bool]:
    """The payment with that id."""
    return col(Payment.id) == payment_id


def for_order(order_id: UUID) -> ColumnElement[bool]:
    """The payment that an order was placed with."""
    return col(Payment.order_id) == order_id


async def note_opened(session: AsyncSession, asked: OpenPayment, payment_intent_id: str) -> None:
    """Write down that an order's payment waits for the customer; once is enough."""
    await session.execute(
        insert(Payment)
        .values(
            id=uuid7(),
            order_id=asked.order_id,
            stripe_payment_intent_id=payment_intent_id,
            amount_cents=asked.amount_cents,
            currency=asked.currency,
            capture_method=asked.capture_method,
            status=PaymentStatus.OPEN,
            captured_cents=0,
            refunded_cents=0,
            created_at=now(),
        )
        .on_conflict_do_nothing(index_elements=["order_id"])
    )


async def note_amount(session: AsyncSession, order_id: UUID, amount_cents: int) -> None:
    """Write down that an open payment is for another amount."""
    await session.execute(
        update(Payment).where(col(Payment.order_id) == order_id).values(amount_cents=amount_cents)
    )


async def note_paid(session: AsyncSession, order_id: UUID, captured_cents: int) -> None:
    """Write down what was captured; nothing captured means that it is authorised only."""
    status = PaymentStatus.CAPTURED if captured_cents else PaymentStatus.AUTHORISED
    await _note(session, order_id, status=status, captured_cents=captured_cents)


async def note_settled(
    session: AsyncSession,
    order_id: UUID,
    *,
    status: PaymentStatus | None,
    captured_cents: int,
    refunded_cents: int,
) -> None:
    """Write down how an order's payment stands at Stripe; a status of None is left as it was."""
    # Before the payment's: steps of the order take them in this order, too.
    await bookings.lock(session, order_id)
    values: dict[str, object] = {"captured_cents": captured_cents, "refunded_cents": refunded_cents}
    if status is not None:
        values["status"] = status
    await _note(session, order_id, **values)


async def note_refund(
    session: AsyncSession,
    order_id: UUID,
    *,
    stripe_refund_id: str,
    amount_cents: int,
    status: RefundStatus,
    reason: str | None,
    request: RefundRequest | None = None,
) -> None:
    """Write down a refund and how it stands; again when it stands otherwise. One that has failed
    stays so, whatever was seen before and is written after that.

    `request` is what it is of, unless somebody made it at Stripe or an order was cancelled.
    """
    await session.execute(
        insert(Refund)
        .values(
            id=uuid7(),
            order_id=order_id,
            refund_request_id=request.id if request else None,
            stripe_refund_id=stripe_refund_id,
            amount_cents=amount_cents,
            status=status,
            reason=reason,
            created_at=now(),
        )
        .on_conflict_do_update(
            index_elements=["stripe_refund_id"],
            set_={"status": status},
            where=col(Refund.status) != RefundStatus.FAILED,
        )
    )
    await bookings.refund(
        session,
        order_id,
        refund_id=stripe_refund_id,
        cents=amount_cents,
        status=status,
        request=request,
    )


async def _note(session: AsyncSession, order_id: UUID, **values: object) -> None:
    noted = await session.execute(
        update(Payment)
        .where(col(Payment.order_id) == order_id)
        .values(**values)
        .returning(col(Payment.captured_cents), col(Payment.stripe_payment_intent_id))
        .execution_options(synchronize_session=False)
    )
    row = noted.first()
    if row is not None and row[0]:
        await bookings.capture(session, order_id, *row)
