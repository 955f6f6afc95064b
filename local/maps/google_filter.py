"""Google's `components`: a filter such as `locality:Austin|postal_code:78701|country:US`."""

from local.maps.places import Spot
from local.maps.spelling import shortest


def passes(spot: Spot, components: str) -> bool:
    """Whether `spot` lies in every component that is asked for."""
    names: dict[str, set[str]] = {
        "country": {"us", "usa", "united states"},
        "administrative_area": {"tx", shortest(spot.city.county)},
        "locality": {shortest(spot.city.name)},
        "postal_code": {spot.street.postal_code} if spot.street else set(),
        "route": {shortest(spot.street.name)} if spot.street else set(),
    }
    filters = (component.partition(":") for component in components.split("|") if component)
    return all(shortest(value) in names.get(name, set()) for name, _, value in filters)
