"""Where an address is: where its sender says, or where a map does."""

from api.bodies import AddressBody
from api.dependencies import Services
from api.errors import invalid, unavailable
from domain.geo import Point
from providers.maps import AddressNotFound, MapsUnavailable


async def position(held: Services, address: AddressBody, *, field: str) -> Point:
    """Where an address is that a request has in its `field`.

    Raises Problem: half_a_position, address_not_found, or 503 where no map answers.
    """
    if (address.latitude is None) != (address.longitude is None):
        raise invalid(field, "half_a_position", "latitude and longitude come together")
    if address.latitude is not None and address.longitude is not None:
        return Point(address.latitude, address.longitude)
    written = (
        f"{address.line1}, {address.city}, {address.state} {address.postal_code}, {address.country}"
    )
    try:
        return await held.maps.geocode(written)
    except AddressNotFound as unknown:
        raise invalid(field, "address_not_found", "no map knows this address") from unknown
    except MapsUnavailable as away:
        raise unavailable("no map answers") from away
