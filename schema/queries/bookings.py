"""What an order's changes book, each in the transaction of the change itself."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain import ledger as rules
from domain.cancellation import Settlement
from domain.disputes import Outcome
from domain.ledger import Account, Bearer, Event, Sale, Shares, payable
from domain.order_status import OrderStatus
from domain.payees import PayeeKind
from domain.pricing import Price
from schema.messages.money import RefundStatus
from schema.messages.order import Transition
from schema.queries import ledger
from schema.tables import Dispute, Order, RefundRequest

_ALL = frozenset(Event)
_REFUNDS = frozenset({Event.REFUND, Event.REFUND_FAILED})
_EARNED = frozenset({OrderStatus.DELIVERED, OrderStatus.DISPUTED, OrderStatus.REFUNDED})
_FELL_THROUGH = frozenset({RefundStatus.FAILED, RefundStatus.CANCELED})


async def capture(session: AsyncSession, order_id: UUID, cents: int, intent_id: str) -> None:
    """Book what a customer has paid; once, however often it is heard of."""
    sale = await sale_of(session, order_id)
    await ledger.book(session, rules.captured(sale, cents, intent_id))


async def step(session: AsyncSession, moved: Transition) -> None:
    """Book what a step of an order means for the money: delivered, or ended without."""
    if moved.to is OrderStatus.DELIVERED and moved.was is OrderStatus.IN_TRANSIT:
        await ledger.book(session, rules.earned(await sale_of(session, moved.order_id)))
    elif moved.to is OrderStatus.CANCELLED:
        settlement = Settlement(
            kept_cents=moved.changes.kept_cents or 0,
            chef_cents=moved.changes.chef_earning_cents or 0,
            driver_cents=moved.changes.driver_earning_cents or 0,
        )
        so_far = await ledger.of_order(session, moved.order_id, _ALL)
        refunds = await ledger.of_order(session, moved.order_id, _REFUNDS)
        # Nobody had earned what was given back before the end: it was the customer's own.
        returned = min(
            refunds.get(Account.REFUND_LOSSES, 0),
            -so_far.get(Account.CUSTOMER_DEPOSITS, 0) - settlement.kept_cents,
        )
        sale = await sale_of(session, moved.order_id)
        await ledger.book(session, rules.cancelled(sale, settlement, max(returned, 0)))


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

    The `request` that it is of says who bears it.
    """
    key = f"order-{order_id}:refund:{refund_id}"
    movement = await ledger.booked(session, key)
    if movement is None:
        sale = await sale_of(session, order_id)
        movement = rules.refunded(sale, await _shares(session, sale, cents, request), refund_id)
        await ledger.book(session, movement)
    if status in _FELL_THROUGH:
        await ledger.book(session, rules.reverse(movement, Event.REFUND_FAILED))


async def dispute(session: AsyncSession, row: Dispute) -> None:
    """Book what a dispute has moved so far, and who bears it if it is lost.

    A bank that changes its mind after a lost one takes the payee's debt back, too.
    """
    dispute_id = row.stripe_dispute_id
    sale = await sale_of(session, row.order_id)
    await ledger.book(session, rules.dispute_opened(sale, row.withdrawn_cents, dispute_id))
    await ledger.book(session, rules.dispute_won(sale, row.reinstated_cents, dispute_id))
    lost = await ledger.booked(session, f"{dispute_id}:lost")
    if row.outcome is not Outcome.LOST:
        if lost is not None:
            await ledger.book(session, rules.reverse(lost))
    elif lost is None:
        shares = await _shares_of_lost(session, sale, row)
        movement = rules.dispute_lost(sale, shares, dispute_id)
        if movement is not None:
            await ledger.book(session, movement)


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
    )


def bill_of(order: Order) -> Price:
    """What an order comes to, as its row says."""
    return Price(**{name: getattr(order, name) for name in Price.__dataclass_fields__})


async def _shares(
    session: AsyncSession, sale: Sale, cents: int, request: RefundRequest | None
) -> Shares:
    """Who bears a refund. Where nobody has said so, a deposit goes back, else the platform pays."""
    status = await session.scalar(select(col(Order.status)).where(col(Order.id) == sale.order_id))
    so_far = await ledger.of_order(session, sale.order_id, _ALL)
    if status is OrderStatus.CANCELLED:
        deposits = min(cents, max(0, -so_far.get(Account.CUSTOMER_DEPOSITS, 0)))
        return Shares(deposits=deposits, platform=cents - deposits)
    if status not in _EARNED:
        return Shares(platform=cents)
    refunds = await ledger.of_order(session, sale.order_id, _REFUNDS)
    bearer = request.bearer if request else Bearer.PLATFORM
    account = rules.bearers_account(sale, bearer)
    return rules.refund_shares(
        sale.bill,
        cents,
        bearer,
        tax_cents=request.tax_cents if request else None,
        tax_borne=refunds.get(Account.TAX_PAYABLE, 0),
        bearer_borne=refunds.get(account, 0) if account else 0,
    )


async def _shares_of_lost(session: AsyncSession, sale: Sale, row: Dispute) -> Shares:
    """Who bears a lost dispute: a deposit that was to go back, else by fault, out of what the order
    has left to each.
    """
    status = await session.scalar(select(col(Order.status)).where(col(Order.id) == sale.order_id))
    left = await ledger.of_order(session, sale.order_id, _ALL)
    cents = row.withdrawn_cents - row.reinstated_cents
    deposits = 0
    if status is OrderStatus.CANCELLED:
        deposits = min(cents, _credit(left, Account.CUSTOMER_DEPOSITS))
    bearer, earned, of_bearer = row.fault or Bearer.PLATFORM, 0, 0
    if bearer is Bearer.CHEF:
        earned = sale.bill.chef_earning_cents
        of_bearer = _credit(left, payable(PayeeKind.CHEF, sale.chef_id))
    elif bearer is Bearer.DRIVER and sale.driver_id is not None:
        earned = sale.bill.driver_earning_cents
        of_bearer = _credit(left, payable(PayeeKind.DRIVER, sale.driver_id))
    elif bearer is Bearer.DRIVER:
        bearer = Bearer.PLATFORM
    shares = rules.refund_shares(
        sale.bill,
        cents - deposits,
        bearer,
        tax_borne=sale.bill.tax_cents - _credit(left, Account.TAX_PAYABLE),
        bearer_borne=earned - of_bearer,
    )
    return replace(shares, deposits=deposits)


def _credit(balances: Mapping[str, int], account: str) -> int:
    """What an account owes, in cents; nothing when it is owed something."""
    return max(0, -balances.get(account, 0))
