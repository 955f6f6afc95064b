"""A small map that can be searched by address and by position."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace

from domain.geo import Point, distance_km
from local.maps.places import City, Spot, Street
from local.maps.spelling import shortest

REACH_KM = 25.0
"""How far from the nearest known street a position may be and still have an address."""


class Atlas:
    """All streets the stand-in knows. Where a name is known twice, the earlier street is meant."""

    def __init__(self, streets: Iterable[Street]) -> None:
        self.streets = tuple(streets)
        self._by_name: dict[str, list[Street]] = defaultdict(list)
        for street in self.streets:
            self._by_name[shortest(street.name)].append(street)
        self._cities = {shortest(street.city.name): street.city for street in self.streets}
        self._grammar = _grammar(self._by_name.keys(), self._cities.keys())

    def find(self, address: str) -> Spot | None:
        """What `address` names, if everything in it is known and fits together."""
        parts = self._grammar.fullmatch(shortest(address))
        if parts is None:
            return None
        city = self._cities.get(parts["city"])
        if parts["street"] is None:
            return _city_spot(city) if city else None
        street = self._street(parts["street"], city, parts["postal_code"])
        if street is None:
            return None
        spot = _house(street, int(parts["number"])) if parts["number"] else _street_spot(street)
        corrected = parts["postal_code"] not in {None, street.postal_code}
        return replace(spot, postal_code_is_corrected=corrected)

    def around(self, point: Point) -> list[Spot]:
        """The nearest house, its street and its city; nothing where no street is near."""
        street = min(self.streets, key=lambda street: _distance_km(street, point), default=None)
        if street is None or _distance_km(street, point) > REACH_KM:
            return []
        house = _house(street, street.number_near(point))
        return [house, _street_spot(street), _city_spot(street.city)]

    def _street(self, name: str, city: City | None, postal_code: str | None) -> Street | None:
        """The street of that name in `city`, or anywhere; the postal code breaks a tie."""
        namesakes = [street for street in self._by_name[name] if city in {None, street.city}]
        return max(namesakes, key=lambda street: street.postal_code == postal_code, default=None)


def _distance_km(street: Street, point: Point) -> float:
    """How far `point` is from the house nearest to it on `street`."""
    return distance_km(street.point_at(street.number_near(point)), point)


def _house(street: Street, number: int) -> Spot:
    return Spot(
        point=street.point_at(number),
        city=street.city,
        street=street,
        number=number,
        number_is_guessed=not street.has(number),
    )


def _street_spot(street: Street) -> Spot:
    return Spot(point=street.middle, city=street.city, street=street)


def _city_spot(city: City) -> Spot:
    return Spot(point=city.center, city=city)


def _grammar(streets: Collection[str], cities: Collection[str]) -> re.Pattern[str]:
    """How an address in its shortest spelling is built from the names that are known."""
    return re.compile(
        rf"""
        ( (?:(?P<number>\d{{1,6}})[a-z]?\ )? (?P<street>{_any_of(streets)})\b
          (?:(?:\ (?:apt|unit|ste|\#))+\ \w+)?
        )?
        (?:\ ?(?P<city>{_any_of(cities)})\b)?
        (?:\ ?tx\b)?
        (?:\ ?(?P<postal_code>\d{{5}})(?:\ \d{{4}})?\b)?
        (?:\ ?(?:us|usa|united\ states(?:\ of\ america)?))?
        """,
        re.VERBOSE,
    )


def _any_of(names: Collection[str]) -> str:
    """A pattern for one of `names`: the longest that fits, and none if there are none."""
    longest_first = sorted(names, key=len, reverse=True)
    return "|".join(map(re.escape, longest_first)) or "(?!)"
