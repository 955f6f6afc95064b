"""Mapbox's geocoding v6."""

from typing import Any

import httpx

from domain.geo import Point
from providers.maps.geocoder import MALFORMED, GeocoderError, Place

MAPBOX_URL = "https://api.mapbox.com"


class MapboxGeocoder:
    """One request an answer; nothing is repeated."""

    name = "mapbox"

    def __init__(self, *, access_token: str, base_url: str | None, timeout_seconds: float) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url or MAPBOX_URL,
            timeout=timeout_seconds,
            # Mapbox's terms allow remembering an answer only if it was asked for as permanent.
            params={
                "access_token": access_token,
                "types": "address",
                "limit": 1,
                "permanent": "true",
            },
        )

    async def locate(self, address: str) -> Place | None:
        """The place that has this address. Raises `GeocoderError`."""
        return await self._first_place("forward", {"q": address, "autocomplete": "false"})

    async def describe(self, point: Point) -> Place | None:
        """The place nearest to this position. Raises `GeocoderError`."""
        return await self._first_place(
            "reverse", {"longitude": point.longitude, "latitude": point.latitude}
        )

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def _first_place(self, direction: str, question: dict[str, str | float]) -> Place | None:
        try:
            answer = await self._http.get(f"/search/geocode/v6/{direction}", params=question)
            answer.raise_for_status()
            features = answer.json()["features"]
            return next((_place(feature) for feature in features if _is_sure(feature)), None)
        except (httpx.HTTPError, *MALFORMED) as failure:
            # Not the cause itself: its words hold the URL, hence the token and somebody's address.
            raise GeocoderError(_reason(failure)) from None


def _is_sure(feature: dict[str, Any]) -> bool:
    """Whether the house number and the state are the ones asked for, and not a guess."""
    match_code = feature["properties"].get("match_code", {})
    return bool(match_code.get("confidence") != "low")


def _place(feature: dict[str, Any]) -> Place:
    properties = feature["properties"]
    coordinates = properties["coordinates"]
    return Place(
        point=Point(latitude=coordinates["latitude"], longitude=coordinates["longitude"]),
        address=properties["full_address"],
    )


def _reason(failure: Exception) -> str:
    if isinstance(failure, httpx.HTTPStatusError):
        return f"HTTP {failure.response.status_code}"
    return type(failure).__name__
