"""Every SQL statement that holds Stripe's transactions against the books.

What matches, books or closes something holds a lock, so that two runs, or a run and a person, do
not work on the same pair.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from domain import ledger as rules
from domain import reconciliation
from domain.ledger import REVERSED, Account
from domain.reconciliation import BOOKED_FOR_A_TRANSACTION, Entry, PaidOrder, Pair, Transaction
from schema.queries import ledger
from schema.tables import LedgerMovement, LedgerPosting, Order, Payment, StripeTransaction

# Any number will do, as long as nobody else takes it.
_LOCK = 7_246_308


class Stored(NamedTuple):
    """A transaction as it is stored: with when its money is there, which no rule asks for."""

    transaction: Transaction
    available_on: datetime


async def lock(session: AsyncSession) -> None:
    """Be alone with the matching until this transaction ends."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


async def store(session: AsyncSession, found: Sequence[Stored]) -> None:
    """Write down transactions, each once."""
    if not found:
        return
    rows = [
        {
            "id": t.id,
            "type": t.type,
            "amount_cents": t.amount_cents,
            "fee_cents": t.fee_cents,
            "net_cents": t.amount_cents - t.fee_cents,
            "currency": t.currency,
            "source_id": t.source_id,
            "payment_intent_id": t.payment_intent_id,
            "tip_of_order_id": t.tip_of_order_id,
            "created_at": t.created_at,
            "available_on": available_on,
        }
        for t, available_on in found
    ]
    await session.execute(insert(StripeTransaction).on_conflict_do_nothing(), rows)


async def unmatched(session: AsyncSession, after: str, limit: int) -> list[Transaction]:
    """The next transactions, by id, that have no movement."""
    found = await session.scalars(
        select(StripeTransaction)
        .where(
            col(StripeTransaction.movement_id).is_(None),
            col(StripeTransaction.id) > after,
        )
        .order_by(col(StripeTransaction.id))
        .limit(limit)
    )
    return [transaction_of(row) for row in found]


async def candidates(session: AsyncSession, transactions: Sequence[Transaction]) -> list[Entry]:
    """The movements without a transaction that are about the same objects of Stripe's."""
    ids = {means.stripe_id for t in transactions if (means := reconciliation.meaning(t))}
    found = await session.execute(entries(col(LedgerMovement.stripe_id).in_(ids)))
    return [_entry(row) for row in found]


async def pair(session: AsyncSession, found: Pair, at: datetime) -> None:
    """Write down that a transaction is a movement, and book what Stripe keeps of it."""
    await session.execute(
        update(StripeTransaction)
        .where(
            col(StripeTransaction.id) == found.transaction.id,
            col(StripeTransaction.movement_id).is_(None),
        )
        .values(movement_id=found.entry.movement_id, matched_at=at)
        .execution_options(synchronize_session=False)
    )
    await book_fee(session, found.transaction, found.entry.order_id)


async def book_fee(session: AsyncSession, transaction: Transaction, order_id: UUID | None) -> None:
    """Book what Stripe keeps of a transaction; once."""
    await ledger.book(
        session,
        rules.fee(
            transaction.id,
            transaction.fee_cents,
            transaction.currency,
            order_id,
            transaction.source_id,
        ),
    )


async def paid_orders(
    session: AsyncSession, transactions: Sequence[Transaction]
) -> Mapping[str, PaidOrder]:
    """The orders that are paid, or tipped, by the payments of transactions, by payment."""
    found = await session.execute(
        select(col(Payment.stripe_payment_intent_id), col(Order.id), col(Order.status))
        .join(Order, col(Order.id) == col(Payment.order_id))
        .where(
            col(Payment.stripe_payment_intent_id).in_(
                {t.payment_intent_id for t in transactions if t.payment_intent_id}
            )
        )
    )
    paid = {payment: PaidOrder(order_id, status) for payment, order_id, status in found}
    return await _tipped_orders(session, transactions) | paid


async def _tipped_orders(
    session: AsyncSession, transactions: Sequence[Transaction]
) -> dict[str, PaidOrder]:
    tips = {t.payment_intent_id: t.tip_of_order_id for t in transactions if t.tip_of_order_id}
    found = await session.execute(
        select(col(Order.id), col(Order.status)).where(col(Order.id).in_(tips.values()))
    )
    statuses = {row[0]: row[1] for row in found}
    return {
        payment: PaidOrder(order_id, statuses[order_id], of_tip=True)
        for payment, order_id in tips.items()
        if payment and order_id in statuses
    }


