"""What Google's geocoding reads and answers: positions, and spots as results."""

import base64
import hashlib
import re
from typing import Any

from domain.geo import Point
from local.maps.places import Spot, Street
from local.maps.spelling import longest

VIEWPORT_DEGREES = 0.0013489802915
"""How far Google's smallest viewport reaches from its middle."""

_LAT_LNG = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*")


def position(text: str) -> Point | None:
    """The position written as `latitude,longitude` in degrees, if `text` is one."""
    numbers = _LAT_LNG.fullmatch(text)
    try:
        return Point(float(numbers[1]), float(numbers[2])) if numbers else None
    except ValueError:
        return None


def formatted_address(spot: Spot) -> str:
    """The address on one line, as Google writes it."""
    if spot.street is None:
        return f"{spot.city.name}, TX, USA"
    door = f"{spot.number} {spot.street.name}" if spot.number is not None else spot.street.name
    return f"{door}, {spot.city.name}, TX {spot.street.postal_code}, USA"


def geocode_result(spot: Spot) -> dict[str, Any]:
    """One of the `results`."""
    address = formatted_address(spot)
    partial = spot.number_is_guessed or spot.postal_code_is_corrected
    return {
        "address_components": _components(spot),
        "formatted_address": address,
        "geometry": {
            "location": _lat_lng(spot.point),
            "location_type": _location_type(spot),
            "viewport": _viewport(spot.point),
        },
        **({"partial_match": True} if partial else {}),
        "place_id": _place_id(address),
        "types": _types(spot),
    }


def _components(spot: Spot) -> list[dict[str, Any]]:
    number = [] if spot.number is None else [_component(str(spot.number), "street_number")]
    return [
        *number,
        *([_route(spot.street)] if spot.street else []),
        _component(spot.city.name, "locality", "political"),
        _component(spot.city.county, "administrative_area_level_2", "political"),
        _component("Texas", "administrative_area_level_1", "political", short="TX"),
        _component("United States", "country", "political", short="US"),
        *([_component(spot.street.postal_code, "postal_code")] if spot.street else []),
    ]


def _route(street: Street) -> dict[str, Any]:
    return _component(longest(street.name), "route", short=street.name)


def _component(name: str, *types: str, short: str | None = None) -> dict[str, Any]:
    return {"long_name": name, "short_name": short or name, "types": list(types)}


def _types(spot: Spot) -> list[str]:
    if spot.number is not None:
        return ["street_address"]
    return ["route"] if spot.street else ["locality", "political"]


def _location_type(spot: Spot) -> str:
    if spot.number is not None:
        return "RANGE_INTERPOLATED" if spot.number_is_guessed else "ROOFTOP"
    return "GEOMETRIC_CENTER" if spot.street else "APPROXIMATE"


def _viewport(point: Point) -> dict[str, Any]:
    north_east = Point(point.latitude + VIEWPORT_DEGREES, point.longitude + VIEWPORT_DEGREES)
    south_west = Point(point.latitude - VIEWPORT_DEGREES, point.longitude - VIEWPORT_DEGREES)
    return {"northeast": _lat_lng(north_east), "southwest": _lat_lng(south_west)}


def _lat_lng(point: Point) -> dict[str, float]:
    return {"lat": point.latitude, "lng": point.longitude}


def _place_id(address: str) -> str:
    """27 characters like Google's, the same for the same address."""
    digest = hashlib.sha256(address.encode()).digest()
    return "ChIJ" + base64.urlsafe_b64encode(digest).decode()[:23]
