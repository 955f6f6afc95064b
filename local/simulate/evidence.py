"""What PostgreSQL and Stripe hold about an evening at a moment, read past our own queries."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col
from stripe import StripeClient

from domain.drivers import Vehicle
from finance.trial_balance import Balance, trial_balance
from schema.database import Database
from schema.tables import (
    Driver,
    DriverAssignment,
    LedgerMovement,
    LedgerPosting,
    Order,
    OrderStatusHistory,
    Payment,
)

_MOST_AT_STRIPE = 100


@dataclass(frozen=True, slots=True)
class Booked:
    """So many cents on an account for an order; credits are below nothing."""

    order_id: UUID
    account: str
    cents: int


@dataclass(frozen=True)
class Evidence:
    """All of it. `kept` is what Stripe took for each PaymentIntent and has not given back, in
    cents; nothing where Stripe was not asked.
    """

    at: datetime
    orders: Sequence[Order]
    steps: Sequence[OrderStatusHistory]
    offers: Sequence[DriverAssignment]
    vehicles: Mapping[UUID, Vehicle] = field(default_factory=dict)
    payments: Mapping[UUID, str] = field(default_factory=dict)
    booked: Sequence[Booked] = ()
    balance: Balance | None = None
    kept: Mapping[str, int] | None = None


def look(environment: Mapping[str, str], *, at_stripe: bool) -> Evidence:
    """Read all of it, in a loop of its own: whoever has one calls this in a thread."""
    kept = _kept(environment) if at_stripe else None
    return asyncio.run(_read(environment["DATABASE_URL"], kept))


async def _read(database_url: str, kept: Mapping[str, int] | None) -> Evidence:
    database = Database(database_url, pool_size=1)
    try:
        at = datetime.now(UTC)
        async with database.snapshot() as session:
            orders = await session.scalars(select(Order).order_by(col(Order.id)))
            steps = await session.scalars(
                select(OrderStatusHistory).order_by(
                    col(OrderStatusHistory.order_id), col(OrderStatusHistory.sequence)
                )
            )
            offers = await session.scalars(
                select(DriverAssignment).order_by(
                    col(DriverAssignment.offered_at), col(DriverAssignment.id)
                )
            )
            vehicles = await session.execute(select(col(Driver.id), col(Driver.vehicle_type)))
            payments = await session.execute(
                select(col(Payment.order_id), col(Payment.stripe_payment_intent_id))
            )
            booked = await session.execute(
                select(
                    col(LedgerMovement.order_id),
                    col(LedgerPosting.account),
                    col(LedgerPosting.amount_cents),
                ).join(LedgerMovement, col(LedgerMovement.id) == col(LedgerPosting.movement_id))
            )
            return Evidence(
                at=at,
                orders=orders.all(),
                steps=steps.all(),
                offers=offers.all(),
                vehicles={row[0]: row[1] for row in vehicles},
                payments={row[0]: row[1] for row in payments},
                booked=[Booked(row[0], row[1], row[2]) for row in booked if row[0] is not None],
                balance=await trial_balance(database, at),
                kept=kept,
            )
    finally:
        await database.close()


def _kept(environment: Mapping[str, str]) -> dict[str, int]:
    stripe = StripeClient(
        environment["STRIPE_API_KEY"], base_addresses={"api": environment["STRIPE_API_BASE"]}
    )
    kept: dict[str, int] = {}
    charges = stripe.v1.charges.list({"limit": _MOST_AT_STRIPE})
    for charge in charges.auto_paging_iter():
        intent = str(charge.payment_intent)
        taken = charge.amount_captured if charge.paid else 0
        kept[intent] = kept.get(intent, 0) + taken - charge.amount_refunded
    return kept
