"""A city on a plane, in metres, and how long its drives take."""

from dataclasses import dataclass
from datetime import datetime
from math import cos, radians
from typing import Protocol

import numpy as np

from domain.dispatch.plan import Place, Places, Seconds, Travel
from domain.eta import CITY_KMH
from domain.geo import EARTH_RADIUS_KM, ROAD_FACTOR, Point

_METRES_PER_DEGREE = radians(1) * EARTH_RADIUS_KM * 1000


@dataclass(frozen=True, slots=True)
class Plane:
    """The plane that touches the earth at `origin`; 50 km away it is wrong by less than 1 %."""

    origin: Point

    def place(self, point: Point) -> Place:
        """Where a point of the earth is on the plane: metres to the east and to the north."""
        # The shorter way around, also across the meridian where the days begin.
        east = (point.longitude - self.origin.longitude + 180) % 360 - 180
        north = point.latitude - self.origin.latitude
        return Place(east * self._metres_eastward, north * _METRES_PER_DEGREE)

    def point(self, place: Place) -> Point:
        """Which point of the earth a place of the plane is."""
        east = self.origin.longitude + place.x / self._metres_eastward
        return Point(self.origin.latitude + place.y / _METRES_PER_DEGREE, (east + 180) % 360 - 180)

    @property
    def _metres_eastward(self) -> float:
        return _METRES_PER_DEGREE * cos(radians(self.origin.latitude))


class Roads(Protocol):
    """What is known of a city's roads."""

    async def __call__(self, plane: Plane, at: datetime) -> Travel:
        """How long drives take at a moment, between places of a plane."""


async def plain_roads(plane: Plane, at: datetime) -> Travel:  # noqa: ARG001 - they are always alike
    """Roads of which nothing is known but how much longer than straight they usually are."""
    return _straight


def _straight(origins: Places, destinations: Places) -> Seconds:
    metres: Seconds = np.hypot(*(destinations - origins).T) * ROAD_FACTOR
    return metres / (CITY_KMH / 3.6)
