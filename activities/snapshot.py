"""The moment in a zone, as a policy sees it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from activities.forecasts import Forecasts
from activities.roads import Roads
from domain import drivers
from domain.dispatch.plan import Courier, OpenOrder, Proposal, Scene
from domain.dispatch.plane import Plane
from domain.dispatch.rules import Rules
from domain.geo import Point, distance_km
from domain.order_status import OrderStatus
from domain.tracking import Fix
from providers.positions import Positions
from schema.database import Database
from schema.queries import searches, shifts
from schema.queries.offers import NewOffer, NewStop
from schema.queries.searches import Free, InHand, Looking
from schema.tables import Order

_log = structlog.get_logger()


@dataclass(frozen=True)
class Snapshot:
    """A scene, and how to get back from it to the earth and its clock.

    A policy counts in the city's seconds from the moment `at`, whatever the pace of our clock.
    """

    at: datetime
    pace: float
    plane: Plane
    scene: Scene
    orders: Mapping[str, Order]

    def moment(self, seconds: float) -> datetime:
        """Which moment the policy means."""
        return self.at + timedelta(seconds=seconds / self.pace)

    def offer(self, proposal: Proposal, at: datetime, lasts: timedelta) -> NewOffer:
        """What a driver is to be asked at a moment, and has so long to answer."""
        driver = next(c for c in self.scene.couriers if c.id == proposal.courier_id)
        here = self.plane.point(driver.place)
        pickups = dict(proposal.pickups)
        stops = [
            NewStop(
                UUID(order_id),
                distance_km(here, _kitchen(self.orders[order_id])),
                self.moment(pickups[order_id]),
                self.moment(arrival),
            )
            for order_id, arrival in proposal.dropoffs
        ]
        return NewOffer(UUID(driver.id), stops, proposal.why, at, at + lasts)


class Snapshots:
    """Takes them: from the database, and from Redis where it answers."""

    def __init__(
        self,
        database: Database,
        positions: Positions,
        roads: Roads,
        forecasts: Forecasts,
        rules: Rules,
    ) -> None:
        self._database = database
        self._positions = positions
        self._roads = roads
        self._forecasts = forecasts
        self._rules = rules

    async def take(self, zone: str, waiting: Sequence[Looking], at: datetime) -> Snapshot:
        """A zone's orders that wait, and the drivers who could be asked for one of them."""
        reach = {look.order.id: self._radius_km(look, at) for look in waiting}
        plane = Plane(_middle([_kitchen(look.order) for look in waiting]))
        furthest = max(
            distance_km(plane.origin, _kitchen(look.order)) + reach[look.order.id]
            for look in waiting
        )
        # The clock on the wall, not the workflow's: a position is as old as it is.
        now = datetime.now(UTC)
        seen = await self._seen(plane.origin, furthest, now)
        demand = await self._forecasts.of(zone, plane, furthest, at)
        async with self._database.read() as session:
            excluded = await searches.excluded(session, reach, at - self._rules.ask_again)
            free = await searches.free(
                session,
                seen,
                plane.origin,
                furthest,
                seen_since=now - self._rules.fix_max_age,
                today=at.date(),
            )
            those = [driver.driver_id for driver in free]
            in_hand = await searches.in_hand(session, those)
            idle_since = await searches.idle_since(session, those, at)
            shift_ends = await shifts.shift_ends(session, those, at)

        def seconds(moment: datetime) -> float:
            return (moment - at).total_seconds() * self._rules.pace

        def order(look: Looking) -> OpenOrder:
            row, search = look.order, look.search
            return OpenOrder(
                id=str(row.id),
                kitchen_id=str(row.chef_id),
                kitchen=plane.place(_kitchen(row)),
                door=plane.place(Point(row.delivery_latitude, row.delivery_longitude)),
                placed_at=seconds(row.created_at),
                ready_at=seconds(ready_at(row, at)),
                promised_at=seconds(row.estimated_delivery_at),
                radius_m=reach[row.id] * 1000,
                excluded=frozenset(str(driver) for driver in excluded.get(row.id, ())),
                preferred=str(search.preferred_driver_id) if search.preferred_driver_id else None,
                held_until=seconds(search.held_until) if search.held_until else None,
            )

        def courier(driver: Free, place: Fix, carried: InHand | None) -> Courier:
            return Courier(
                id=str(driver.driver_id),
                place=plane.place(carried.door if carried else place.point),
                free_at=max(0.0, seconds(carried.free_at)) if carried else 0.0,
                seen_at=(place.at - now).total_seconds() * self._rules.pace,
                idle_since=seconds(idle_since.get(driver.driver_id) or driver.on_duty_since or at),
                capacity=drivers.capacity(driver.vehicle, self._rules.capacity),
                reach_m=drivers.reach_km(driver.vehicle, inf) * 1000,
                load=carried.load if carried else 0,
                rating=driver.rating,
                shift_ends_at=seconds(ends) if (ends := shift_ends.get(driver.driver_id)) else inf,
                vehicle=driver.vehicle,
            )

        placed = ((driver, seen.get(driver.driver_id) or _noted(driver)) for driver in free)
        return Snapshot(
            at=at,
            pace=self._rules.pace,
            plane=plane,
            scene=Scene(
                at=0.0,
                orders=tuple(order(look) for look in waiting),
                couriers=tuple(
                    courier(driver, place, in_hand.get(driver.driver_id))
                    for driver, place in placed
                    if place is not None
                ),
                travel=self._roads.on(plane),
                demand=demand,
                arriving=self._rules.handover / 2,
                leaving=self._rules.handover / 2,
            ),
            orders={str(look.order.id): look.order for look in waiting},
        )

    def _radius_km(self, look: Looking, at: datetime) -> float:
        return self._rules.widening.radius_km(look.since, ready_at(look.order, at), at)

    async def _seen(self, centre: Point, radius_km: float, now: datetime) -> dict[UUID, Fix]:
        try:
            return await self._positions.around(
                centre, radius_km, now=now, max_age=self._rules.fix_max_age
            )
        except RedisError as error:
            _log.warning("positions from the database instead", error=str(error))
            return {}


def ready_at(order: Order, at: datetime) -> datetime:
    """When an order's food was ready, or will be: at any moment, if it should have been."""
    if order.status is OrderStatus.READY_FOR_PICKUP:
        return min(order.prepared_at or at, at)
    return max(order.estimated_ready_at, at)


def _kitchen(order: Order) -> Point:
    return Point(order.pickup_latitude, order.pickup_longitude)


def _middle(points: Iterable[Point]) -> Point:
    latitudes, longitudes = zip(*((p.latitude, p.longitude) for p in points), strict=True)
    return Point((min(latitudes) + max(latitudes)) / 2, (min(longitudes) + max(longitudes)) / 2)


def _noted(driver: Free) -> Fix | None:
    """Where the database last saw a driver."""
    if driver.latitude is None or driver.longitude is None or driver.located_at is None:
        return None
    return Fix(Point(driver.latitude, driver.longitude), driver.located_at)
