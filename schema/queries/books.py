"""Every SQL statement by which finance reads the books; none of them writes."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.ledger import OF_PAYOUTS, payable, payee_of
from domain.payees import PayeeKind
from domain.payouts import PayoutStatus
from schema.messages.books import (
    BookedAccount,
    BookedMovement,
    BookedPosting,
    Books,
    Crooked,
    ItemRow,
    PayoutRow,
    Sum,
)
from schema.messages.payees import PayeeRef
from schema.messages.payouts import Terms
from schema.queries import payees
from schema.tables import (
    Chef,
    Driver,
    LedgerAccount,
    LedgerMovement,
    LedgerPosting,
    Order,
    Payout,
    PayoutItem,
    User,
)


class Tip(NamedTuple):
    """What a driver earns by an order as its bill stands, and how much of it is the tip."""

    earning_cents: int
    tip_cents: int


async def books_of(session: AsyncSession, accounts: Collection[str]) -> Books:
    """All that is written down about the payees with these accounts, other payees' parts too."""
    paid = await _payouts_of(session, accounts)
    payout_ids = [row.id for row in paid]
    touching = (
        select(col(LedgerPosting.movement_id)).where(col(LedgerPosting.account).in_(accounts))
    ).union(select(col(LedgerMovement.id)).where(col(LedgerMovement.payout_id).in_(payout_ids)))
    movements = await session.execute(
        select(LedgerMovement, col(Order.order_number), col(Order.market))
        .outerjoin(Order, col(Order.id) == col(LedgerMovement.order_id))
        .where(col(LedgerMovement.id).in_(touching))
        .order_by(col(LedgerMovement.booked_at), col(LedgerMovement.id))
    )
    postings = await session.scalars(
        select(LedgerPosting)
        .where(col(LedgerPosting.movement_id).in_(touching))
        .order_by(col(LedgerPosting.id))
    )
    items = await session.scalars(
        select(PayoutItem)
        .where(col(PayoutItem.payout_id).in_(payout_ids))
        .order_by(col(PayoutItem.payout_id), col(PayoutItem.posting_id))
    )
    return Books(
        accounts=await accounts_of(session, accounts),
        movements=[
            BookedMovement(**movement.model_dump(), order_number=number, market=market)
            for movement, number, market in movements
        ],
        postings=[BookedPosting(**posting.model_dump()) for posting in postings],
        payouts=paid,
        items=[ItemRow(**item.model_dump()) for item in items],
    )


async def accounts_of(session: AsyncSession, codes: Collection[str]) -> list[BookedAccount]:
    """Those of these accounts that are payees', by their codes."""
    found = await session.scalars(
        select(col(LedgerAccount.code))
        .where(col(LedgerAccount.code).in_(codes))
        .order_by(col(LedgerAccount.code))
    )
    accounts = []
    for code in found.all():
        owner = payee_of(code)
        if owner is None:
            continue
        kind, payee_id = owner
        whose = await payees.payee(session, PayeeRef(kind=kind, payee_id=payee_id))
        accounts.append(
            BookedAccount(
                code=code,
                payee_kind=kind,
                payee_id=payee_id,
                name=whose.name if whose else "",
                market=whose.market if whose else None,
            )
        )
    return accounts


async def payouts_of_day(
    session: AsyncSession, day: date, market: str | None
) -> Sequence[PayoutRow]:
    """The payouts of a day, in one market or all."""
    asked = select(Payout).where(col(Payout.day) == day).order_by(col(Payout.id))
    if market is not None:
        asked = asked.where(col(Payout.market) == market)
    return [_row(payout) for payout in await session.scalars(asked)]


async def payout(session: AsyncSession, payout_id: UUID) -> PayoutRow | None:
    """A payout, if there is one with that id."""
    found = await session.get(Payout, payout_id)
    return None if found is None else _row(found)


async def accounts_owed(session: AsyncSession, terms: Terms, at: datetime) -> list[str]:
    """The accounts of those to whom at least the minimum was owed `at` a moment, in any market.

    By sums alone, not by what payouts say they pay.
    """
    came_back = (col(Payout.status) == PayoutStatus.FAILED) & (col(Payout.settled_at) <= at)
    taken = (
        select(func.coalesce(func.sum(Payout.total_paid_cents), 0))
        .where(
            col(Payout.payee_id) == col(LedgerAccount.payee_id),
            col(Payout.currency) == terms.currency,
            col(Payout.created_at) < at,
            ~came_back,
        )
        .scalar_subquery()
    )
    found = await session.scalars(
        select(col(LedgerAccount.code))
        .join(LedgerPosting, col(LedgerPosting.account) == col(LedgerAccount.code))
        .join(LedgerMovement, col(LedgerMovement.id) == col(LedgerPosting.movement_id))
        .where(
            col(LedgerAccount.payee_id).is_not(None),
            col(LedgerPosting.currency) == terms.currency,
            col(LedgerMovement.event).not_in(OF_PAYOUTS),
            col(LedgerMovement.booked_at) < min(terms.cut_off, at),
        )
        .group_by(col(LedgerAccount.code), col(LedgerAccount.payee_id))
        .having(func.sum(-LedgerPosting.amount_cents) - taken >= max(terms.minimum_cents, 1))
        .order_by(col(LedgerAccount.code))
    )
    return list(found)


