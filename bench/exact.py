"""Whether a payout run has left every cent where it belongs: at Stripe and in the books."""

import asyncio
from collections.abc import Callable, Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bench.payees import EARNINGS, OWED, Payee
from domain.ledger import Account
from domain.payouts import PayoutStatus
from providers.stripe import Stripe
from schema.database import Database
from schema.tables import LedgerAccount, LedgerPosting, Payout, PayoutItem

_CALLS_AT_ONCE = 20


async def check(
    database: Database, stripe: Stripe, payees: Sequence[Payee], tick: Callable[[], None]
) -> list[str]:
    """What is wrong, in words; nothing, if nothing is."""
    async with database.read() as session:
        wrong = await _books(session, len(payees))
        rows = (await session.scalars(select(Payout))).all()
    left = iter(rows)

    async def lane() -> None:
        for row in left:
            wrong.extend(await _at_stripe(stripe, row))
            tick()

    await asyncio.gather(*(lane() for _ in range(_CALLS_AT_ONCE)))
    if {row.payee_id for row in rows} != {payee.id for payee in payees} or len(rows) != len(payees):
        wrong.append(f"{len(rows)} payouts for {len(payees)} payees")
    return wrong


async def _books(session: AsyncSession, payees: int) -> list[str]:
    async def cents(account: Account) -> int:
        found = await session.scalar(
            select(func.sum(LedgerPosting.amount_cents)).where(
                col(LedgerPosting.account) == account.value
            )
        )
        return int(found or 0)

    live = await session.scalar(
        select(func.count()).select_from(PayoutItem).where(col(PayoutItem.released_at).is_(None))
    )
    still_owed = (
        select(col(LedgerPosting.account))
        .join(LedgerAccount, col(LedgerAccount.code) == col(LedgerPosting.account))
        .where(col(LedgerAccount.payee_id).is_not(None))
        .group_by(col(LedgerPosting.account))
        .having(func.sum(LedgerPosting.amount_cents) != 0)
        .subquery()
    )
    unsettled = await session.scalar(select(func.count()).select_from(still_owed))
    found = {
        "on the clearing account": await cents(Account.STRIPE_CLEARING),
        "in transit": await cents(Account.PAYOUTS_IN_TRANSIT),
        "postings in payouts": live,
        "payees still owed something": unsettled,
    }
    due = {
        "on the clearing account": -payees * OWED,
        "in transit": 0,
        "postings in payouts": payees * len(EARNINGS),
        "payees still owed something": 0,
    }
    return [
        f"{found[name]} {name} instead of {due[name]}" for name in due if found[name] != due[name]
    ]


async def _at_stripe(stripe: Stripe, row: Payout) -> list[str]:
    """One transfer and one payout, of what was owed, and nothing else with the payout's name."""
    v1, reference = stripe.client.v1, str(row.id)
    transfers = await v1.transfers.list_async({"transfer_group": reference})
    sent = await v1.payouts.list_async({}, {"stripe_account": row.stripe_account_id})
    moved = [(made.amount, made.amount_reversed) for made in transfers.data]
    banked = [
        (made.amount, made.status)
        for made in sent.data
        if made.metadata and made.metadata.to_dict().get("payout") == reference
    ]
    if (row.status, row.total_paid_cents, moved, banked) == (
        PayoutStatus.PAID,
        OWED,
        [(OWED, 0)],
        [(OWED, "paid")],
    ):
        return []
    return [f"payout {row.id} of {row.total_paid_cents} is {row.status}: {moved}, {banked}"]
