"""Every SQL statement by which payouts are made."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain import ledger as rules
from domain import wording
from domain.ledger import OF_PAYOUTS
from domain.notifications import PayeeAlert
from domain.payouts import SETTLED, Outcome, PayoutStatus
from domain.webhooks import EventType
from schema.messages import payouts as message
from schema.messages.payees import PayeeRef
from schema.messages.payouts import Claimed, DuePayee, Hold, PayeesDue, PayoutStart, Terms
from schema.queries import admin, ledger, notifications, payees, webhook_events
from schema.tables import (
    Chef,
    LedgerAccount,
    LedgerMovement,
    LedgerPosting,
    Order,
    Payout,
    PayoutHold,
    PayoutItem,
)
from schema.tables.columns import now

S = PayoutStatus


async def payees_due(session: AsyncSession, ask: PayeesDue) -> list[DuePayee]:
    """Those to whom at least the minimum is owed in the market, in the order of their ids.

    A chef belongs to the kitchen's market, a driver to that of the latest order he earned by; who
    earned by none belongs to any market of the currency.
    """
    market = ask.terms.market
    claimable = (
        select(
            func.sum(-LedgerPosting.amount_cents).label("cents"),
            func.array_agg(
                aggregate_order_by(col(Order.market), col(LedgerMovement.booked_at).desc())
            )
            .filter(col(Order.market).is_not(None))
            .label("markets"),
        )
        .join(LedgerMovement, col(LedgerMovement.id) == col(LedgerPosting.movement_id))
        .join(Order, col(Order.id) == col(LedgerMovement.order_id), isouter=True)
        .where(col(LedgerPosting.account) == col(LedgerAccount.code), *_is_claimable(ask.terms))
        .lateral("claimable")
    )
    found = await session.execute(
        select(col(LedgerAccount.payee_kind), col(LedgerAccount.payee_id), claimable.c.cents)
        .join(claimable, claimable.c.cents >= max(ask.terms.minimum_cents, 1))
        .outerjoin(Chef, col(Chef.id) == col(LedgerAccount.payee_id))
        .where(
            col(LedgerAccount.payee_id) > (ask.after or UUID(int=0)),
            func.coalesce(Chef.market, claimable.c.markets[1], market) == market,
        )
        .order_by(col(LedgerAccount.payee_id))
        .limit(ask.limit)
    )
    return [
        DuePayee(id=payee_id, kind=kind, payee_id=payee_id, day=ask.terms.day, cents=cents)
        for kind, payee_id, cents in found
    ]


async def unsettled(session: AsyncSession, ask: PayeesDue) -> list[DuePayee]:
    """The market's payouts that are not settled, in the order of their ids.

    Most go on by themselves; one whose workflow was terminated has nobody else.
    """
    found = await session.scalars(
        select(Payout)
        .where(
            col(Payout.status).not_in(SETTLED),
            col(Payout.market) == ask.terms.market,
            col(Payout.currency) == ask.terms.currency,
            col(Payout.id) > (ask.after or UUID(int=0)),
        )
        .order_by(col(Payout.id))
        .limit(ask.limit)
    )
    return [
        DuePayee(
            id=row.id,
            kind=row.user_type,
            payee_id=row.payee_id,
            day=row.day,
            cents=row.total_paid_cents,
        )
        for row in found
    ]


async def claim(session: AsyncSession, start: PayoutStart) -> Claimed:
    """Set aside all that is owed to a payee, as a payout; the same again if that was done already.

    One claim at a time: the payee's account is locked, so that no posting is claimed twice.
    """
    terms, account = start.terms, rules.payable(start.kind, start.payee_id)
    await session.execute(
        select(col(LedgerAccount.code))
        .where(col(LedgerAccount.code) == account)
        .with_for_update(key_share=True)
    )
    made = await of_day(session, start)
    if made is not None:
        return Claimed(outcome=outcome_of(made.status), payout=made, taken_up=True)
    if await is_held(session, start.payee_id):
        return Claimed(outcome=Outcome.HELD)
    whose = await payees.payee(session, PayeeRef(kind=start.kind, payee_id=start.payee_id))
    if (
        whose is None
        or whose.account_id is None
        or not await payees.can_be_paid(session, start.payee_id)
    ):
        return Claimed(outcome=Outcome.NOT_PAYABLE)
    postings = (
        await session.execute(
            select(col(LedgerPosting.id), col(LedgerPosting.amount_cents))
            .join(LedgerMovement, col(LedgerMovement.id) == col(LedgerPosting.movement_id))
            .where(col(LedgerPosting.account) == account, *_is_claimable(terms))
        )
    ).all()
    cents = -sum(amount for _, amount in postings)
    if cents < max(terms.minimum_cents, 1):
        return Claimed(outcome=Outcome.NOTHING_DUE)
    payout = Payout(
        user_id=whose.user_id,
        user_type=start.kind,
        payee_id=start.payee_id,
        market=terms.market,
        day=terms.day,
        currency=terms.currency,
        total_paid_cents=cents,
        status=S.CLAIMED,
        stripe_account_id=whose.account_id,
    )
    session.add(payout)
    await session.flush()
    await session.execute(
        insert(PayoutItem),
        [{"payout_id": payout.id, "posting_id": posting_id} for posting_id, _ in postings],
    )
    return Claimed(outcome=Outcome.UNDER_WAY, payout=_message(payout))


async def of_day(session: AsyncSession, start: PayoutStart) -> message.Payout | None:
    """The payout that a payee has for a day, if any."""
    row = await session.scalar(
        select(Payout).where(
            col(Payout.payee_id) == start.payee_id,
            col(Payout.day) == start.terms.day,
            col(Payout.currency) == start.terms.currency,
        )
    )
    return None if row is None else _message(row)


async def load(session: AsyncSession, payout_id: UUID) -> message.Payout:
    """A payout as it stands. Raises LookupError when there is none."""
    return _message(await _row(session, payout_id))


async def claimed_by(session: AsyncSession, payee_id: UUID) -> Payout | None:
    """The latest payout of a payee whose money has not left yet, if any."""
    return await session.scalar(
        select(Payout)
        .where(col(Payout.payee_id) == payee_id, col(Payout.status) == S.CLAIMED)
        .order_by(col(Payout.day).desc())
        .limit(1)
    )


async def of_stripe(
    session: AsyncSession, stripe_payout_id: str, ours: UUID | None
) -> Payout | None:
    """The payout that something sent to a bank is for: by its id, or by ours if that is not noted
    yet.
    """
    found = await session.scalar(
        select(Payout).where(col(Payout.stripe_payout_id) == stripe_payout_id)
    )
    if found is None and ours is not None:
        found = await session.get(Payout, ours)
    return found


async def is_held(session: AsyncSession, payee_id: UUID) -> bool:
    """Whether an admin has stopped a payee's payouts."""
    return await session.get(PayoutHold, payee_id) is not None


