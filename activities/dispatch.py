"""Asking drivers to take an order."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity

from domain.dispatch.nearest import Candidate, rank
from domain.geo import distance_km
from domain.notifications import Alert
from providers.positions import Positions
from schema.database import Database
from schema.messages.dispatch import Offer, OfferSearch, Withdrawal
from schema.queries import notifications, offers, orders

# A run that was terminated leaves its offer open, and its driver with it.
_STALE_AFTER = timedelta(minutes=1)

_log = structlog.get_logger()


class DispatchActivities:
    """Offers to drivers: short, safe to repeat, run as local activities.

    A driver may have `capacity` orders in hand; a position older than `fix_max_age` does not count.
    """

    def __init__(
        self, database: Database, positions: Positions, *, capacity: int, fix_max_age: timedelta
    ) -> None:
        self._database = database
        self._positions = positions
        self._capacity = capacity
        self._fix_max_age = fix_max_age

    @activity.defn
    async def make_offer(self, search: OfferSearch) -> Offer | None:
        """Offer an order to the best driver who may be asked; None when there is nobody.

        An order has one live offer at most: where it has one already, that is the answer. One that
        does not wait for a driver any more, by a step that is not known here yet, gets none.
        """
        # The clock on the wall, not the workflow's: a position is as old as it is.
        now = datetime.now(UTC)
        near = await self._seen_by_redis(search, now)
        async with self._database.write() as session:
            if not await offers.is_wanted(session, search.order_id):
                return None
            live = await offers.live_offer(session, search.order_id)
            if live is not None:
                return live
            await offers.clear_stale(session, now - _STALE_AFTER)
            for candidate in rank(await self._candidates(session, search, near, now)):
                made = await offers.offer(
                    session, search, candidate.driver_id, candidate.distance_km
                )
                if made is not None:
                    parties = await orders.parties(session, search.order_id)
                    await notifications.tell(
                        session,
                        Alert.DRIVER_OFFER,
                        parties._replace(driver_id=made.driver_id),
                        key=str(made.id),
                    )
                    return made
        return None

    @activity.defn
    async def withdraw_offer(self, ending: Withdrawal) -> bool:
        """End an offer that waits for an answer; False when it did not wait any more."""
        async with self._database.write() as session:
            return await offers.withdraw(session, ending)

    async def _candidates(
        self, session: AsyncSession, search: OfferSearch, near: Mapping[UUID, float], now: datetime
    ) -> list[Candidate]:
        free = await offers.free_among(session, near, search, self._capacity) if near else []
        if free:
            return [Candidate(d.driver_id, near[d.driver_id], d.rating, d.load) for d in free]
        # Redis may know of some and not of all, if it was away for a while.
        free = await offers.free_within(
            session, search, self._capacity, seen_since=now - self._fix_max_age
        )
        return [
            Candidate(d.driver_id, distance_km(search.kitchen, d.seen_at), d.rating, d.load)
            for d in free
        ]

    async def _seen_by_redis(self, search: OfferSearch, now: datetime) -> dict[UUID, float]:
        try:
            return await self._positions.near(
                search.kitchen, search.radius_km, now=now, max_age=self._fix_max_age
            )
        except RedisError as error:
            _log.warning("positions from the database instead", error=str(error))
            return {}
