"""What the kitchens of a zone will be asked for soon, from what they were asked for lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.dispatch.forecast import expected
from domain.dispatch.plan import Demand, OpenOrder, Place
from domain.dispatch.plane import Plane
from domain.geo import Point
from schema.database import Database
from schema.queries import demand
from schema.queries.demand import Asked


@dataclass(frozen=True)
class _Seen:
    """What was read at a moment."""

    at: datetime
    asked: Sequence[Asked]
    kitchens: Sequence[Point]


class Forecasts:
    """Reads what was asked for now and then; in between, the last reading is good enough.

    An `evening` back tells where orders come from; `fresh_for` is how long a reading is used.
    `pace` is how many seconds of the city pass in one of ours.
    """

    def __init__(
        self, database: Database, *, evening: timedelta, fresh_for: timedelta, pace: float
    ) -> None:
        self._database = database
        self._evening = evening
        self._fresh_for = fresh_for
        self._pace = pace
        self._seen: dict[str, _Seen] = {}

    async def of(
        self, zone: str, plane: Plane, radius_km: float, at: datetime
    ) -> tuple[Demand, ...]:
        """What is to be expected around the origin of a plane."""
        seen = self._seen.get(zone)
        if seen is None or at - seen.at >= self._fresh_for:
            seen = self._seen[zone] = await self._read(plane.origin, radius_km, at)

        def seconds(moment: datetime) -> float:
            return (moment - at).total_seconds() * self._pace

        def order(number: int, asked: Asked) -> OpenOrder:
            kitchen = plane.place(Point(asked.latitude, asked.longitude))
            return OpenOrder(
                id=str(number),
                kitchen_id=str(asked.chef_id),
                kitchen=kitchen,
                door=kitchen,
                placed_at=seconds(asked.placed_at),
                ready_at=seconds(asked.ready_at),
            )

        known = [order(number, asked) for number, asked in enumerate(seen.asked)]
        kitchens: list[Place] = [plane.place(point) for point in seen.kitchens]
        return expected(0.0, known, kitchens)

    async def _read(self, centre: Point, radius_km: float, at: datetime) -> _Seen:
        async with self._database.read() as session:
            asked = await demand.asked_for(session, centre, radius_km, at - self._evening)
            return _Seen(at, asked, await demand.open_kitchens(session, centre, radius_km))