async def note_transferred(
    session: AsyncSession, payout_id: UUID, transfer_id: str
) -> message.Payout:
    """The money is on the payee's account at Stripe; once, however often it is heard of."""
    row = await _row(session, payout_id, lock=True)
    if row.status is S.CLAIMED:
        row.status, row.stripe_transfer_id, row.transferred_at = S.TRANSFERRED, transfer_id, now()
        await ledger.book(
            session,
            rules.transferred(row.id, row.total_paid_cents, row.currency, transfer_id),
        )
    return _message(row)


async def note_in_transit(
    session: AsyncSession, payout_id: UUID, stripe_payout_id: str
) -> message.Payout:
    """The money is on its way to the payee's bank."""
    row = await _row(session, payout_id, lock=True)
    if row.status is S.TRANSFERRED:
        row.status, row.stripe_payout_id = S.IN_TRANSIT, stripe_payout_id
    return _message(row)


async def note_paid(session: AsyncSession, payout_id: UUID) -> message.Payout:
    """The bank has it: the payee is told, and owed nothing of it any more."""
    row = await _row(session, payout_id, lock=True)
    if row.status is S.IN_TRANSIT:
        row.status, row.settled_at = S.PAID, now()
        await ledger.book(session, rules.paid_out(row.id, *_owed(row)))
        await _tell(session, row, PayeeAlert.PAYOUT_PAID)
        await webhook_events.of_payout(session, row.id, EventType.PAYOUT_PAID)
    return _message(row)


async def note_returning(session: AsyncSession, payout_id: UUID, reason: str) -> message.Payout:
    """The bank did not take it, or sent it back: the payee and finance are told."""
    row = await _row(session, payout_id, lock=True)
    if row.status in {S.TRANSFERRED, S.IN_TRANSIT, S.PAID}:
        if row.status is S.PAID:
            await ledger.book(session, rules.payout_returned(row.id, *_owed(row)))
        row.status, row.failure, row.settled_at = S.RETURNING, reason, None
        await _tell(session, row, PayeeAlert.PAYOUT_FAILED, reason)
        await webhook_events.of_payout(session, row.id, EventType.PAYOUT_FAILED)
    return _message(row)


