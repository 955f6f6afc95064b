"""How long drives take: by the map where it was asked, estimated where it was not.

The map is asked for the drive between the middles of two H3 cells (resolution 9, some 350 m across)
and the answer kept in Redis for cells and hour, weekends apart. What is kept of it in this process
is how much longer than the estimate it is: the factor holds for all the points of the two cells,
and for the short drives too. Where nothing is known yet, the estimate (the great circle, as a road,
at city speed) is multiplied by the usual factor of the region.

`seconds` never waits: it answers for arrays from what this process knows, and notes which cells it
did not know. `learn` looks those up in Redis and asks the map for some of the rest; whoever calls
`seconds` in a tick lets `learn` run after it, beside the next. Without a map, without Redis, or
while either fails, there is the estimate.

Drives are in seconds by our clock: a simulated city's are as much shorter as its clock is faster.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from threading import Lock
from typing import Protocol

import h3.api.basic_int as h3
import numpy as np
import structlog
from numpy.typing import NDArray
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.eta import City
from domain.geo import EARTH_RADIUS_KM, ROAD_FACTOR, Point
from domain.robust import leaning
from providers.maps.matrix import MOST_ORIGINS, GoogleMatrix, MatrixError

Degrees = NDArray[np.float64]
Seconds = NDArray[np.float64]
Pair = tuple[int, int]

RESOLUTION = 9
REGION_RESOLUTION = 3
"""Cells of some 120 km across: a city and what belongs to it."""
PRIOR_DRIVES = 10
"""As so many drives that are as estimated counts the estimate, for the usual factor."""
# No road is a tenth or the tenfold of its estimate: what the map says then is about another place.
_LEAST_FACTOR, _MOST_FACTOR = 0.3, 5.0
_MOST_KNOWN = 200_000
_MOST_NOTED = 20_000
_MOST_RECALLED = 5_000
_REST_SECONDS = 30.0
_NO_ROAD = 0.0
_SATURDAY = 5

_log = structlog.get_logger(__name__)


class Matrix(Protocol):
    """A provider of drives."""

    async def drives(self, origins: list[Point], destination: Point) -> list[float | None]:
        """Seconds from each origin; None where no road leads. Raises MatrixError."""

    async def aclose(self) -> None:
        """Let go of the connections."""


class TravelTimes:
    """How long drives take, for one process: its memory, Redis, and the map behind both."""

    def __init__(
        self,
        redis: Redis,
        matrix: Matrix | None,
        *,
        city: City,
        keep_for: timedelta,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`redis` stays the caller's to close, `matrix` does not; without one all is estimated."""
        self._redis = redis
        self._matrix = matrix
        self._city = city
        self._keep_for = keep_for
        self._clock = clock
        self._slot = ""
        self._factors: dict[Pair, float] = {}
        self._usual: dict[int, float] = {}
        self._settles_at = 0
        # Noted and not yet looked up, and looked up in vain: the newest last, each once.
        self._unknown: dict[Pair, None] = {}
        self._to_ask: dict[Pair, None] = {}
        self._resting_until = 0.0
        # Dispatch asks from threads, while this process's loop learns.
        self._guard = Lock()

    @classmethod
    def by_google(
        cls,
        redis: Redis,
        *,
        api_key: str,
        base_url: str | None,
        timeout_seconds: float,
        city: City,
        keep_for: timedelta,
    ) -> "TravelTimes":
        """Drives as Google knows them; all are estimated where there is no key."""
        matrix = None
        if api_key:
            matrix = GoogleMatrix(
                api_key=api_key, base_url=base_url, timeout_seconds=timeout_seconds
            )
        return cls(redis, matrix, city=city, keep_for=keep_for)

    def seconds(self, origins: Degrees, destinations: Degrees) -> Seconds:
        """How long n drives take; both arrays are n x 2, latitude and longitude in degrees.

        A drive whose cells are not known is estimated, and noted for `learn`.
        """
        starts, ends = _cells(origins), _cells(destinations)
        with self._guard:
            self._turn_page()
            known = map(self._factor, starts, ends)
            factors = np.fromiter(known, dtype=np.float64, count=len(origins))
        return self._estimated(origins, destinations) * factors / self._city.pace

    async def drive(self, start: Point, end: Point, *, patience_seconds: float = 1.0) -> timedelta:
        """How long one drive takes; waits for the map if it has to, but not for long."""
        origins = np.array([[start.latitude, start.longitude]])
        destinations = np.array([[end.latitude, end.longitude]])
        seconds = self.seconds(origins, destinations)
        pair = (_cells(origins)[0], _cells(destinations)[0])
        if pair in self._unknown or pair in self._to_ask:
            try:
                async with asyncio.timeout(patience_seconds):
                    await self._learn_now(pair)
            except TimeoutError:
                _log.warning("travel time not known in time")
            seconds = self.seconds(origins, destinations)
        return timedelta(seconds=float(seconds[0]))

    async def learn(self, *, most_requests: int = 4) -> int:
        """Look up the cells that were noted, and ask the map for some of those nobody knows.

        One request is up to 25 drives. Answers with how many drives were learned; raises nothing
        when Redis or the map does not answer: what was to be learned is noted at the next drive.
        """
        with self._guard:
            self._turn_page()
            noted = list(islice(self._unknown, _MOST_RECALLED))
        learned = await self._recall(noted)
        for pair in noted:
            self._unknown.pop(pair, None)
        for batch in islice(_by_destination(self._to_ask), most_requests):
            if not await self._ask(batch):
                break
            learned += len(batch)
        return learned

    async def aclose(self) -> None:
        """Let go of the connections to the map."""
        if self._matrix is not None:
            await self._matrix.aclose()

    async def _learn_now(self, pair: Pair) -> None:
        await self._recall([pair])
        self._unknown.pop(pair, None)
        if pair in self._to_ask:
            await self._ask([pair])

    def _factor(self, start: int, end: int) -> float:
        known = self._factors.get((start, end))
        if known is not None:
            return known
        if start != end and len(self._unknown) < _MOST_NOTED:
            self._unknown[start, end] = None
        return self._usual.get(_region(start), 1.0)

    async def _recall(self, pairs: list[Pair]) -> int:
        """What Redis knows of them; the others are to be asked for."""
        if not pairs:
            return 0
        slot = self._slot
        try:
            stored = await self._redis.mget([_key(slot, pair) for pair in pairs])
        except RedisError as error:
            _log.warning("travel times not recalled", reason=type(error).__name__)
            stored = [None] * len(pairs)
        found = {
            pair: float(seconds)
            for pair, seconds in zip(pairs, stored, strict=True)
            if seconds is not None
        }
        self._believe(slot, found)
        if self._matrix is not None and slot == self._slot:
            new = (pair for pair in pairs if pair not in found)
            self._to_ask.update(dict.fromkeys(islice(new, _MOST_NOTED - len(self._to_ask))))
        return len(found)

    async def _ask(self, pairs: list[Pair]) -> bool:
        """Ask the map for drives to one destination; False when it does not answer."""
        if self._matrix is None or time.monotonic() < self._resting_until:
            return False
        slot, destination = self._slot, _middle(pairs[0][1])
        try:
            answers = await self._matrix.drives([_middle(start) for start, _ in pairs], destination)
        except MatrixError as failure:
            _log.warning("drives not told", reason=str(failure))
            # Whoever asks in between would only wait in vain.
            self._resting_until = time.monotonic() + _REST_SECONDS
            return False
        told = {
            pair: _NO_ROAD if seconds is None else seconds
            for pair, seconds in zip(pairs, answers, strict=True)
        }
        self._believe(slot, told)
        for pair in pairs:
            self._to_ask.pop(pair, None)
        await self._remember(slot, told)
        return True

    async def _remember(self, slot: str, told: dict[Pair, float]) -> None:
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for pair, seconds in told.items():
                    pipe.set(_key(slot, pair), f"{seconds:g}", ex=self._keep_for)
                await pipe.execute()
        except RedisError as error:
            _log.warning("travel times not remembered", reason=type(error).__name__)

    def _believe(self, slot: str, drives: dict[Pair, float]) -> None:
        if not drives:
            return
        starts = _degrees(_middle(start) for start, _ in drives)
        ends = _degrees(_middle(end) for _, end in drives)
        factors = np.array([*drives.values()]) / self._estimated(starts, ends)
        with self._guard:
            if slot == self._slot:
                self._note(drives, factors)

    def _note(self, drives: Iterable[Pair], factors: Iterable[float]) -> None:
        for pair, factor in zip(drives, factors, strict=True):
            is_road = _LEAST_FACTOR <= factor <= _MOST_FACTOR
            # A drive that the map does not know is taken as any other, and not asked for again.
            usual = self._usual.get(_region(pair[0]), 1.0)
            self._factors[pair] = float(factor) if is_road else usual
        for pair in list(islice(self._factors, max(0, len(self._factors) - _MOST_KNOWN))):
            del self._factors[pair]
        if len(self._factors) >= self._settles_at:
            self._settle_usual()

    def _settle_usual(self) -> None:
        # Again when there is a tenth more to go by: it goes through all that is known.
        self._settles_at = min(int(len(self._factors) * 1.1) + 1, _MOST_KNOWN)
        regions: dict[int, list[float]] = {}
        for (start, _), factor in self._factors.items():
            regions.setdefault(_region(start), []).append(factor)
        self._usual = {
            region: leaning(factors, 0.5, on=1.0, as_many_as=PRIOR_DRIVES)
            for region, factors in regions.items()
        }

    def _turn_page(self) -> None:
        """Forget the drives of another hour; what is usual stays until it is known better."""
        slot = _slot(self._clock())
        if slot != self._slot:
            self._slot, self._settles_at = slot, 0
            for memory in (self._factors, self._unknown, self._to_ask):
                memory.clear()

    def _estimated(self, origins: Degrees, destinations: Degrees) -> Seconds:
        """By the city's clock."""
        return _great_circles_km(origins, destinations) * (ROAD_FACTOR / self._city.kmh * 3600)


