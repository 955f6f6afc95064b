"""Which zones see an order, and how places come onto the plane and back."""

import h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.dispatch.plan import Place
from domain.dispatch.plane import Plane
from domain.dispatch.zones import Zoning
from domain.geo import Point, distance_km

AUSTIN = Point(30.2672, -97.7431)
CELLS = Zoning(resolution=5, border_km=2.0, groups={})

kitchens = st.builds(
    Point, st.floats(-66, 70, allow_nan=False), st.floats(-180, 180, allow_nan=False)
)


@given(kitchens)
def test_a_kitchen_is_in_its_own_zone_first_and_in_few_others(kitchen: Point) -> None:
    home, *others = CELLS.zones_of(kitchen)

    assert home == h3.latlng_to_cell(kitchen.latitude, kitchen.longitude, 5)
    assert home not in others
    assert CELLS.zone_of(kitchen) == home
    assert len(others) <= 2, "no more than three hexagons meet anywhere"


@given(kitchens, st.floats(0, 360))
def test_two_kitchens_closer_than_the_border_are_seen_by_a_zone_of_either(
    kitchen: Point, bearing: float
) -> None:
    plane = Plane(kitchen)
    step = plane.place(kitchen)
    x, y = np.cos(np.radians(bearing)), np.sin(np.radians(bearing))
    other = plane.point(step._replace(x=1900 * x, y=1900 * y))

    assert CELLS.zones_of(other)[0] in CELLS.zones_of(kitchen)


def test_far_from_a_border_one_zone_sees_an_order() -> None:
    middle = Point(*h3.cell_to_latlng(h3.latlng_to_cell(AUSTIN.latitude, AUSTIN.longitude, 5)))

    assert len(CELLS.zones_of(middle)) == 1


def test_cells_that_are_grouped_are_one_zone_under_a_name() -> None:
    home = h3.latlng_to_cell(AUSTIN.latitude, AUSTIN.longitude, 5)
    city = Zoning(resolution=5, border_km=2.0, groups={"austin": h3.grid_disk(home, 2)})

    assert city.zones_of(AUSTIN) == ["austin"]
    assert city.zone_of(AUSTIN) == "austin"


@given(kitchens, st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
def test_the_plane_keeps_distances_and_gives_places_back(
    origin: Point, north: float, east: float
) -> None:
    there = Point(origin.latitude + north, max(-180.0, min(180.0, origin.longitude + east)))
    plane = Plane(origin)

    place = plane.place(there)

    assert np.hypot(*place) / 1000 == pytest.approx(distance_km(origin, there), rel=0.01, abs=0.001)
    assert distance_km(plane.point(place), there) < 0.001


@given(kitchens, st.floats(-50_000, 50_000), st.floats(-50_000, 50_000))
def test_many_places_are_the_points_that_each_of_them_is(origin: Point, x: float, y: float) -> None:
    plane = Plane(origin)

    (degrees,) = plane.degrees(np.array([[x, y]]))

    point = plane.point(Place(x, y))
    assert degrees == pytest.approx([point.latitude, point.longitude])
