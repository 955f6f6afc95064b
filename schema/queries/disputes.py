"""Every SQL statement about disputes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain import disputes as rules
from domain.disputes import Outcome, Stage
from domain.ledger import Bearer
from schema.messages.disputes import Decision
from schema.queries import admin, bookings
from schema.tables import Dispute, Order
from schema.tables.columns import now


class Seen(NamedTuple):
    """A dispute as Stripe shows it; what it withdrew and reinstated is in cents."""

    dispute_id: str
    order_id: UUID
    amount_cents: int
    currency: str
    reason: str
    status: str
    due_by: datetime | None
    past_due: bool
    submitted: bool
    withdrawn_cents: int
    reinstated_cents: int
    opened_at: datetime
    tip_charge_id: UUID | None = None


class Parties(NamedTuple):
    """Whose order is disputed."""

    chef_id: UUID
    customer_id: UUID
    driver_id: UUID | None
    market: str


class Listed(NamedTuple):
    """A dispute, and the number of its order."""

    dispute: Dispute
    order_number: str


async def note(session: AsyncSession, seen: Seen) -> Dispute:
    """Write down how a dispute stands and book what that means, once for whatever it is.

    What was seen before a dispute ended and is written after that changes nothing.
    """
    outcome = rules.outcome_of(seen.status)
    row = await _row(session, seen)
    if outcome is None and row.outcome is not None:
        return row
    row.amount_cents, row.reason, row.status = seen.amount_cents, seen.reason, seen.status
    row.inquiry = rules.is_inquiry(seen.status)
    row.evidence_due_by, row.evidence_past_due = seen.due_by, seen.past_due
    row.withdrawn_cents = max(row.withdrawn_cents, seen.withdrawn_cents)
    row.reinstated_cents = max(row.reinstated_cents, seen.reinstated_cents)
    if seen.submitted and row.evidence_submitted_at is None:
        row.evidence_submitted_at = now()
    if outcome is not None:
        row.outcome = outcome
        row.closed_at = row.closed_at or now()
    if outcome is Outcome.LOST and row.fault is None:
        row.fault = await _usual_fault(session, row)
    await session.flush()
    await bookings.dispute(session, row)
    return row


async def note_evidence(session: AsyncSession, dispute_id: str, evidence: dict[str, str]) -> None:
    """Keep what was sent to the bank."""
    await session.execute(
        update(Dispute)
        .where(col(Dispute.stripe_dispute_id) == dispute_id)
        .values(evidence=evidence)
    )


async def note_told(session: AsyncSession, dispute_id: str, stage: Stage) -> None:
    """Write down how far the order has heard."""
    await session.execute(
        update(Dispute).where(col(Dispute.stripe_dispute_id) == dispute_id).values(told=stage)
    )


async def decide(session: AsyncSession, decision: Decision) -> Dispute:
    """Write down what an admin has decided, and that he has; once by its key."""
    row = await one(session, decision.dispute_id, for_update=True)
    if row is None:
        raise LookupError(f"there is no dispute {decision.dispute_id}")
    said = {
        "evidence_text": decision.text,
        "fault": decision.fault,
        "conceded": decision.conceded or None,
    }
    changes = {name: value for name, value in said.items() if value is not None}
    was = {name: getattr(row, name) for name in ("status", *said)}
    before, after = _figures(was), _figures(was | changes)
    if decision.action == "submit":
        # Whether the bank has it, Stripe says later.
        before, after = before | {"submission": None}, after | {"submission": "asked"}
    if await admin.note_dispute(session, decision, row.order_id, before=before, after=after):
        row.sqlmodel_update(changes)
        await session.flush()
    return row


def _figures(values: Mapping[str, Any]) -> dict[str, object]:
    """How a dispute stands, for the log of admins: of people's words their length."""
    return {
        "status": values["status"],
        "fault": values["fault"],
        "conceded": values["conceded"],
        "evidenceLength": len(values["evidence_text"] or ""),
    }


async def unconcede(session: AsyncSession, dispute_id: str) -> None:
    """Stripe did not take a concession: there is none."""
    await session.execute(
        update(Dispute).where(col(Dispute.stripe_dispute_id) == dispute_id).values(conceded=False)
    )


async def one(
    session: AsyncSession, dispute_id: str, *, for_update: bool = False
) -> Dispute | None:
    """A dispute, or None."""
    asked = select(Dispute).where(col(Dispute.stripe_dispute_id) == dispute_id)
    return await session.scalar(asked.with_for_update() if for_update else asked)


