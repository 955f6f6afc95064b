"""Which zone an order belongs to: hexagons of the earth (H3), some of them grouped under a name.

A zone decides about its orders alone. Those near a border are seen by the zones on both sides; the
drivers who may be asked are found by their distance, so that they are seen by both as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, hypot

import h3

from domain.dispatch.plan import Place
from domain.dispatch.plane import Plane
from domain.geo import Point


@dataclass(frozen=True)
class Zoning:
    """How the earth is parted: cells of an H3 resolution (5: some 250 km² each), except that the
    cells of a group are one zone under the group's name. `border_km` is how near to a zone an
    order must be for it to be seen there too.
    """

    resolution: int
    border_km: float
    groups: Mapping[str, Sequence[str]]

    def zones_of(self, kitchen: Point) -> list[str]:
        """The zone that a kitchen lies in, then those near by."""
        names = self._names
        home = h3.latlng_to_cell(kitchen.latitude, kitchen.longitude, self.resolution)
        near = sorted(
            names.get(cell, cell)
            for cell in self._around(home)
            if _km_to(cell, kitchen) <= self.border_km
        )
        return list(dict.fromkeys([names.get(home, home), *near]))

    def zone_of(self, kitchen: Point) -> str:
        """The zone that a kitchen lies in."""
        home = h3.latlng_to_cell(kitchen.latitude, kitchen.longitude, self.resolution)
        return self._names.get(home, home)

    @property
    def _names(self) -> Mapping[str, str]:
        """The groups' names, by their cells."""
        return {cell: name for name, cells in self.groups.items() for cell in cells}

    def _around(self, home: str) -> Iterator[str]:
        edge_km = h3.average_hexagon_edge_length(self.resolution, unit="km")
        rings = ceil(self.border_km / edge_km)
        return (cell for cell in h3.grid_disk(home, rings) if cell != home)


def _km_to(cell: str, kitchen: Point) -> float:
    plane = Plane(kitchen)
    corners = [plane.place(Point(*corner)) for corner in h3.cell_to_boundary(cell)]
    return min(_from_origin(*side) for side in pairwise([*corners, corners[0]])) / 1000


def _from_origin(one: Place, other: Place) -> float:
    """How far the origin is from the nearest point of the side between two corners, in metres."""
    x, y = other.x - one.x, other.y - one.y
    along = -(one.x * x + one.y * y) / (x * x + y * y)
    nearest = min(1.0, max(0.0, along))
    return hypot(one.x + nearest * x, one.y + nearest * y)
