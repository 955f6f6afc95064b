"""The map itself: what holds for every house on it."""

from hypothesis import given
from hypothesis import strategies as st

from domain.geo import distance_km
from local.maps.austin import AUSTIN
from local.maps.google_geocodes import formatted_address
from local.maps.places import Street


@st.composite
def houses(draw: st.DrawFn) -> tuple[Street, int]:
    street = draw(st.sampled_from(AUSTIN.streets))
    return street, draw(st.integers(street.first_number, street.last_number))


@given(houses())
def test_an_address_leads_to_its_house_and_back(house: tuple[Street, int]) -> None:
    street, number = house
    spot = AUSTIN.find(f"{number} {street.name}, {street.city.name}, TX {street.postal_code}")
    assert spot is not None
    nearest = AUSTIN.around(spot.point)[0]
    # Where streets cross, the house on the corner may be the other street's.
    assert distance_km(nearest.point, spot.point) < 0.001
    assert AUSTIN.find(formatted_address(nearest)) == nearest
