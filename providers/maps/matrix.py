"""Google's distance matrix, through its official client."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from googlemaps import distance_matrix
from googlemaps.exceptions import ApiError, Timeout, TransportError

from domain.geo import Point
from providers.maps.geocoder import MALFORMED
from providers.maps.google import google_client, reason

MOST_ORIGINS = 25
"""So many origins go into one request, when they have one destination."""
# What leaves earlier than now is refused, and the request is a moment on its way.
_LEAVING_IN_SECONDS = 60


class MatrixError(Exception):
    """The provider gave no answer; the message says why, without key or position."""


class GoogleMatrix:
    """Drives by car, as the roads are now. The client is synchronous: every call has a thread."""

    def __init__(self, *, api_key: str, base_url: str | None, timeout_seconds: float) -> None:
        """Without a base URL the real provider is asked. Raises ValueError for a malformed key."""
        self._client = google_client(api_key, base_url, timeout_seconds)

    async def drives(self, origins: Sequence[Point], destination: Point) -> list[float | None]:
        """Seconds from each of at most `MOST_ORIGINS`; None where no road leads. Raises
        MatrixError.
        """
        try:
            answer = await asyncio.to_thread(self._ask, origins, destination)
            return [_seconds(row["elements"][0]) for row in answer["rows"]]
        except (ApiError, TransportError, Timeout, *MALFORMED) as failure:
            # Not the cause itself: its words hold the URL, hence the key.
            raise MatrixError(reason(failure)) from None

    async def aclose(self) -> None:
        """Let go of the connections."""
        self._client.session.close()

    def _ask(self, origins: Sequence[Point], destination: Point) -> Any:
        return distance_matrix.distance_matrix(
            self._client,
            [(point.latitude, point.longitude) for point in origins],
            [(destination.latitude, destination.longitude)],
            mode="driving",
            departure_time=int(time.time()) + _LEAVING_IN_SECONDS,
        )


def _seconds(element: dict[str, Any]) -> float | None:
    if element["status"] != "OK":
        return None
    drive = element.get("duration_in_traffic") or element["duration"]
    return float(drive["value"])
