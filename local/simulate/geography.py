"""The city as its people drive through it: straight, as long as the road would take."""

from bisect import bisect_right
from dataclasses import dataclass
from math import atan2, cos, degrees, pi, radians, sin, sqrt
from random import Random

from domain import geo
from domain.geo import EARTH_RADIUS_KM, Point
from local.city import CENTRE

# How far the city's streets of kitchens are from its centre, and kitchens from their street.
_STREETS = ((0.0, 0.0), (2.6, 35.0), (3.2, 160.0), (3.0, 280.0))
_STREET_KM = 0.8
_CITY_KM = 5.0
_NEAREST_DOOR_KM = 0.4
_FURTHEST_DOOR_KM = 6.0
_USUAL_DOOR_KM = 2.2


@dataclass(frozen=True, slots=True)
class Leg:
    """A drive from one place to another; times by the city's clock."""

    begins: float
    ends: float
    origin: Point
    destination: Point

    def at(self, moment: float) -> Point:
        """Where somebody who drives it is; before and after it, at its ends."""
        if moment <= self.begins:
            return self.origin
        if moment >= self.ends:
            return self.destination
        share = (moment - self.begins) / (self.ends - self.begins)
        a, b = self.origin, self.destination
        return Point(
            a.latitude + share * (b.latitude - a.latitude),
            a.longitude + share * (b.longitude - a.longitude),
        )


class Track:
    """Where somebody was and will be, drive by drive."""

    def __init__(self, start: Point) -> None:
        self._begins: list[float] = []
        self.legs: list[Leg] = []
        self._start = start

    @property
    def end(self) -> Point:
        """Where the last drive ends."""
        return self.legs[-1].destination if self.legs else self._start

    def drive(self, leg: Leg) -> None:
        """Go on with another drive."""
        self._begins.append(leg.begins)
        self.legs.append(leg)

    def at(self, moment: float) -> Point:
        """Where he is at a moment."""
        place = bisect_right(self._begins, moment)
        return self.legs[place - 1].at(moment) if place else self._start


def seconds(origin: Point, destination: Point, kmh: float) -> float:
    """How long a drive takes at that speed."""
    return geo.road_km(origin, destination) / kmh * 3600


def heading(origin: Point, destination: Point) -> float:
    """In which direction it is, in degrees from north."""
    east = (destination.longitude - origin.longitude) * cos(radians(origin.latitude))
    return degrees(atan2(east, destination.latitude - origin.latitude)) % 360


def somewhere(chance: Random) -> Point:
    """Any place in the city, the middle no likelier than the edge."""
    return _away(CENTRE, _CITY_KM * sqrt(chance.random()), chance.uniform(0, 360))


def kitchen(number: int, chance: Random) -> Point:
    """The place of a kitchen: most stand in one of a few streets."""
    km, bearing = _STREETS[number % len(_STREETS)]
    street = _away(CENTRE, km, bearing)
    return _away(street, _STREET_KM * sqrt(chance.random()), chance.uniform(0, 360))


def door(kitchen: Point, chance: Random) -> Point:
    """The place of somebody who orders from a kitchen: near rather than far."""
    km = min(max(chance.gammavariate(2.0, _USUAL_DOOR_KM / 2), _NEAREST_DOOR_KM), _FURTHEST_DOOR_KM)
    return _away(kitchen, km, chance.uniform(0, 360))


def _away(origin: Point, km: float, bearing: float) -> Point:
    north = km * cos(radians(bearing)) / EARTH_RADIUS_KM * 180 / pi
    east = km * sin(radians(bearing)) / EARTH_RADIUS_KM * 180 / pi
    latitude = origin.latitude + north
    return Point(latitude, origin.longitude + east / cos(radians(latitude)))