async def parties(session: AsyncSession, order_id: UUID) -> Parties:
    """Whose an order is."""
    found = await session.execute(
        select(
            col(Order.chef_id), col(Order.customer_id), col(Order.driver_id), col(Order.market)
        ).where(col(Order.id) == order_id)
    )
    return Parties(*found.one())


async def listed(session: AsyncSession, dispute_id: str) -> Listed | None:
    """A dispute with the number of its order, or None."""
    found = await session.execute(
        select(Dispute, col(Order.order_number))
        .join(Order, col(Order.id) == col(Dispute.order_id))
        .where(col(Dispute.stripe_dispute_id) == dispute_id)
    )
    row = found.first()
    return None if row is None else Listed(*row)


async def page(
    session: AsyncSession, *, is_open: bool | None, limit: int, offset: int
) -> tuple[Sequence[Listed], int]:
    """A page of the disputes, the newest first, and how many there are; None: open and closed."""
    asked = select(Dispute, col(Order.order_number)).join(
        Order, col(Order.id) == col(Dispute.order_id)
    )
    counted = select(func.count()).select_from(Dispute)
    if is_open is not None:
        wanted = col(Dispute.outcome).is_(None) if is_open else col(Dispute.outcome).is_not(None)
        asked, counted = asked.where(wanted), counted.where(wanted)
    found = await session.execute(
        asked.order_by(col(Dispute.opened_at).desc(), col(Dispute.stripe_dispute_id).desc())
        .limit(limit)
        .offset(offset)
    )
    return [Listed(*row) for row in found], await session.scalar(counted) or 0


async def over_for(session: AsyncSession, order_id: UUID) -> tuple[str, ...]:
    """The disputes whose end an order has heard of."""
    found = await session.scalars(
        select(col(Dispute.stripe_dispute_id))
        .where(col(Dispute.order_id) == order_id, col(Dispute.told) == Stage.CLOSED)
        .order_by(col(Dispute.stripe_dispute_id))
    )
    return tuple(found)


async def open_for(session: AsyncSession, order_id: UUID) -> tuple[str, ...]:
    """The disputes by which a bank holds an order's money, whether or not it has heard of them."""
    found = await session.scalars(
        select(col(Dispute.stripe_dispute_id))
        .where(
            col(Dispute.order_id) == order_id,
            col(Dispute.outcome).is_(None),
            col(Dispute.inquiry).is_(False),
        )
        .order_by(col(Dispute.stripe_dispute_id))
    )
    return tuple(found)


async def taken(session: AsyncSession, order_id: UUID) -> int:
    """What banks hold of an order's own payment or have taken for good, in cents."""
    found = await session.scalar(
        select(func.sum(Dispute.withdrawn_cents - Dispute.reinstated_cents)).where(
            col(Dispute.order_id) == order_id,
            col(Dispute.tip_charge_id).is_(None),
            col(Dispute.outcome).is_(None) | (col(Dispute.outcome) == Outcome.LOST),
        )
    )
    return int(found or 0)


async def _row(session: AsyncSession, seen: Seen) -> Dispute:
    await session.execute(
        insert(Dispute)
        .values(
            stripe_dispute_id=seen.dispute_id,
            order_id=seen.order_id,
            tip_charge_id=seen.tip_charge_id,
            amount_cents=seen.amount_cents,
            currency=seen.currency,
            reason=seen.reason,
            status=seen.status,
            inquiry=rules.is_inquiry(seen.status),
            evidence_past_due=False,
            conceded=False,
            withdrawn_cents=0,
            reinstated_cents=0,
            opened_at=seen.opened_at,
        )
        .on_conflict_do_nothing(index_elements=["stripe_dispute_id"])
    )
    row = await one(session, seen.dispute_id, for_update=True)
    if row is None:
        raise LookupError(f"there is no dispute {seen.dispute_id}")
    return row


async def _usual_fault(session: AsyncSession, row: Dispute) -> Bearer:
    found = await session.execute(
        select(col(Order.delivered_at), col(Order.proof)).where(col(Order.id) == row.order_id)
    )
    delivered_at, proof = found.one()
    return rules.usual_fault(
        row.reason,
        delivered=delivered_at is not None,
        proven=bool(proof),
        of_tip=row.tip_charge_id is not None,
    )
