"""Every SQL statement by which payees and finance look at earnings, payouts and the books."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, column, func, select, table
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.expression import SQLColumnExpression
from sqlmodel import col

from domain.ledger import Event
from domain.payees import PayeeKind
from domain.payouts import PayoutStatus
from schema.tables import (
    LedgerAccount,
    LedgerMovement,
    LedgerPosting,
    Order,
    Payout,
    PayoutHold,
    PayoutItem,
)

UNPAID = "unpaid"

# The seeds' views: `payee_id` is called by the payee's kind.
_LEDGERS = {
    kind: table(
        f"{kind}_ledger",
        column("id"),
        column(f"{kind}_id"),
        column("order_id"),
        column("event"),
        column("earning_cents"),
        column("currency"),
        column("payout_id"),
        column("payout_status"),
        column("booked_at"),
    )
    for kind in PayeeKind
}


class Earning(NamedTuple):
    """Something that a payee has earned by an order, or owes for it; in cents."""

    id: UUID
    order_id: UUID | None
    order_number: str | None
    event: Event
    earning_cents: int
    currency: str
    payout_id: UUID | None
    payout_status: str
    booked_at: datetime


class Sum(NamedTuple):
    """What a payee's earnings of one payout status come to."""

    currency: str
    payout_status: str
    cents: int


class PayoutView(NamedTuple):
    """A payout, and what it pays."""

    payout: Payout
    is_held: bool
    items: Sequence[Earning]


class Balance(NamedTuple):
    """What is on an account."""

    account: str
    currency: str
    debit_cents: int
    credit_cents: int
    balance_cents: int


class Booked(NamedTuple):
    """A movement and its postings."""

    movement: LedgerMovement
    postings: Sequence[LedgerPosting]


class Between(NamedTuple):
    """A period: from its first moment until before its end; None is without limit."""

    begins: datetime | None = None
    ends: datetime | None = None

    def holds(self, moment: SQLColumnExpression[datetime]) -> Sequence[ColumnElement[bool]]:
        """What is to be true of a moment in it."""
        limits = []
        if self.begins is not None:
            limits.append(moment >= self.begins)
        if self.ends is not None:
            limits.append(moment < self.ends)
        return limits


async def sums(
    session: AsyncSession, kind: PayeeKind, payee_id: UUID, between: Between
) -> list[Sum]:
    """What a payee has earned in a period, by whether and how far it is paid."""
    ledger = _LEDGERS[kind]
    found = await session.execute(
        select(
            ledger.c.currency,
            ledger.c.payout_status,
            func.sum(ledger.c.earning_cents).label("cents"),
        )
        .where(_of(kind, payee_id), *between.holds(ledger.c.booked_at))
        .group_by(ledger.c.currency, ledger.c.payout_status)
        .order_by(ledger.c.currency, ledger.c.payout_status)
    )
    return [Sum(currency, status, int(cents)) for currency, status, cents in found]


