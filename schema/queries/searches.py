"""Every SQL statement by which orders look for drivers, and zones see both."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.dispatch.plan import HeldBack
from domain.drivers import Vehicle
from domain.geo import Point
from domain.order_status import IN_HAND, WANTS_DRIVER, OrderStatus
from schema.messages.dispatch import AssignmentStatus, Search
from schema.queries import driver_profiles
from schema.queries.assignments import taken_by
from schema.queries.offers import LIVE, NOT_AGAIN
from schema.tables import DispatchSearch, Driver, DriverAssignment, Order

# Who has delivered nothing for so long has been idle for long enough.
_A_SHIFT = timedelta(hours=12)


class Looking(NamedTuple):
    """An order of a zone: how far it is, what its search wants, its live offer or assignment, and
    when its driver was last seen.
    """

    order: Order
    search: DispatchSearch
    assignment: DriverAssignment | None
    driver_seen_at: datetime | None

    @property
    def since(self) -> datetime:
        """Since when drivers are asked: after it was held back, the search begins anew."""
        return max(self.search.joined_at, self.search.held_until or self.search.joined_at)


class Free(NamedTuple):
    """A driver who may be asked: rating 0-5, where he was last seen, since when he is on duty."""

    driver_id: UUID
    rating: float
    vehicle: Vehicle
    latitude: float | None
    longitude: float | None
    located_at: datetime | None
    on_duty_since: datetime | None


class InHand(NamedTuple):
    """What a driver has in hand: how many orders, when the last is expected at which door."""

    load: int
    free_at: datetime
    door: Point


async def join(session: AsyncSession, order_id: UUID, zones: Sequence[str], at: datetime) -> Search:
    """Note that an order looks for a driver, since when it was first heard of; how it stands."""
    await session.execute(
        insert(DispatchSearch)
        .values(order_id=order_id, zones=list(zones), joined_at=at, bonus_cents=0)
        .on_conflict_do_update(index_elements=["order_id"], set_={"zones": list(zones)})
    )
    found = await session.execute(
        select(
            col(Order.sequence),
            col(DispatchSearch.held_until),
            DriverAssignment,
            col(Driver.user_id),
        )
        .join(DispatchSearch, col(DispatchSearch.order_id) == col(Order.id))
        .outerjoin(
            DriverAssignment,
            (col(DriverAssignment.order_id) == col(Order.id))
            & (col(DriverAssignment.status) == AssignmentStatus.ACCEPTED)
            & col(Order.status).in_(WANTS_DRIVER),
        )
        .outerjoin(Driver, col(Driver.id) == col(DriverAssignment.driver_id))
        .where(col(Order.id) == order_id)
    )
    sequence, held_until, assignment, user_id = found.one()
    taken = taken_by(assignment, user_id) if assignment else None
    return Search(sequence=sequence, taken=taken, held_until=held_until)


async def zones_of(session: AsyncSession, order_id: UUID) -> list[str]:
    """The zones in which an order looks for a driver, its own first; empty if it never did."""
    found = await session.scalar(
        select(col(DispatchSearch.zones)).where(col(DispatchSearch.order_id) == order_id)
    )
    return list(found or [])


async def looking(session: AsyncSession, order_ids: Collection[UUID]) -> list[Looking]:
    """How the orders of a zone stand."""
    found = await session.execute(
        select(Order, DispatchSearch, DriverAssignment, col(Driver.located_at))
        .join(DispatchSearch, col(DispatchSearch.order_id) == col(Order.id))
        .outerjoin(
            DriverAssignment,
            (col(DriverAssignment.order_id) == col(Order.id))
            & col(DriverAssignment.status).in_(LIVE),
        )
        .outerjoin(Driver, col(Driver.id) == col(DriverAssignment.driver_id))
        .where(col(Order.id).in_(order_ids))
        .order_by(col(Order.id))
    )
    return [Looking(*row) for row in found]


async def excluded(
    session: AsyncSession, order_ids: Collection[UUID], asked_since: datetime
) -> dict[UUID, frozenset[UUID]]:
    """Who is not to be asked for which order: he will not, or has just let it pass."""
    found = await session.execute(
        select(col(DriverAssignment.order_id), col(DriverAssignment.driver_id)).where(
            col(DriverAssignment.order_id).in_(order_ids),
            or_(
                col(DriverAssignment.status).in_(NOT_AGAIN),
                (col(DriverAssignment.status) == AssignmentStatus.EXPIRED)
                & (col(DriverAssignment.offered_at) > asked_since),
            ),
        )
    )
    drivers: dict[UUID, set[UUID]] = {}
    for order_id, driver_id in found:
        drivers.setdefault(order_id, set()).add(driver_id)
    return {order_id: frozenset(those) for order_id, those in drivers.items()}


async def looked_at(session: AsyncSession, order_id: UUID) -> datetime | None:
    """When a zone looked at an order last, if any did."""
    return await session.scalar(
        select(col(DispatchSearch.looked_at)).where(col(DispatchSearch.order_id) == order_id)
    )


async def note_looked(
    session: AsyncSession,
    order_ids: Collection[UUID],
    at: datetime,
    why: Mapping[UUID, HeldBack],
) -> None:
    """Remember that a zone has looked at orders, and of some why nobody is asked for them.

    A search that is just being changed is left for the next time.
    """
    free = await _lock(session, col(DispatchSearch.order_id).in_(order_ids))
    await session.execute(
        update(DispatchSearch).where(col(DispatchSearch.order_id).in_(free)).values(looked_at=at)
    )
    for reason in set(why.values()):
        those = [order_id for order_id in free if why.get(order_id) is reason]
        await session.execute(
            update(DispatchSearch)
            .where(
                col(DispatchSearch.order_id).in_(those),
                col(DispatchSearch.held_back).is_distinct_from(reason),
            )
            .values(held_back=reason)
        )


async def raise_bonus(session: AsyncSession, order_ids: Collection[UUID], cents: int) -> None:
    """Add a bonus to what these orders' drivers earn, where there is none yet.

    A search that is just being changed is left for the next time.
    """
    due = await _lock(
        session, col(DispatchSearch.order_id).in_(order_ids), col(DispatchSearch.bonus_cents) == 0
    )
    await session.execute(
        update(DispatchSearch)
        .where(col(DispatchSearch.order_id).in_(due))
        .values(bonus_cents=cents)
    )


async def free(
    session: AsyncSession,
    seen: Iterable[UUID],
    centre: Point,
    radius_km: float,
    *,
    seen_since: datetime,
    today: date,
) -> list[Free]:
    """Who is on duty and has nothing to answer: among the drivers `seen`, and those that this
    database last saw around `centre`.
    """
    place = func.ll_to_earth(Driver.current_latitude, Driver.current_longitude)
    box = func.earth_box(func.ll_to_earth(centre.latitude, centre.longitude), radius_km * 1000)
    asked = (
        select(col(DriverAssignment.id))
        .where(
            col(DriverAssignment.driver_id) == col(Driver.id),
            col(DriverAssignment.status) == AssignmentStatus.OFFERED,
        )
        .exists()
    )
    found = await session.execute(
        select(
            col(Driver.id),
            col(Driver.rating),
            col(Driver.vehicle_type),
            col(Driver.current_latitude),
            col(Driver.current_longitude),
            col(Driver.located_at),
            col(Driver.on_duty_since),
        )
        .where(
            col(Driver.is_available),
            driver_profiles.may_deliver(today),
            ~asked,
            or_(
                col(Driver.id).in_(list(seen)),
                (col(Driver.located_at) >= seen_since) & box.op("@>")(place),
            ),
        )
        .order_by(col(Driver.id))
    )
    return [Free(*row) for row in found]


async def in_hand(session: AsyncSession, drivers: Collection[UUID]) -> dict[UUID, InHand]:
    """What the drivers have in hand, who have anything."""
    found = await session.execute(
        select(
            col(Order.driver_id),
            col(Order.estimated_delivery_at),
            col(Order.delivery_latitude),
            col(Order.delivery_longitude),
            func.count().over(partition_by=col(Order.driver_id)),
        )
        .where(col(Order.driver_id).in_(drivers), col(Order.status).in_(IN_HAND))
        .order_by(col(Order.estimated_delivery_at), col(Order.id))
    )
    # The last one of each remains.
    carried = ((row[0], InHand(row[4], row[1], Point(row[2], row[3]))) for row in found)
    return {driver_id: those for driver_id, those in carried if driver_id is not None}


async def idle_since(
    session: AsyncSession, drivers: Collection[UUID], at: datetime
) -> Mapping[UUID, datetime]:
    """When the drivers last brought something in this shift, who did."""
    found = await session.execute(
        select(col(Order.driver_id), func.max(Order.delivered_at))
        .where(
            col(Order.driver_id).in_(drivers),
            col(Order.status) == OrderStatus.DELIVERED,
            col(Order.created_at) >= at - _A_SHIFT,
        )
        .group_by(col(Order.driver_id))
    )
    return {driver_id: last for driver_id, last in found if driver_id and last}


async def _lock(session: AsyncSession, *which: ColumnElement[bool]) -> list[UUID]:
    """Have searches to oneself until this transaction ends, as far as nobody else has them."""
    found = await session.scalars(
        select(col(DispatchSearch.order_id))
        .where(*which)
        .order_by(col(DispatchSearch.order_id))
        .with_for_update(key_share=True, skip_locked=True)
    )
    return list(found)
