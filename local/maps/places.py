"""What a map is made of: cities, their streets, and the spots along them.

A street is a straight line with house numbers spread evenly along it, so that every number has one
position and every position one number. Positions are degrees.
"""

from dataclasses import dataclass
from math import cos, radians

from domain.geo import Point


@dataclass(frozen=True, slots=True)
class City:
    """A city in Texas."""

    name: str
    county: str
    center: Point


@dataclass(frozen=True, slots=True)
class Street:
    """A straight street from its lowest house number to its highest."""

    name: str
    city: City
    postal_code: str
    first_number: int
    start: Point
    last_number: int
    end: Point

    def point_at(self, number: int) -> Point:
        """Where house `number` stands; a number beyond the street's ends stands at that end."""
        return self._point_along(
            (number - self.first_number) / (self.last_number - self.first_number)
        )

    def number_near(self, point: Point) -> int:
        """The number of the house nearest to `point`."""
        share = self._share_nearest(point)
        return round(self.first_number + share * (self.last_number - self.first_number))

    def has(self, number: int) -> bool:
        """Whether `number` lies between the street's ends."""
        return self.first_number <= number <= self.last_number

    @property
    def middle(self) -> Point:
        """Halfway between the street's ends."""
        return self._point_along(0.5)

    def _point_along(self, share: float) -> Point:
        """The position after `share` of the way from start to end (0 to 1, else the nearer end)."""
        share = min(1.0, max(0.0, share))
        north = share * (self.end.latitude - self.start.latitude)
        east = share * (self.end.longitude - self.start.longitude)
        # Seven decimals are a centimetre, and what Google gives.
        return Point(
            latitude=round(self.start.latitude + north, 7),
            longitude=round(self.start.longitude + east, 7),
        )

    def _share_nearest(self, point: Point) -> float:
        """The share of the way from start to end at which the street is nearest to `point`."""
        # A degree of longitude is shorter than one of latitude, by the same factor all over a city.
        shrink = cos(radians(self.start.latitude))
        street_north = self.end.latitude - self.start.latitude
        street_east = (self.end.longitude - self.start.longitude) * shrink
        north = point.latitude - self.start.latitude
        east = (point.longitude - self.start.longitude) * shrink
        share = (north * street_north + east * street_east) / (street_north**2 + street_east**2)
        return min(1.0, max(0.0, share))


@dataclass(frozen=True, slots=True)
class Spot:
    """A place that can be named: a house, a street (no number) or a city (no street)."""

    point: Point
    city: City
    street: Street | None = None
    number: int | None = None
    number_is_guessed: bool = False
    """The number asked for lies beyond the street's ends."""
    postal_code_is_corrected: bool = False
    """The postal code asked for is not the street's."""
