"""A spot as one of Mapbox's features (geocoding v6)."""

import base64
import uuid
from typing import Any, Literal

from local.maps.places import Spot
from local.maps.spelling import longest

FeatureType = Literal["address", "street", "place"]

_COUNTRY = {"name": "United States", "country_code": "US", "country_code_alpha_3": "USA"}
_REGION = {"name": "Texas", "region_code": "TX", "region_code_full": "US-TX"}


def feature_type(spot: Spot) -> FeatureType:
    """What Mapbox calls a spot of this kind."""
    if spot.number is not None:
        return "address"
    return "street" if spot.street else "place"


def feature(spot: Spot) -> dict[str, Any]:
    """One of the `features`, as GeoJSON: longitude before latitude."""
    name, rest = _name(spot), _place_formatted(spot)
    mapbox_id = _mapbox_id(f"{name}, {rest}")
    return {
        "type": "Feature",
        "id": mapbox_id,
        "geometry": {"type": "Point", "coordinates": [spot.point.longitude, spot.point.latitude]},
        "properties": {
            "mapbox_id": mapbox_id,
            "feature_type": feature_type(spot),
            "full_address": f"{name}, {rest}",
            "name": name,
            "name_preferred": name,
            "coordinates": _coordinates(spot),
            "place_formatted": rest,
            **({"match_code": _match_code(spot)} if spot.number is not None else {}),
            "context": _context(spot),
        },
    }


def _name(spot: Spot) -> str:
    if spot.street is None:
        return spot.city.name
    street = longest(spot.street.name)
    return street if spot.number is None else f"{spot.number} {street}"


def _place_formatted(spot: Spot) -> str:
    if spot.street is None:
        return "Texas, United States"
    return f"{spot.city.name}, Texas {spot.street.postal_code}, United States"


def _coordinates(spot: Spot) -> dict[str, Any]:
    position = {"longitude": spot.point.longitude, "latitude": spot.point.latitude}
    if spot.number is None:
        return position
    return {
        **position,
        "accuracy": "interpolated" if spot.number_is_guessed else "rooftop",
        "routable_points": [{"name": "default", **position}],
    }


def _match_code(spot: Spot) -> dict[str, str]:
    """How much of the question is in the answer; a corrected house number makes it doubtful."""
    confidence = "medium" if spot.postal_code_is_corrected else "exact"
    return {
        "address_number": "plausible" if spot.number_is_guessed else "matched",
        "street": "matched",
        "postcode": "unmatched" if spot.postal_code_is_corrected else "matched",
        "place": "matched",
        "region": "matched",
        "locality": "not_applicable",
        "country": "inferred",
        "confidence": "low" if spot.number_is_guessed else confidence,
    }


def _context(spot: Spot) -> dict[str, Any]:
    """What the spot lies in, from the smallest to the largest."""
    street = longest(spot.street.name) if spot.street else None
    house = {"address_number": str(spot.number), "street_name": street}
    parts: dict[str, dict[str, Any] | None] = {
        "address": {"name": _name(spot), **house} if spot.number is not None else None,
        "street": {"name": street} if spot.street else None,
        "postcode": {"name": spot.street.postal_code} if spot.street else None,
        "place": {"name": spot.city.name},
        "district": {"name": spot.city.county},
        "region": _REGION,
        "country": _COUNTRY,
    }
    return {
        kind: {"mapbox_id": _mapbox_id(part["name"]), **part}
        for kind, part in parts.items()
        if part is not None
    }


def _mapbox_id(name: str) -> str:
    """An id like Mapbox's, the same for the same name."""
    urn = f"urn:mbxadr:{uuid.uuid5(uuid.NAMESPACE_URL, name)}"
    return base64.urlsafe_b64encode(urn.encode()).decode().rstrip("=")
