"""Every SQL statement that books something, and those that ask what is booked."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.ledger import IRREVERSIBLE, Event, Movement, Posting, balances, payee_of
from domain.ledger import reverse as undo
from schema.queries import admin
from schema.tables import LedgerAccount, LedgerMovement, LedgerPosting
from schema.tables.columns import now


async def book(session: AsyncSession, movement: Movement, note: str | None = None) -> bool:
    """Book a movement, in the transaction of what it belongs to; False when it is booked already.

    A movement of nothing (a free order, say) is not booked.
    """
    if not movement.postings:
        return False
    movement_id = uuid7()
    claimed = await session.execute(
        insert(LedgerMovement)
        .values(
            id=movement_id,
            key=movement.key,
            event=movement.event,
            order_id=movement.order_id,
            payout_id=movement.payout_id,
            stripe_id=movement.stripe_id,
            note=note,
            booked_at=now(),
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(col(LedgerMovement.id))
    )
    if claimed.first() is None:
        return False
    await _open_accounts(session, movement)
    await session.execute(
        insert(LedgerPosting),
        [
            {
                "id": uuid7(),
                "movement_id": movement_id,
                "account": posting.account,
                "currency": movement.currency,
                "amount_cents": posting.cents,
            }
            for posting in movement.postings
        ],
    )
    return True


async def booked(session: AsyncSession, key: str) -> Movement | None:
    """The movement with that key, or None."""
    found = await session.execute(
        select(LedgerMovement, LedgerPosting)
        .join(LedgerPosting, col(LedgerPosting.movement_id) == col(LedgerMovement.id))
        .where(col(LedgerMovement.key) == key)
        .order_by(col(LedgerPosting.id))
    )
    rows = found.all()
    if not rows:
        return None
    movement: LedgerMovement = rows[0][0]
    return Movement(
        key=movement.key,
        event=movement.event,
        currency=rows[0][1].currency,
        postings=tuple(Posting(p.account, p.amount_cents) for _, p in rows),
        order_id=movement.order_id,
        payout_id=movement.payout_id,
        stripe_id=movement.stripe_id,
    )


class NotReversible(Exception):
    """A movement that cannot be reversed by hand: it is already, or stands for money that moved."""


async def reverse(
    session: AsyncSession, movement_id: UUID, *, by: UUID, reason: str
) -> LedgerMovement | None:
    """Book the opposite of a movement, audited; None when there is no such movement.

    Raises NotReversible.
    """
    found = await session.get(LedgerMovement, movement_id)
    if found is None:
        return None
    movement = await booked(session, found.key)
    if movement is None or movement.event in IRREVERSIBLE:
        raise NotReversible(f"a {found.event} cannot be reversed by hand")
    opposite = undo(movement)
    if not await book(session, opposite, note=reason):
        raise NotReversible("the movement is reversed already")
    correction = (
        await session.scalars(select(LedgerMovement).where(col(LedgerMovement.key) == opposite.key))
    ).one()
    await admin.act(
        session,
        key=opposite.key,
        admin_id=by,
        action="movement_reversed",
        target=("movement", movement_id),
        details={"reason": reason, "key": found.key, "currency": movement.currency},
        at=now(),
        before={"cents": balances([movement]), "reversedBy": None},
        after={"cents": balances([movement, opposite]), "reversedBy": str(correction.id)},
    )
    return correction


async def of_order(
    session: AsyncSession, order_id: UUID, events: frozenset[Event]
) -> Mapping[str, int]:
    """What events of these kinds have put on each account for an order, in cents."""
    found = await session.execute(
        select(col(LedgerPosting.account), func.sum(LedgerPosting.amount_cents))
        .join(LedgerMovement, col(LedgerMovement.id) == col(LedgerPosting.movement_id))
        .where(col(LedgerMovement.order_id) == order_id, col(LedgerMovement.event).in_(events))
        .group_by(col(LedgerPosting.account))
    )
    return {account: int(cents) for account, cents in found}


async def _open_accounts(session: AsyncSession, movement: Movement) -> None:
    rows = []
    for code in sorted({posting.account for posting in movement.postings}):
        payee = payee_of(code)
        kind, payee_id = payee or (None, None)
        rows.append({"code": code, "payee_kind": kind, "payee_id": payee_id, "created_at": now()})
    await session.execute(insert(LedgerAccount).on_conflict_do_nothing(), rows)