def _by_destination(pairs: Collection[Pair]) -> Iterable[list[Pair]]:
    groups: dict[int, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(pair[1], []).append(pair)
    for group in sorted(groups.values(), key=len, reverse=True):
        for first in range(0, len(group), MOST_ORIGINS):
            yield group[first : first + MOST_ORIGINS]


def _slot(at: datetime) -> str:
    return f"{'weekend' if at.weekday() >= _SATURDAY else 'week'}:{at.hour}"


def _key(slot: str, pair: Pair) -> str:
    return f"travel:{slot}:{pair[0]:x}:{pair[1]:x}"


def _cells(places: Degrees) -> list[int]:
    # The same few kitchens, doors and drivers come again and again. As complex numbers they can be
    # sorted, which tells them apart quicker than hashes.
    here, which = np.unique(places[:, 0] + 1j * places[:, 1], return_inverse=True)
    cells = [h3.latlng_to_cell(place.real, place.imag, RESOLUTION) for place in here.tolist()]
    return [cells[number] for number in which.tolist()]


@lru_cache(maxsize=100_000)
def _region(cell: int) -> int:
    region: int = h3.cell_to_parent(cell, REGION_RESOLUTION)
    return region


def _middle(cell: int) -> Point:
    return Point(*h3.cell_to_latlng(cell))


def _degrees(points: Iterable[Point]) -> Degrees:
    return np.array([(point.latitude, point.longitude) for point in points])


def _great_circles_km(a: Degrees, b: Degrees) -> NDArray[np.float64]:
    """`domain.geo.distance_km`, for arrays."""
    here, there = np.radians(a), np.radians(b)
    half = np.sin((there - here) / 2) ** 2
    chords = half[:, 0] + np.cos(here[:, 0]) * np.cos(there[:, 0]) * half[:, 1]
    km: NDArray[np.float64] = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(1.0, chords)))
    return km
