"""Google's geocoding, through its official client."""

import asyncio
from collections.abc import Callable
from typing import Any

import googlemaps
from googlemaps.exceptions import ApiError, HTTPError, Timeout, TransportError

from domain.geo import Point
from providers.maps.geocoder import MALFORMED, GeocoderError, Place

GOOGLE_URL = "https://maps.googleapis.com"


class GoogleGeocoder:
    """The client is synchronous, so every call runs in a thread."""

    name = "google"

    def __init__(self, *, api_key: str, base_url: str | None, timeout_seconds: float) -> None:
        self._client = google_client(api_key, base_url, timeout_seconds)

    async def locate(self, address: str) -> Place | None:
        """The place that has this address. Raises `GeocoderError`."""
        return await self._first_place(self._client.geocode, address)

    async def describe(self, point: Point) -> Place | None:
        """The place nearest to this position. Raises `GeocoderError`."""
        return await self._first_place(
            self._client.reverse_geocode, (point.latitude, point.longitude)
        )

    async def aclose(self) -> None:
        """Let go of the connections."""
        self._client.session.close()

    async def _first_place(self, call: Callable[[Any], Any], question: object) -> Place | None:
        try:
            results = await asyncio.to_thread(call, question)
            return next((_place(result) for result in results if _is_precise(result)), None)
        except (ApiError, TransportError, Timeout, *MALFORMED) as failure:
            # Not the cause itself: its words hold the URL, hence the key and somebody's address.
            raise GeocoderError(reason(failure)) from None


def google_client(api_key: str, base_url: str | None, timeout_seconds: float) -> googlemaps.Client:
    """Google's official client, which gives up at the first failure.

    Without a base URL it asks the real provider. Raises ValueError for a malformed key.
    """
    return googlemaps.Client(
        key=api_key,
        base_url=(base_url or GOOGLE_URL).rstrip("/"),
        timeout=timeout_seconds,
        retry_over_query_limit=False,
        requests_kwargs={"hooks": {"response": _refuse_failure}},
    )


def _refuse_failure(response: Any, **_: object) -> None:
    """End the call at any HTTP error.

    Left to itself the client would repeat a 500 for a while, in a thread that nobody waits for any
    more: Mapbox answers sooner.
    """
    if not response.ok:
        response.close()
        raise HTTPError(response.status_code)


def _is_precise(result: dict[str, Any]) -> bool:
    """Whether the result is more than a town or a postal area, which nothing can be brought to."""
    return bool(result["geometry"]["location_type"] != "APPROXIMATE")


def _place(result: dict[str, Any]) -> Place:
    location = result["geometry"]["location"]
    return Place(
        point=Point(latitude=location["lat"], longitude=location["lng"]),
        address=result["formatted_address"],
    )


def reason(failure: Exception) -> str:
    """Why a call of the client failed, without the URL that its own words hold."""
    match failure:
        case ApiError():
            return str(failure.status)
        case TransportError(base_exception=HTTPError(status_code=status)):
            return f"HTTP {status}"
        case TransportError():
            return type(failure.base_exception).__name__
    return type(failure).__name__
