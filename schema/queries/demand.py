"""Every SQL statement about what kitchens are asked for."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.geo import Point
from domain.verification import Verification
from schema.tables import Chef, Order

MOST_ORDERS = 2000


class Asked(NamedTuple):
    """An order that a kitchen was asked for: when, and when its food was to be ready."""

    chef_id: UUID
    latitude: float
    longitude: float
    placed_at: datetime
    ready_at: datetime


async def asked_for(
    session: AsyncSession, centre: Point, radius_km: float, since: datetime
) -> list[Asked]:
    """What the kitchens within the radius were asked for; the latest, if it was very much."""
    found = await session.execute(
        select(
            col(Order.chef_id),
            col(Order.pickup_latitude),
            col(Order.pickup_longitude),
            col(Order.created_at),
            col(Order.estimated_ready_at),
        )
        .where(
            col(Order.created_at) >= since,
            func.earth_distance(
                func.ll_to_earth(centre.latitude, centre.longitude),
                func.ll_to_earth(Order.pickup_latitude, Order.pickup_longitude),
            )
            <= radius_km * 1000,
        )
        .order_by(col(Order.created_at).desc())
        .limit(MOST_ORDERS)
    )
    return [Asked(*row) for row in found]


async def open_kitchens(session: AsyncSession, centre: Point, radius_km: float) -> list[Point]:
    """Where the kitchens within the radius are that take orders."""
    here = func.ll_to_earth(centre.latitude, centre.longitude)
    place = func.ll_to_earth(Chef.latitude, Chef.longitude)
    found = await session.execute(
        select(col(Chef.latitude), col(Chef.longitude)).where(
            col(Chef.accepting_orders),
            col(Chef.verification_status) == Verification.APPROVED,
            # The box is what the index knows; its corners are further away than the radius.
            func.earth_box(here, radius_km * 1000).op("@>")(place),
        )
    )
    return [Point(*row) for row in found]
