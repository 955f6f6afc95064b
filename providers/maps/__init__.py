"""Addresses to positions and back (Google first, Mapbox behind it), and how long drives take;
remembered in Redis.
"""

from providers.maps.maps import AddressNotFound, Maps, MapsUnavailable
from providers.maps.matrix import GoogleMatrix
from providers.maps.travel import TravelTimes

__all__ = ["AddressNotFound", "GoogleMatrix", "Maps", "MapsUnavailable", "TravelTimes"]