async def earnings(
    session: AsyncSession,
    kind: PayeeKind,
    payee_id: UUID,
    between: Between,
    *,
    limit: int,
    offset: int = 0,
) -> tuple[list[Earning], int]:
    """What a payee has earned in a period, the latest first, and how many entries there are."""
    ledger = _LEDGERS[kind]
    wanted = (_of(kind, payee_id), *between.holds(ledger.c.booked_at))
    found = await session.execute(
        _entries(kind)
        .where(*wanted)
        .order_by(ledger.c.booked_at.desc(), ledger.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    total = await session.scalar(select(func.count()).select_from(ledger).where(*wanted))
    return [_earning(row) for row in found], int(total or 0)


async def payouts(
    session: AsyncSession,
    *,
    user_id: UUID | None = None,
    payee_id: UUID | None = None,
    day: date | None = None,
    statuses: Sequence[PayoutStatus] = (),
    limit: int,
    offset: int = 0,
) -> tuple[list[PayoutView], int]:
    """Payouts with what each pays, the latest first, and how many there are."""
    wanted: list[ColumnElement[bool]] = []
    if user_id is not None:
        wanted.append(col(Payout.user_id) == user_id)
    if payee_id is not None:
        wanted.append(col(Payout.payee_id) == payee_id)
    if day is not None:
        wanted.append(col(Payout.day) == day)
    if statuses:
        wanted.append(col(Payout.status).in_(statuses))
    found = await session.execute(
        select(Payout, col(PayoutHold.payee_id).is_not(None))
        .outerjoin(PayoutHold, col(PayoutHold.payee_id) == col(Payout.payee_id))
        .where(*wanted)
        .order_by(col(Payout.day).desc(), col(Payout.id).desc())
        .limit(limit)
        .offset(offset)
    )
    rows = [(payout, is_held) for payout, is_held in found]
    items = await _items(session, [payout.id for payout, _ in rows])
    total = await session.scalar(select(func.count()).select_from(Payout).where(*wanted))
    views = [PayoutView(payout, is_held, items.get(payout.id, [])) for payout, is_held in rows]
    return views, int(total or 0)


async def by_status(
    session: AsyncSession, day: date
) -> Mapping[str, Sequence[tuple[PayoutStatus, int, int]]]:
    """How many payouts of a day stand how, and what they come to in cents: market by market, where
    there are any.
    """
    found = await session.execute(
        select(
            col(Payout.market), col(Payout.status), func.count(), func.sum(Payout.total_paid_cents)
        )
        .where(col(Payout.day) == day)
        .group_by(col(Payout.market), col(Payout.status))
        .order_by(col(Payout.market), col(Payout.status))
    )
    standings: dict[str, list[tuple[PayoutStatus, int, int]]] = {}
    for market, status, number, cents in found:
        standings.setdefault(market, []).append((status, int(number), int(cents)))
    return standings


async def accounts(
    session: AsyncSession, *, payees: bool, limit: int, offset: int
) -> tuple[list[Balance], int]:
    """The accounts and what is on them, by their codes; those of payees only if asked for."""
    wanted = [] if payees else [col(LedgerAccount.payee_id).is_(None)]
    cents = col(LedgerPosting.amount_cents)
    found = await session.execute(
        select(
            col(LedgerAccount.code),
            col(LedgerPosting.currency),
            func.coalesce(func.sum(cents).filter(cents > 0), 0),
            func.coalesce(-func.sum(cents).filter(cents < 0), 0),
            func.sum(cents),
            func.count().over(),
        )
        .join(LedgerPosting, col(LedgerPosting.account) == col(LedgerAccount.code))
        .where(*wanted)
        .group_by(col(LedgerAccount.code), col(LedgerPosting.currency))
        .order_by(col(LedgerAccount.code), col(LedgerPosting.currency))
        .limit(limit)
        .offset(offset)
    )
    rows = found.all()
    balances = [
        Balance(code, currency, int(debit), int(credit), int(balance))
        for code, currency, debit, credit, balance, _ in rows
    ]
    return balances, int(rows[0][5]) if rows else 0


async def movements(
    session: AsyncSession,
    between: Between,
    *,
    order_id: UUID | None = None,
    payout_id: UUID | None = None,
    movement_id: UUID | None = None,
    account: str | None = None,
    events: Sequence[Event] = (),
    limit: int,
    offset: int,
) -> tuple[list[Booked], int]:
    """Movements with their postings, the latest first, and how many there are."""
    wanted = list(between.holds(col(LedgerMovement.booked_at)))
    if order_id is not None:
        wanted.append(col(LedgerMovement.order_id) == order_id)
    if payout_id is not None:
        wanted.append(col(LedgerMovement.payout_id) == payout_id)
    if movement_id is not None:
        wanted.append(col(LedgerMovement.id) == movement_id)
    if events:
        wanted.append(col(LedgerMovement.event).in_(events))
    if account is not None:
        wanted.append(
            select(LedgerPosting)
            .where(
                col(LedgerPosting.movement_id) == col(LedgerMovement.id),
                col(LedgerPosting.account) == account,
            )
            .exists()
        )
    rows = (
        await session.scalars(
            select(LedgerMovement)
            .where(*wanted)
            .order_by(col(LedgerMovement.booked_at).desc(), col(LedgerMovement.id).desc())
            .limit(limit)
            .offset(offset)
        )
    ).all()
    postings: dict[UUID, list[LedgerPosting]] = {}
    for posting in await session.scalars(
        select(LedgerPosting)
        .where(col(LedgerPosting.movement_id).in_([row.id for row in rows]))
        .order_by(col(LedgerPosting.id))
    ):
        postings.setdefault(posting.movement_id, []).append(posting)
    total = await session.scalar(select(func.count()).select_from(LedgerMovement).where(*wanted))
    return [Booked(row, postings.get(row.id, [])) for row in rows], int(total or 0)


def _of(kind: PayeeKind, payee_id: UUID) -> ColumnElement[bool]:
    return _LEDGERS[kind].c[f"{kind}_id"] == payee_id


def _entries(kind: PayeeKind) -> Select[Any]:
    ledger = _LEDGERS[kind]
    return select(
        ledger.c.id,
        ledger.c.order_id,
        col(Order.order_number),
        ledger.c.event,
        ledger.c.earning_cents,
        ledger.c.currency,
        ledger.c.payout_id,
        ledger.c.payout_status,
        ledger.c.booked_at,
    ).outerjoin(Order, col(Order.id) == ledger.c.order_id)


def _earning(row: Row[Any]) -> Earning:
    entry = Earning._make(row)
    return entry._replace(event=Event(entry.event))


async def _items(
    session: AsyncSession, payout_ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[Earning]]:
    """What payouts pay, or (where they failed) were to pay."""
    found = await session.execute(
        select(
            col(PayoutItem.payout_id),
            col(LedgerPosting.id),
            col(LedgerMovement.order_id),
            col(Order.order_number),
            col(LedgerMovement.event),
            -col(LedgerPosting.amount_cents),
            col(LedgerPosting.currency),
            col(PayoutItem.payout_id),
            col(Payout.status),
            col(LedgerMovement.booked_at),
        )
        .join(LedgerPosting, col(LedgerPosting.id) == col(PayoutItem.posting_id))
        .join(LedgerMovement, col(LedgerMovement.id) == col(LedgerPosting.movement_id))
        .join(Payout, col(Payout.id) == col(PayoutItem.payout_id))
        .outerjoin(Order, col(Order.id) == col(LedgerMovement.order_id))
        .where(col(PayoutItem.payout_id).in_(payout_ids))
        .order_by(col(LedgerMovement.booked_at), col(LedgerPosting.id))
    )
    items: dict[UUID, list[Earning]] = {}
    for payout_id, *entry in found:
        items.setdefault(payout_id, []).append(Earning(*entry))
    return items
