"""What is asked of any geocoding provider, and what it may answer."""

from dataclasses import dataclass
from typing import Protocol

from domain.geo import Point

MALFORMED = (LookupError, TypeError, ValueError)
"""What reading an answer raises when it has not the agreed shape, or is not JSON at all."""


@dataclass(frozen=True, slots=True)
class Place:
    """A position and its address on one line, as the provider writes it."""

    point: Point
    address: str


class GeocoderError(Exception):
    """The provider gave no answer; the message says why, without key, address or position."""


class Geocoder(Protocol):
    """A provider of geocoding. `None` means that it knows of no such place."""

    name: str

    async def locate(self, address: str) -> Place | None:
        """The place that has this address. Raises `GeocoderError`."""

    async def describe(self, point: Point) -> Place | None:
        """The place nearest to this position. Raises `GeocoderError`."""

    async def aclose(self) -> None:
        """Let go of the connections."""
