"""Where drivers are: what their phones send, what they are answered, and what others see of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from pydantic import Field, model_validator

from api import examples
from api.bodies import Body, Latitude, Longitude
from api.bodies import Moment as MomentIn
from api.errors import invalid
from api.examples import shown
from api.views import Moment
from domain.geo import Point
from domain.tracking import Fix, Judgement, Refusal
from schema.messages.base import Message

MOST_POSITIONS = 100

_WHY = {
    Refusal.IN_THE_FUTURE: "a position cannot be from the future",
    Refusal.TOO_OLD: "where the driver was so long ago is no help",
    Refusal.INACCURATE: "a position that is only known so roughly is no help",
    Refusal.SUPERSEDED: "a newer position is known",
    Refusal.TOO_FAR: "nobody can have come so far since the last one",
}
# What a request of one position is at fault for; the rest is no fault of the phone's.
_FAULTS = {Refusal.IN_THE_FUTURE, Refusal.TOO_OLD}


class _Reading(Body):
    """What a phone says of a position: accuracy in metres, speed in m/s, heading in degrees from
    north, and when it was taken (now, if it does not say).
    """

    accuracy: float | None = Field(default=None, ge=0)
    speed: float | None = Field(default=None, ge=0)
    heading: float | None = Field(default=None, ge=0, le=360)
    recorded_at: MomentIn | None = None

    def taken_at(self, point: Point, now: datetime) -> Fix:
        """This, of a place."""
        return Fix(point, self.recorded_at or now, self.accuracy, self.speed, self.heading)


class PositionBody(_Reading):
    """One of several positions."""

    latitude: Latitude
    longitude: Longitude


class LocationBody(_Reading):
    """Where a driver is: one position, or several `positions` in any order."""

    model_config = shown(*examples.LOCATIONS)

    latitude: Latitude | None = None
    longitude: Longitude | None = None
    positions: list[PositionBody] | None = Field(
        default=None, min_length=1, max_length=MOST_POSITIONS
    )

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.positions is None and None in {self.latitude, self.longitude}:
            raise ValueError("latitude and longitude are needed, or positions")
        if self.positions is not None and self.model_fields_set != {"positions"}:
            raise ValueError("positions stand alone")
        return self

    def fixes(self, now: datetime) -> list[Fix]:
        """The positions, as they came."""
        if self.latitude is not None and self.longitude is not None:
            return [self.taken_at(Point(self.latitude, self.longitude), now)]
        return [
            one.taken_at(Point(one.latitude, one.longitude), now) for one in self.positions or []
        ]

    def must_be_possible(self, refused: Sequence[tuple[int, Refusal]]) -> None:
        """Raise Problem where a single position is of a moment that cannot be."""
        if self.positions is None:
            for _, why in refused:
                if why in _FAULTS:
                    raise invalid("recordedAt", why, _WHY[why])


class RefusedOut(Message):
    """Which of the positions, counted from 0, is not used, and why."""

    index: int
    code: Refusal
    detail: str


class LocationOut(Message):
    """How many positions are used, and which are not."""

    model_config = shown(examples.LOCATION)

    accepted: int
    refused: list[RefusedOut]


class DriverLocationOut(Message):
    """Where an order's driver is, and how old that is."""

    model_config = shown(examples.DRIVER_LOCATION)

    latitude: float
    longitude: float
    recorded_at: Moment
    age_seconds: int


def location(judgement: Judgement) -> LocationOut:
    """What became of a phone's positions, for it."""
    return LocationOut(
        accepted=len(judgement.taken),
        refused=[
            RefusedOut(index=index, code=why, detail=_WHY[why]) for index, why in judgement.refused
        ],
    )


def driver_location(fix: Fix, now: datetime) -> DriverLocationOut:
    """A driver's position, for whom it concerns."""
    return DriverLocationOut(
        latitude=fix.point.latitude,
        longitude=fix.point.longitude,
        recorded_at=fix.at,
        # A phone's clock may be a little ahead.
        age_seconds=max(0, round((now - fix.at).total_seconds())),
    )
