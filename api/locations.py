"""Taking in where drivers say they are, many times a minute each: quickly, or not at all.

Redis has the newest, PostgreSQL the history, and either may be away: what the other one keeps is
enough to go on. Neither is waited for long, and no more of these requests are in hand at once than
leave room for all others.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from api.errors import busy, not_found, unavailable
from domain.geo import distance_km
from domain.tracking import Fix, Judgement, Rules, Track, judge, later, samples
from providers.live import Live
from providers.positions import Phone, Positions
from schema import live_events
from schema.database import Database, is_away
from schema.queries import locations
from schema.queries.locations import Underway
from settings import Settings

Answer = TypeVar("Answer")

# How long positions wait for their turn, and for the database.
TURN_SECONDS = 0.25
DATABASE_SECONDS = 0.5

_log = structlog.get_logger()


class DatabaseSilent(Exception):
    """The database is away, or does not answer in time."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a driver's fixes, and the orders whose door he is near by the newest."""

    judgement: Judgement
    near_door: tuple[UUID, ...]


class Locations:
    """Takes in where drivers are, and says where one is."""

    def __init__(
        self, settings: Settings, database: Database, positions: Positions, live: Live
    ) -> None:
        self._settings = settings
        self._database = database
        self._positions = positions
        self._live = live
        self._rules = Rules(
            max_kmh=settings.driver_max_kmh * settings.pace,
            worst_accuracy_m=settings.driver_worst_accuracy_m,
        )
        self._turns = asyncio.Semaphore(settings.locations_at_once)
        # A quarter of the connections that there may be.
        self._connections = asyncio.Semaphore(max(1, settings.database_pool_size // 2))
        self._asked: set[asyncio.Task[Any]] = set()

    async def take(self, user_id: UUID, fixes: Sequence[Fix], now: datetime) -> Taken:
        """Judge what a driver's phone says and keep what can be.

        Raises Problem: 404 where the user is no driver, 503 where too many are being taken in
        (`busy`), or where nobody answers who could keep it.
        """
        async with self._turn():
            return await self._take(user_id, fixes, now)

    async def latest(self, driver_id: UUID, by_history: Fix | None) -> Fix | None:
        """Where a driver is, at least as far as his history says."""
        try:
            return later(await self._positions.of(driver_id), by_history)
        except RedisError as error:
            _log.warning("a position from the database instead", error=str(error))
            return by_history

    async def _take(self, user_id: UUID, fixes: Sequence[Fix], now: datetime) -> Taken:
        driver, (phone, redis_answers) = await asyncio.gather(
            self._underway(user_id), self._phone(user_id)
        )
        if driver is not None:
            driver_id = driver.driver_id
        elif phone is not None:
            driver_id = phone.driver_id
        else:
            raise unavailable("the database does not answer")
        # Without Redis nobody remembers what was doubted, and a wrong last position would be held
        # against the driver all the while: then his phone is believed at once.
        rules = self._rules if redis_answers else replace(self._rules, convinced_by=1)
        known = _track(phone, driver)
        judgement = judge(known, fixes, now, rules)
        is_remembered = redis_answers and await self._remember(user_id, driver_id, judgement.track)
        kept = is_remembered
        if driver is not None:
            # Who looks on does not wait for the history.
            if is_remembered:
                await self._tell(driver, known.last, judgement.track.last)
            kept = await self._add(driver, judgement.taken) or kept
        if not kept:
            raise unavailable("neither Redis nor the database answers")
        return Taken(judgement, self._near_door(driver, judgement.taken, now))

    async def _underway(self, user_id: UUID) -> Underway | None:
        """None where the database is silent."""

        async def ask() -> Underway | None:
            async with self._database.read() as session:
                return await locations.underway(session, user_id)

        try:
            driver = await self._in_time(ask)
        except DatabaseSilent as silent:
            _log.warning("a position without the database", error=str(silent))
            return None
        if driver is None:
            raise not_found("driver profile of yours")
        return driver

    async def _phone(self, user_id: UUID) -> tuple[Phone | None, bool]:
        """What Redis remembers of the phone, and whether it answers at all."""
        try:
            return await self._positions.phone(user_id), True
        except RedisError as error:
            _log.warning("a position without Redis", error=str(error))
            return None, False

    async def _remember(self, user_id: UUID, driver_id: UUID, track: Track) -> bool:
        if track.last is None:
            return True
        try:
            await self._positions.put(
                driver_id, track.last.point, track.last.at, remember=(user_id, track)
            )
        except RedisError as error:
            _log.warning("a position is not remembered in Redis", error=str(error))
            return False
        return True

    async def _add(self, driver: Underway, taken: Sequence[Fix]) -> bool:
        """Keep what the driver's history keeps of it; False where the database is silent."""
        kept = list(
            samples(
                driver.last,
                taken,
                every=self._settings.lasting("driver_sample"),
                every_m=self._settings.driver_sample_m,
            )
        )
        if not kept:
            return True

        async def add() -> None:
            async with self._database.write() as session:
                await locations.add(session, driver.driver_id, kept)

        try:
            await self._in_time(add)
        except DatabaseSilent as silent:
            _log.warning("a position is not in the history", error=str(silent))
            return False
        return True

    async def _tell(self, driver: Underway, was: Fix | None, here: Fix | None) -> None:
        """Tell whom it concerns where a driver is, if he is where he was not."""
        if here is None or (was is not None and here.at <= was.at):
            return
        try:
            await self._live.tell_all(
                [live_events.position(here, order.carried) for order in driver.orders]
            )
        except RedisError as error:
            _log.warning("a position is not told", error=str(error))

    def _near_door(
        self, driver: Underway | None, taken: Sequence[Fix], now: datetime
    ) -> tuple[UUID, ...]:
        """What comes late says where the driver was, not that he is near."""
        if driver is None or not taken or taken[-1].at < now - self._settings.driver_fix_max_age:
            return ()
        here = taken[-1].point
        return tuple(
            order.carried.order_id
            for order in driver.orders
            if order.is_ahead and distance_km(here, order.door) <= self._settings.near_door_km
        )

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turns.acquire()
        except TimeoutError as error:
            raise busy("too many positions come at once") from error
        try:
            yield
        finally:
            self._turns.release()

    async def _in_time(self, ask: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        """What the database answers. Raises DatabaseSilent.

        What takes too long is given up, but counts among the connections until it has let go of
        its own: that can take a while where the server is frozen.
        """

        async def with_a_connection() -> Answer:
            async with self._connections:
                return await ask()

        asked = asyncio.create_task(with_a_connection())
        self._asked.add(asked)
        asked.add_done_callback(self._let_go)
        done, _ = await asyncio.wait({asked}, timeout=DATABASE_SECONDS)
        if not done:
            asked.cancel()
            raise DatabaseSilent(f"no answer within {DATABASE_SECONDS:g} s")
        try:
            return asked.result()
        except DBAPIError as error:
            if not is_away(error):
                raise
            raise DatabaseSilent(str(error)) from error
        except (PoolExhausted, OSError) as error:
            raise DatabaseSilent(str(error)) from error

    def _let_go(self, asked: asyncio.Task[Any]) -> None:
        self._asked.discard(asked)
        if not asked.cancelled():
            # Looked at, or asyncio complains about what was given up.
            asked.exception()


def _track(phone: Phone | None, driver: Underway | None) -> Track:
    """What is known of a driver, by whoever knows later."""
    track = phone.track if phone else Track()
    last = later(track.last, driver.last if driver else None)
    return track if last is track.last else Track(last)
