"""What an order's changes book, each in the transaction of the change itself."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain import bearing
from domain import ledger as rules
from domain.cancellation import Settlement
from domain.disputes import Outcome
from domain.ledger import Bearer, Event, Sale, Shares
from domain.order_status import OrderStatus
from domain.pricing import Price
from schema.messages.money import RefundStatus
from schema.messages.order import Transition
from schema.queries import ledger
from schema.tables import Dispute, Order, RefundRequest

_ALL = frozenset(Event)
_REFUNDS = frozenset({Event.REFUND, Event.REFUND_FAILED})
_FELL_THROUGH = frozenset({RefundStatus.FAILED, RefundStatus.CANCELED})


async def lock(session: AsyncSession, order_id: UUID) -> None:
    """Have the money of an order to oneself until the transaction ends.

    Who bears what depends on all that is booked for it, and on whether it has ended: whatever books
    by that takes this lock first, and a step of the order has it by writing the row.
    """
    await session.execute(
        select(col(Order.id)).where(col(Order.id) == order_id).with_for_update(key_share=True)
    )


async def capture(session: AsyncSession, order_id: UUID, cents: int, intent_id: str) -> None:
    """Book what a customer has paid; once, however often it is heard of."""
    sale = await sale_of(session, order_id)
    await ledger.book(session, rules.captured(sale, cents, intent_id))


async def step(session: AsyncSession, moved: Transition) -> None:
    """Book what a step of an order means for the money: delivered, or ended without."""
    if moved.to is OrderStatus.DELIVERED and moved.was is OrderStatus.IN_TRANSIT:
        sale = await sale_of(session, moved.order_id)
        await ledger.book(session, rules.earned(sale))
        await ledger.book(session, rules.bonus(sale, sale.bonus_cents))
        await _judge_again(session, moved.order_id)
    elif moved.to is OrderStatus.CANCELLED:
        settlement = Settlement(
            kept_cents=moved.changes.kept_cents or 0,
            chef_cents=moved.changes.chef_earning_cents or 0,
            driver_cents=moved.changes.driver_earning_cents or 0,
            bonus_cents=moved.changes.driver_bonus_cents or 0,
        )
        returned = bearing.returned_before_the_end(
            settlement,
            await ledger.of_order(session, moved.order_id, _ALL),
            await ledger.of_order(session, moved.order_id, _REFUNDS),
        )
        sale = await sale_of(session, moved.order_id)
        await ledger.book(session, rules.cancelled(sale, settlement, returned))
        await ledger.book(session, rules.bonus(sale, settlement.bonus_cents))
        await _judge_again(session, moved.order_id)


async def refund(
    session: AsyncSession,
    order_id: UUID,
    *,
    refund_id: str,
    cents: int,
    status: RefundStatus,
    request: RefundRequest | None = None,
) -> None:
    """Book a refund as Stripe has it; one that failed is booked and taken back.

    The `request` that it is of says who bears it, else the platform does.
    """
    await lock(session, order_id)
    key = f"order-{order_id}:refund:{refund_id}"
    movement = await ledger.booked(session, key)
    if movement is None:
        sale = await sale_of(session, order_id)
        shares = bearing.of_refund(
            sale,
            await _status(session, order_id),
            await ledger.of_order(session, order_id, _ALL),
            cents,
            request.bearer if request else Bearer.PLATFORM,
            tax_cents=request.tax_cents if request else None,
        )
        movement = rules.refunded(sale, shares, refund_id)
        await ledger.book(session, movement)
    if status in _FELL_THROUGH:
        kept = await session.scalar(select(col(Order.kept_cents)).where(col(Order.id) == order_id))
        cancelled = await ledger.of_order(session, order_id, frozenset({Event.CANCELLED}))
        refunds = await ledger.of_order(session, order_id, _REFUNDS)
        await ledger.book(session, bearing.failed(movement, kept or 0, cancelled, refunds))


async def dispute(session: AsyncSession, row: Dispute) -> None:
    """Book what a dispute has moved so far, and who bears it if it is lost.

    A bank that changes its mind after a lost one takes the payee's debt back, too.
    """
    dispute_id = row.stripe_dispute_id
    await lock(session, row.order_id)
    sale = await sale_of(session, row.order_id)
    await ledger.book(session, rules.dispute_opened(sale, row.withdrawn_cents, dispute_id))
    await ledger.book(session, rules.dispute_won(sale, row.reinstated_cents, dispute_id))
    lost = await ledger.booked(session, f"{dispute_id}:lost")
    if row.outcome is not Outcome.LOST:
        if lost is not None:
            await ledger.book(session, rules.reverse(lost))
    elif lost is None:
        shares = await _lost(session, sale, row)
        movement = rules.dispute_lost(sale, shares, dispute_id)
        if movement is not None:
            await ledger.book(session, movement)


async def _lost(session: AsyncSession, sale: Sale, row: Dispute) -> Shares:
    left = await ledger.of_order(session, row.order_id, _ALL)
    cents, fault = row.withdrawn_cents - row.reinstated_cents, row.fault or Bearer.PLATFORM
    if row.tip_charge_id is not None:
        return bearing.of_lost_tip(sale, left, cents, fault)
    return bearing.of_lost_dispute(sale, await _status(session, row.order_id), left, cents, fault)


async def _judge_again(session: AsyncSession, order_id: UUID) -> None:
    """A dispute that was lost before the order's end is borne by those who have earned by then."""
    for row in await session.scalars(
        select(Dispute)
        .where(col(Dispute.order_id) == order_id, col(Dispute.outcome) == Outcome.LOST)
        .order_by(col(Dispute.stripe_dispute_id))
    ):
        await dispute(session, row)


async def sale_of(session: AsyncSession, order_id: UUID) -> Sale:
    """Whose order it is and what it comes to, as its row says."""
    order = await session.scalar(
        select(Order)
        .where(col(Order.id) == order_id)
        # Earlier statements of this transaction have written it past the session.
        .execution_options(populate_existing=True)
    )
    if order is None:
        raise LookupError(f"there is no order {order_id}")
    return Sale(
        order_id=order.id,
        chef_id=order.chef_id,
        driver_id=order.driver_id,
        bill=bill_of(order),
        bonus_cents=order.driver_bonus_cents,
    )


def bill_of(order: Order) -> Price:
    """What an order comes to, as its row says."""
    return Price(**{name: getattr(order, name) for name in Price.__dataclass_fields__})


async def _status(session: AsyncSession, order_id: UUID) -> OrderStatus:
    found = await session.scalars(select(col(Order.status)).where(col(Order.id) == order_id))
    return found.one()
