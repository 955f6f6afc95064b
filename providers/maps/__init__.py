"""Addresses to positions and back: Google first, Mapbox behind it, remembered in Redis."""

from providers.maps.maps import AddressNotFound, Maps, MapsUnavailable

__all__ = ["AddressNotFound", "Maps", "MapsUnavailable"]
