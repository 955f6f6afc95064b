"""Every SQL statement about how good our estimates of deliveries were."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.eta_quality import Foretold
from domain.order_status import OrderStatus
from schema.queries.earnings import Between
from schema.tables import Order, OrderStatusHistory

MOST_ORDERS = 5_000

_STEPS = {
    OrderStatus.PENDING: Foretold.PLACED,
    OrderStatus.ACCEPTED: Foretold.ACCEPTED,
    OrderStatus.PICKED_UP: Foretold.PICKED_UP,
}


class Delivered(NamedTuple):
    """When a delivery was foretold for with some step, and when it came."""

    step: Foretold
    foretold: datetime
    came: datetime


async def delivered(session: AsyncSession, period: Between, market: str | None) -> list[Delivered]:
    """What was foretold of the orders that were placed in a period and delivered.

    The latest `MOST_ORDERS` of them. Scheduled orders are left out: their customers foretell them.
    """
    latest = (
        select(col(Order.id), col(Order.delivered_at))
        .where(col(Order.delivered_at).is_not(None), col(Order.scheduled_for).is_(None))
        .where(*period.holds(col(Order.created_at)))
        .order_by(col(Order.created_at).desc())
        .limit(MOST_ORDERS)
    )
    if market is not None:
        latest = latest.where(col(Order.market) == market)
    of = latest.subquery()
    step = OrderStatusHistory
    found = await session.execute(
        select(col(step.status), col(step.changes), of.c.delivered_at)
        .join(of, of.c.id == col(step.order_id))
        .where(col(step.status).in_(_STEPS))
        .order_by(col(step.order_id), col(step.sequence))
    )
    return [
        Delivered(_STEPS[status], datetime.fromisoformat(foretold), came)
        for status, changes, came in found
        if (foretold := changes.get("estimated_delivery_at")) is not None
    ]