async def payees_with(session: AsyncSession, email: str) -> list[PayeeRef]:
    """The chef and driver with that address, as far as they exist."""
    found = []
    for kind, table in ((PayeeKind.CHEF, Chef), (PayeeKind.DRIVER, Driver)):
        payee_id = await session.scalar(
            select(col(table.id))
            .join(User, col(User.id) == col(table.user_id))
            .where(func.lower(User.email) == email.lower())
        )
        if payee_id is not None:
            found.append(PayeeRef(kind=kind, payee_id=payee_id))
    return found


async def tips(session: AsyncSession, order_ids: Collection[UUID]) -> dict[UUID, Tip]:
    """The tips of orders that have one."""
    found = await session.execute(
        select(col(Order.id), col(Order.driver_earning_cents), col(Order.tip_cents)).where(
            col(Order.id).in_(order_ids), col(Order.tip_cents) > 0
        )
    )
    return {order_id: Tip(earning, tip) for order_id, earning, tip in found}


async def sums(session: AsyncSession, before: datetime) -> list[Sum]:
    """What each account came to before a moment, in each currency."""
    cents = col(LedgerPosting.amount_cents)
    found = await session.execute(
        select(
            col(LedgerPosting.account),
            col(LedgerPosting.currency),
            func.coalesce(func.sum(case((cents > 0, cents))), 0),
            func.coalesce(func.sum(case((cents < 0, cents))), 0),
        )
        .outerjoin(LedgerMovement, col(LedgerMovement.id) == col(LedgerPosting.movement_id))
        # A posting whose movement is gone was booked at no moment, and weighs all the same.
        .where(or_(col(LedgerMovement.booked_at) < before, col(LedgerMovement.id).is_(None)))
        .group_by(col(LedgerPosting.account), col(LedgerPosting.currency))
        .order_by(col(LedgerPosting.currency), col(LedgerPosting.account))
    )
    return [
        Sum(account=account, currency=currency, debit_cents=debit, credit_cents=credit)
        for account, currency, debit, credit in found
    ]


async def crooked(session: AsyncSession, before: datetime) -> list[Crooked]:
    """The movements that do not sum to zero or have no postings, and postings without a movement.

    The database's triggers keep them out; this does not trust them.
    """
    off = await session.execute(
        select(
            col(LedgerMovement.key),
            col(LedgerPosting.currency),
            func.sum(LedgerPosting.amount_cents),
        )
        .join(LedgerPosting, col(LedgerPosting.movement_id) == col(LedgerMovement.id))
        .where(col(LedgerMovement.booked_at) < before)
        .group_by(col(LedgerMovement.id), col(LedgerPosting.currency))
        .having(func.sum(LedgerPosting.amount_cents) != 0)
        .order_by(col(LedgerMovement.id))
    )
    empty = await session.scalars(
        select(col(LedgerMovement.key))
        .outerjoin(LedgerPosting, col(LedgerPosting.movement_id) == col(LedgerMovement.id))
        .where(col(LedgerMovement.booked_at) < before, col(LedgerPosting.id).is_(None))
        .order_by(col(LedgerMovement.id))
    )
    strays = await session.scalars(
        select(col(LedgerPosting.id))
        .outerjoin(LedgerMovement, col(LedgerMovement.id) == col(LedgerPosting.movement_id))
        .where(col(LedgerMovement.id).is_(None))
        .order_by(col(LedgerPosting.id))
    )
    return [
        *(
            Crooked(key=key, wrong=f"is off by {cents} {currency} cents")
            for key, currency, cents in off
        ),
        *(Crooked(key=key, wrong="has no postings") for key in empty),
        *(Crooked(key=f"posting {stray}", wrong="has no movement") for stray in strays),
    ]


async def _payouts_of(session: AsyncSession, accounts: Collection[str]) -> list[PayoutRow]:
    found = await session.scalars(
        select(Payout)
        .join(LedgerAccount, col(LedgerAccount.payee_id) == col(Payout.payee_id))
        .where(col(LedgerAccount.code).in_(accounts))
        .order_by(col(Payout.created_at), col(Payout.id))
    )
    return [
        _row(payout) for payout in found if payable(payout.user_type, payout.payee_id) in accounts
    ]


def _row(payout: Payout) -> PayoutRow:
    return PayoutRow(
        id=payout.id,
        payee_kind=payout.user_type,
        payee_id=payout.payee_id,
        market=payout.market,
        day=payout.day,
        currency=payout.currency,
        cents=payout.total_paid_cents,
        status=payout.status,
        account_id=payout.stripe_account_id,
        transfer_id=payout.stripe_transfer_id,
        stripe_payout_id=payout.stripe_payout_id,
        reversal_id=payout.stripe_reversal_id,
        failure=payout.failure,
        created_at=payout.created_at,
        transferred_at=payout.transferred_at,
        settled_at=payout.settled_at,
    )