async def note_returned(session: AsyncSession, payout_id: UUID, reversal_id: str) -> message.Payout:
    """The transfer has been fetched back: its earnings are owed again."""
    row = await _row(session, payout_id, lock=True)
    if row.status is S.RETURNING:
        row.status, row.stripe_reversal_id, row.settled_at = S.FAILED, reversal_id, now()
        await ledger.book(
            session,
            rules.transfer_reversed(row.id, row.total_paid_cents, row.currency, reversal_id),
        )
        await session.execute(
            update(PayoutItem)
            .where(col(PayoutItem.payout_id) == row.id, col(PayoutItem.released_at).is_(None))
            .values(released_at=now())
        )
    return _message(row)


async def note_hold(session: AsyncSession, hold: Hold) -> None:
    """Stop or resume a payee's payouts, and write down who did it and why."""
    if hold.held:
        stopped = await session.scalar(
            upsert(PayoutHold)
            .values(
                payee_id=hold.payee_id,
                payee_kind=hold.kind,
                reason=hold.reason,
                held_by=hold.admin_id,
                held_at=now(),
            )
            .on_conflict_do_nothing()
            .returning(col(PayoutHold.payee_id))
        )
        was_held = stopped is None
    else:
        resumed = await session.scalar(
            delete(PayoutHold)
            .where(col(PayoutHold.payee_id) == hold.payee_id)
            .returning(col(PayoutHold.payee_id))
        )
        was_held = resumed is not None
    await admin.act(
        session,
        key=hold.key,
        admin_id=hold.admin_id,
        action="payouts_held" if hold.held else "payouts_resumed",
        target=(hold.kind.value, hold.payee_id),
        details={"reason": hold.reason},
        at=now(),
        before={"held": was_held},
        after={"held": hold.held},
    )


async def tell_trouble(session: AsyncSession, trouble: message.PayoutTrouble) -> None:
    """Tell finance of a payout that does not get on; of an empty balance once for all payouts."""
    day = f"{trouble.at:%Y-%m-%d}"
    if trouble.balance_short:
        currency = trouble.payout.currency
        await notifications.tell_ops(
            session,
            PayeeAlert.BALANCE_SHORT,
            key=f"balance:{currency}:{day}",
            reason=trouble.reason,
        )
    else:
        row = await _row(session, trouble.payout.id)
        words = f"could not {trouble.what}: {trouble.reason}"
        await _tell(session, row, PayeeAlert.PAYOUT_STUCK, words, key=f"{row.id}:{day}")


def outcome_of(status: PayoutStatus) -> Outcome:
    """What a run says of a payout that stands so."""
    return {S.PAID: Outcome.PAID, S.FAILED: Outcome.FAILED}.get(status, Outcome.UNDER_WAY)


def _is_claimable(terms: Terms) -> Sequence[ColumnElement[bool]]:
    """What is owed and in no live payout."""
    return (
        col(LedgerPosting.currency) == terms.currency,
        col(LedgerMovement.booked_at) < terms.cut_off,
        col(LedgerMovement.event).not_in(OF_PAYOUTS),
        ~select(col(PayoutItem.posting_id))
        .where(
            col(PayoutItem.posting_id) == col(LedgerPosting.id),
            col(PayoutItem.released_at).is_(None),
        )
        .exists(),
    )


async def _row(session: AsyncSession, payout_id: UUID, *, lock: bool = False) -> Payout:
    asked = select(Payout).where(col(Payout.id) == payout_id)
    row = await session.scalar(asked.with_for_update() if lock else asked)
    if row is None:
        raise LookupError(f"there is no payout {payout_id}")
    return row


def _owed(row: Payout) -> tuple[str, int, str]:
    return rules.payable(row.user_type, row.payee_id), row.total_paid_cents, row.currency


async def _tell(
    session: AsyncSession,
    row: Payout,
    alert: PayeeAlert,
    reason: str | None = None,
    *,
    key: str | None = None,
) -> None:
    whose = await payees.payee(session, PayeeRef(kind=row.user_type, payee_id=row.payee_id))
    if whose is not None:
        await notifications.tell_payee(
            session,
            alert,
            whose.party,
            key=key or str(row.id),
            reason=reason,
            words={"amount": wording.amount(row.total_paid_cents, row.currency)},
        )


def _message(row: Payout) -> message.Payout:
    return message.Payout(
        id=row.id,
        kind=row.user_type,
        payee_id=row.payee_id,
        day=row.day,
        currency=row.currency,
        cents=row.total_paid_cents,
        account_id=row.stripe_account_id,
        status=row.status,
        transfer_id=row.stripe_transfer_id,
        payout_id=row.stripe_payout_id,
    )
