"""Stops and drives in the shape of Google's distance matrix."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from domain.geo import Point, road_km
from local.maps.atlas import Atlas
from local.maps.google_geocodes import formatted_address, position

CITY_KMH = 30.0
WRITTEN_IN_METRES_BELOW = 100
WRITTEN_IN_WHOLE_KM_FROM = 100


@dataclass(frozen=True, slots=True)
class Stop:
    """An origin or a destination: where it is, as far as that is known."""

    address: str
    point: Point | None = None
    has_road: bool = True

    @classmethod
    def read(cls, text: str, atlas: Atlas) -> Self:
        """The stop that `text` names by position or by address."""
        point = position(text)
        if point is None:
            spot = atlas.find(text)
            return cls(formatted_address(spot), spot.point) if spot else cls("")
        nearest = atlas.around(point)
        # Google gives a position without a road back as it was written.
        return cls(formatted_address(nearest[0]), point) if nearest else cls(text, point, False)


def matrix_row(start: Stop, ends: Iterable[Stop]) -> dict[str, Any]:
    """The drives from `start` to each of `ends`."""
    return {"elements": [_element(start, end) for end in ends]}


def _element(start: Stop, end: Stop) -> dict[str, Any]:
    if start.point is None or end.point is None:
        return {"status": "NOT_FOUND"}
    if not (start.has_road and end.has_road):
        return {"status": "ZERO_RESULTS"}
    km = road_km(start.point, end.point)
    metres, seconds = round(km * 1000), round(km / CITY_KMH * 3600)
    return {
        "distance": {"text": distance_text(metres), "value": metres},
        "duration": {"text": duration_text(seconds), "value": seconds},
        "status": "OK",
    }


def distance_text(metres: int) -> str:
    """As Google writes it: "58 m", "1.4 km", "313 km"."""
    if metres < WRITTEN_IN_METRES_BELOW:
        return f"{metres} m"
    km = metres / 1000
    return f"{km:.1f} km" if km < WRITTEN_IN_WHOLE_KM_FROM else f"{km:,.0f} km"


def duration_text(seconds: int) -> str:
    """As Google writes it: "1 min", "12 mins", "2 hours 5 mins"."""
    hours, minutes = divmod(max(1, round(seconds / 60)), 60)
    return " ".join(
        f"{count} {unit}" if count == 1 else f"{count} {unit}s"
        for count, unit in ((hours, "hour"), (minutes, "min"))
        if count
    )