async def overdue(
    session: AsyncSession, before: datetime, after: UUID | None, limit: int
) -> list[Entry]:
    """The next movements, by id, that were booked `before` and have no transaction still."""
    wanted = entries(col(LedgerMovement.booked_at) <= before, ~made_up_for())
    if after is not None:
        wanted = wanted.where(col(LedgerMovement.id) > after)
    found = await session.execute(wanted.order_by(col(LedgerMovement.id)).limit(limit))
    return [_entry(row) for row in found]


class Sums(NamedTuple):
    """What there is of a currency, in cents."""

    clearing: int
    unmatched: int


async def sums(session: AsyncSession) -> Mapping[str, Sums]:
    """What is on stripe_clearing, and what of it or of Stripe's side has no counterpart.

    One statement, so that what is booked meanwhile is in both figures or in none.
    """
    held: list[Any] = [
        col(LedgerPosting.currency).label("currency"),
        func.sum(LedgerPosting.amount_cents).label("clearing"),
        literal(0).label("unmatched"),
    ]
    clearing = (
        select(*held)
        .where(col(LedgerPosting.account) == Account.STRIPE_CLEARING)
        .group_by(col(LedgerPosting.currency))
    )
    ours = entries().subquery()
    of_ours = select(ours.c.currency, literal(0), func.sum(ours.c.cents)).group_by(ours.c.currency)
    left: list[Any] = [
        col(StripeTransaction.currency),
        literal(0),
        -func.sum(StripeTransaction.net_cents),
    ]
    of_theirs = (
        select(*left)
        .where(col(StripeTransaction.movement_id).is_(None))
        .group_by(col(StripeTransaction.currency))
    )
    parts = clearing.union_all(of_ours, of_theirs).subquery()
    found = await session.execute(
        select(parts.c.currency, func.sum(parts.c.clearing), func.sum(parts.c.unmatched)).group_by(
            parts.c.currency
        )
    )
    return {currency: Sums(int(held), int(left)) for currency, held, left in found}


async def matched_at(session: AsyncSession, at: datetime) -> tuple[int, Mapping[str, int]]:
    """How many transactions were matched by the run that began `at`, and the fees in them."""
    found = await session.execute(
        select(
            col(StripeTransaction.currency),
            func.count(),
            func.sum(StripeTransaction.fee_cents),
        )
        .where(col(StripeTransaction.matched_at) == at)
        .group_by(col(StripeTransaction.currency))
    )
    rows = found.all()
    return sum(row[1] for row in rows), {row[0]: int(row[2]) for row in rows}


def transaction_of(row: StripeTransaction) -> Transaction:
    """A stored transaction, as the rules take it."""
    return Transaction(**{name: getattr(row, name) for name in Transaction.__dataclass_fields__})


def entries(*conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The movements on stripe_clearing that have no transaction and should have one."""
    cents = func.sum(LedgerPosting.amount_cents)
    columns: list[Any] = [
        col(LedgerMovement.id),
        col(LedgerMovement.event),
        cents.label("cents"),
        col(LedgerPosting.currency).label("currency"),
        col(LedgerMovement.stripe_id),
        col(LedgerMovement.order_id),
    ]
    return (
        select(*columns)
        .join(LedgerPosting, col(LedgerPosting.movement_id) == col(LedgerMovement.id))
        .where(
            col(LedgerPosting.account) == Account.STRIPE_CLEARING,
            col(LedgerMovement.event).not_in(BOOKED_FOR_A_TRANSACTION),
            ~_has_transaction(col(LedgerMovement.id)),
            *conditions,
        )
        .group_by(col(LedgerMovement.id), col(LedgerPosting.currency))
        .having(cents != 0)
    )


def made_up_for() -> ColumnElement[bool]:
    """Whether the opposite of a movement was booked and has no transaction either: together they
    are nothing, and nothing has to be at Stripe.
    """
    opposite = aliased(LedgerMovement)
    key = col(LedgerMovement.key)
    return (
        select(col(opposite.id))
        .where(
            or_(
                col(opposite.key) == key + REVERSED,
                and_(
                    key.endswith(REVERSED, autoescape=True),
                    col(opposite.key) == func.left(key, -len(REVERSED)),
                ),
            ),
            ~_has_transaction(col(opposite.id)),
        )
        .exists()
    )


def _has_transaction(movement_id: Any) -> ColumnElement[bool]:
    return (
        select(col(StripeTransaction.id))
        .where(col(StripeTransaction.movement_id) == movement_id)
        .exists()
    )


def _entry(row: Any) -> Entry:
    movement_id, event, cents, currency, stripe_id, order_id = row
    return Entry(movement_id, event, int(cents), currency, stripe_id, order_id)
