"""A city on a plane, in metres."""

from dataclasses import dataclass
from math import cos, radians

import numpy as np

from domain.dispatch.plan import Place, Places
from domain.geo import EARTH_RADIUS_KM, Point

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

    def degrees(self, places: Places) -> Places:
        """The latitudes and longitudes of n places."""
        scale = np.array([_METRES_PER_DEGREE, self._metres_eastward])
        degrees: Places = places[:, ::-1] / scale + [self.origin.latitude, self.origin.longitude]
        degrees[:, 1] = (degrees[:, 1] + 180) % 360 - 180
        return degrees

    @property
    def _metres_eastward(self) -> float:
        return _METRES_PER_DEGREE * cos(radians(self.origin.latitude))
