"""Distances between positions: known ones, and what holds for all of them."""

from math import inf, nan, pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.geo import EARTH_RADIUS_KM, Point, distance_km, road_km

points = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))

AUSTIN = Point(30.2672, -97.7431)
DALLAS = Point(32.7767, -96.7970)
LONDON = Point(51.5074, -0.1278)
PARIS = Point(48.8566, 2.3522)

MILLIMETRE = 1e-6


@pytest.mark.parametrize(
    ("a", "b", "km"),
    [
        (AUSTIN, Point(30.2750, -97.7500), 1.091),
        (AUSTIN, DALLAS, 293.2),
        (LONDON, PARIS, 343.6),
        (Point(0, 0), Point(0, 1), 111.195),
        (Point(0, 179.5), Point(0, -179.5), 111.195),
        (Point(90, 0), Point(-90, 0), pi * EARTH_RADIUS_KM),
    ],
    ids=["seed", "Austin-Dallas", "London-Paris", "degree", "date line", "pole to pole"],
)
def test_known_distances(a: Point, b: Point, km: float) -> None:
    assert distance_km(a, b) == pytest.approx(km, rel=1e-3)


@given(points, points)
def test_a_distance_is_the_same_both_ways(a: Point, b: Point) -> None:
    assert distance_km(a, b) == pytest.approx(distance_km(b, a), abs=MILLIMETRE)


@given(points, points)
def test_a_distance_is_at_most_half_way_round_the_earth(a: Point, b: Point) -> None:
    assert 0 <= distance_km(a, b) <= pi * EARTH_RADIUS_KM


@given(points)
def test_a_position_is_no_distance_from_itself(a: Point) -> None:
    assert distance_km(a, a) == 0


@given(points, points, points)
def test_a_detour_is_never_shorter(a: Point, b: Point, detour: Point) -> None:
    # Near antipodes the haversine is good to some metres only.
    assert distance_km(a, b) <= distance_km(a, detour) + distance_km(detour, b) + 0.1


@given(points, points, st.floats(1, 3))
def test_a_road_is_longer_by_its_factor(a: Point, b: Point, factor: float) -> None:
    assert road_km(a, b, factor) == pytest.approx(factor * distance_km(a, b))


def test_a_road_is_three_tenths_longer_unless_told_otherwise() -> None:
    assert road_km(AUSTIN, DALLAS) == pytest.approx(1.3 * distance_km(AUSTIN, DALLAS))


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(90.1, 0), (-90.1, 0), (0, 180.1), (0, -180.1), (nan, 0), (0, nan), (inf, 0)],
)
def test_a_position_off_the_earth_is_refused(latitude: float, longitude: float) -> None:
    with pytest.raises(ValueError, match=r"must be between .* degrees"):
        Point(latitude, longitude)
