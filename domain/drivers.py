"""Who may deliver, with what, and which documents he needs for it.

Source: seed 000, Drivers Module (registration, vehicle, verification). What each vehicle needs,
carries and reaches is ours.
"""

from collections.abc import Collection
from datetime import date
from enum import StrEnum
from math import inf

from domain import verification
from domain.verification import Paper, good_until


class Vehicle(StrEnum):
    """What a driver drives."""

    BICYCLE = "bicycle"
    SCOOTER = "scooter"
    MOTORCYCLE = "motorcycle"
    CAR = "car"


class DocumentType(StrEnum):
    """What a driver shows."""

    IDENTITY = "identity"
    DRIVING_LICENCE = "driving_licence"
    INSURANCE = "insurance"
    VEHICLE_REGISTRATION = "vehicle_registration"
    BACKGROUND_CHECK = "background_check"


V, D = Vehicle, DocumentType

# These are about one vehicle, and worth nothing with another.
OF_THE_VEHICLE = frozenset({D.INSURANCE, D.VEHICLE_REGISTRATION})
# They say themselves until when they are good.
_WITH_AN_END = frozenset({D.DRIVING_LICENCE, D.INSURANCE, D.VEHICLE_REGISTRATION})

_BY_PEDAL = (D.IDENTITY, D.BACKGROUND_CHECK)
_WITH_A_MOTOR = (D.DRIVING_LICENCE, D.INSURANCE, D.VEHICLE_REGISTRATION, D.BACKGROUND_CHECK)

_MOST_ORDERS = {V.BICYCLE: 2, V.SCOOTER: 2, V.MOTORCYCLE: 2}
_REACH_KM = {V.BICYCLE: 4.0, V.SCOOTER: 10.0}


def needs_plate(vehicle: Vehicle) -> bool:
    """Whether a vehicle has a number plate."""
    return vehicle is not V.BICYCLE


def needs_end(document: DocumentType) -> bool:
    """Whether a document must say until when it is good."""
    return document in _WITH_AN_END


def required(vehicle: Vehicle) -> tuple[DocumentType, ...]:
    """What a driver has to show to deliver with a vehicle."""
    return _WITH_A_MOTOR if needs_plate(vehicle) else _BY_PEDAL


def capacity(vehicle: Vehicle, most: int) -> int:
    """How many orders fit on a vehicle, where nobody may have more than `most` in hand."""
    return min(most, _MOST_ORDERS.get(vehicle, most))


def reach_km(vehicle: Vehicle, furthest: float) -> float:
    """How far from a driver a kitchen may be, where nobody is asked beyond `furthest` (km)."""
    return min(furthest, _REACH_KM.get(vehicle, inf))


def unproven(vehicle: Vehicle, papers: Collection[Paper[DocumentType]]) -> tuple[DocumentType, ...]:
    """What is required and was never approved, or is not any more: he has to be verified anew."""
    return verification.unproven(required(vehicle), papers)


def missing(
    vehicle: Vehicle, papers: Collection[Paper[DocumentType]], today: date
) -> tuple[DocumentType, ...]:
    """What is required and not approved, or has expired."""
    return verification.missing(required(vehicle), papers, today)


def unseen(vehicle: Vehicle, papers: Collection[Paper[DocumentType]]) -> tuple[DocumentType, ...]:
    """What is required and has not been handed in, or only in vain: nothing to look at yet."""
    return verification.unseen(required(vehicle), papers)


def expire_on(vehicle: Vehicle, papers: Collection[Paper[DocumentType]]) -> date | None:
    """The last day on which all that is approved of what is required is good; None for ever."""
    ends = [good_until(kind, papers) or date.max for kind in required(vehicle)]
    return None if min(ends) == date.max else min(ends)
