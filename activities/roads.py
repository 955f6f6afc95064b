"""How long drives take, as dispatch asks for it: between places of a plane, by the city's clock."""

import asyncio

from domain.dispatch.plan import Places, Seconds, Travel
from domain.dispatch.plane import Plane
from providers.maps import TravelTimes


class Roads:
    """The drives that this process knows; what it does not know it learns beside its work."""

    def __init__(self, travel: TravelTimes, pace: float) -> None:
        self._travel = travel
        self._pace = pace
        self._learning: asyncio.Task[int] | None = None

    def on(self, plane: Plane) -> Travel:
        """How long drives take between places of a plane."""

        def seconds(origins: Places, destinations: Places) -> Seconds:
            drives = self._travel.seconds(plane.degrees(origins), plane.degrees(destinations))
            return drives * self._pace

        return seconds

    def learn(self) -> None:
        """Have the map asked for some of the drives that were not known; nobody waits for it."""
        if self._learning is None or self._learning.done():
            self._learning = asyncio.create_task(self._travel.learn())

    async def aclose(self) -> None:
        """Learn no more."""
        if self._learning is not None:
            self._learning.cancel()
            await asyncio.gather(self._learning, return_exceptions=True)
        await self._travel.aclose()
