"""Where an address is, and which address a position has."""

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable

import structlog
from redis.asyncio import Redis

from domain.geo import Point
from providers.maps.geocoder import Geocoder, GeocoderError, Place
from providers.maps.google import GoogleGeocoder
from providers.maps.mapbox import MapboxGeocoder
from providers.maps.memory import Answer, Memory

log = structlog.get_logger(__name__)


class AddressNotFound(Exception):
    """There is no such place: asking again will not find it."""


class MapsUnavailable(Exception):
    """No provider answered: asking again later may help."""


class Maps:
    """Addresses to positions: Google first, Mapbox behind it, remembered for 24 hours."""

    def __init__(
        self,
        *,
        redis: Redis,
        google_maps_api_key: str,
        google_maps_base_url: str | None = None,
        mapbox_access_token: str | None = None,
        mapbox_base_url: str | None = None,
        timeout_seconds: float = 5.0,
    ) -> None:
        """Without a base URL the real provider is asked, without a token Mapbox is not.

        `timeout_seconds` bounds each provider, its own repetitions included. `redis` stays the
        caller's to close.
        """
        self._memory = Memory(redis)
        self._timeout_seconds = timeout_seconds
        self._geocoders: list[Geocoder] = [
            GoogleGeocoder(
                api_key=google_maps_api_key,
                base_url=google_maps_base_url,
                timeout_seconds=timeout_seconds,
            )
        ]
        if mapbox_access_token:
            self._geocoders.append(
                MapboxGeocoder(
                    access_token=mapbox_access_token,
                    base_url=mapbox_base_url,
                    timeout_seconds=timeout_seconds,
                )
            )

    async def geocode(self, address: str) -> Point:
        """The position of `address`. Raises `AddressNotFound` or `MapsUnavailable`."""
        wanted = _normalised(address)
        if not wanted:
            raise AddressNotFound("an empty address is nowhere")
        place = await self._answer(f"locate {wanted}", lambda geocoder: geocoder.locate(address))
        if place is None:
            raise AddressNotFound("no map knows this address")
        return place.point

    async def reverse_geocode(self, point: Point) -> str:
        """The address nearest to `point`. Raises `AddressNotFound` or `MapsUnavailable`."""
        # Five decimals are about a metre, so that standing still is one question and not many.
        wanted = f"describe {point.latitude:.5f},{point.longitude:.5f}"
        place = await self._answer(wanted, lambda geocoder: geocoder.describe(point))
        if place is None:
            raise AddressNotFound("no address is near this position")
        return place.address

    async def aclose(self) -> None:
        """Let go of the connections to the providers."""
        for geocoder in self._geocoders:
            await geocoder.aclose()

    async def _answer(
        self, question: str, ask: Callable[[Geocoder], Awaitable[Place | None]]
    ) -> Place | None:
        remembered = await self._memory.recall(question)
        if remembered is not None:
            return remembered.place
        place = await self._ask_in_turn(ask)
        await self._memory.remember(question, Answer(place))
        return place

    async def _ask_in_turn(
        self, ask: Callable[[Geocoder], Awaitable[Place | None]]
    ) -> Place | None:
        """The first answer that any provider gives; that there is no such place is one."""
        for geocoder in self._geocoders:
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    return await ask(geocoder)
            except (GeocoderError, TimeoutError) as failure:
                reason = str(failure) or type(failure).__name__
                log.warning("geocoder_failed", provider=geocoder.name, reason=reason)
        raise MapsUnavailable("no geocoder answered")


def _normalised(address: str) -> str:
    """One spelling for addresses that differ in case, spaces or the like only."""
    folded = unicodedata.normalize("NFKC", address).casefold()
    parts = (" ".join(part.split()) for part in folded.split(","))
    return ", ".join(part for part in parts if part)
