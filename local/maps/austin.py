"""The map everybody here shares: Austin, and a few cities that are too far away to deliver to."""

import csv
from collections.abc import Iterator
from pathlib import Path

from domain.geo import Point
from local.maps.atlas import Atlas
from local.maps.places import City, Street

CITIES = {
    city.name: city
    for city in (
        City("Austin", "Travis County", Point(30.2671530, -97.7430608)),
        City("Round Rock", "Williamson County", Point(30.5082551, -97.6788960)),
        City("San Marcos", "Hays County", Point(29.8832749, -97.9413941)),
        City("Dallas", "Dallas County", Point(32.7766642, -96.7969879)),
    )
}


def _streets() -> Iterator[Street]:
    with (Path(__file__).parent / "streets.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            yield Street(
                name=row["street"],
                city=CITIES[row["city"]],
                postal_code=row["postal_code"],
                first_number=int(row["first_number"]),
                start=Point(float(row["first_latitude"]), float(row["first_longitude"])),
                last_number=int(row["last_number"]),
                end=Point(float(row["last_latitude"]), float(row["last_longitude"])),
            )


AUSTIN = Atlas(_streets())
