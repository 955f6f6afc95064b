"""What drivers and operators send and get about drivers. Shares are from 0 to 1, distances km."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any, NamedTuple, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from api import examples
from api.bodies import Body, Line, WebAddress, Words
from api.examples import shown
from api.promo_codes import CalendarMoment
from api.views import Moment
from domain import drivers as rules
from domain import shifts
from domain.driver_performance import Asked, performance
from domain.drivers import DocumentType, Vehicle
from domain.verification import DocumentStatus, Verification, has_expired
from schema.messages.base import Message
from schema.queries.driver_documents import papers
from schema.queries.driver_profiles import Profile
from schema.queries.driver_records import Work
from schema.tables import DriverDocument
from settings import Settings

_PLATE = re.compile(r"[A-Z0-9][A-Z0-9 -]{0,14}")
_LAST_YEAR = 2199


def _as_on_the_car(plate: str) -> str:
    written = " ".join(plate.upper().split())
    if not _PLATE.fullmatch(written):
        raise ValueError("a plate has letters, digits, spaces and dashes")
    return written


def _written(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        raise ValueError("a day is written as in 2026-01-31")
    return value


def _of_our_time(day: date) -> date:
    if day.year > _LAST_YEAR:
        raise ValueError(f"a day is before the end of {_LAST_YEAR}")
    return day


def _decided(to: Verification) -> Verification:
    if to is Verification.PENDING:
        raise ValueError("a decision is approved, rejected or suspended")
    return to


Plate = Annotated[Line, AfterValidator(_as_on_the_car)]
Day = Annotated[date, BeforeValidator(_written), AfterValidator(_of_our_time)]


class VehicleBody(Body):
    """With what a driver delivers; all but a bicycle have a plate."""

    model_config = shown({"type": "car", "plate": "KLM 4821"}, {"type": "bicycle"})

    type: Vehicle
    plate: Plate | None = None

    @model_validator(mode="after")
    def _with_its_plate(self) -> Self:
        if rules.needs_plate(self.type) != (self.plate is not None):
            raise ValueError("a bicycle has no plate, everything else has one")
        return self


class RegisterBody(Body):
    """Who wants to deliver, and with what."""

    model_config = shown({"vehicle": {"type": "car", "plate": "KLM 4821"}})

    vehicle: VehicleBody


class DocumentBody(Body):
    """A document: where an admin can see it, and the last day on which it is good."""

    model_config = shown(
        {
            "type": "driving_licence",
            "fileUrl": "https://files.example.com/licence.jpg",
            "expiresOn": "2029-06-30",
        }
    )

    type: DocumentType
    file_url: WebAddress
    expires_on: Day | None = None


class ShiftBody(Body):
    """From when to when a driver will be there."""

    starts_at: CalendarMoment
    ends_at: CalendarMoment


class ShiftsBody(Body):
    """All shifts that are to come, in any order. Those that have begun stay as they are."""

    model_config = shown(
        {"shifts": [{"startsAt": "2026-01-31T17:00:00Z", "endsAt": "2026-01-31T22:00:00Z"}]}
    )

    shifts: list[ShiftBody] = Field(max_length=shifts.MOST_SHIFTS)


class VerificationBody(Body):
    """Whether somebody is let in, and why."""

    model_config = shown(
        {"status": "approved", "reason": "all documents seen"},
        {"status": "suspended", "reason": "two complaints about food that was opened"},
    )

    status: Annotated[Verification, AfterValidator(_decided)]
    reason: Words


class DocumentDecisionBody(Body):
    """Whether a document is good; if not, why."""

    model_config = shown(
        {"status": "approved"}, {"status": "rejected", "reason": "the number cannot be read"}
    )

    status: DocumentStatus
    reason: Words | None = None

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.status is DocumentStatus.PENDING:
            raise ValueError("a decision is approved or rejected")
        if self.status is DocumentStatus.REJECTED and self.reason is None:
            raise ValueError("a rejection needs a reason")
        return self


class VehicleOut(Message):
    """A vehicle: how many orders it takes, and how far away (km) a kitchen may be."""

    type: Vehicle
    plate: str | None
    capacity: int
    reach_km: float


class DocumentOut(Message):
    """A document, and what was decided about it."""

    model_config = shown(examples.DRIVER_DOCUMENT)

    id: UUID
    type: DocumentType
    file_url: str
    expires_on: date | None
    status: DocumentStatus
    reason: str | None
    decided_at: Moment | None
    created_at: Moment


class ShiftOut(Message):
    """From when to when a driver will be there."""

    starts_at: Moment
    ends_at: Moment


class ShiftsOut(Message):
    """A driver's shifts that have not ended, the first first."""

    model_config = shown(
        {"shifts": [{"startsAt": "2026-01-31T17:00:00Z", "endsAt": "2026-01-31T22:00:00Z"}]}
    )

    shifts: list[ShiftOut]


class PerformanceOut(Message):
    """How a driver did with the last hundred offers that he answered or let pass; null where there
    is nothing to tell it by.
    """

    offers: int
    acceptance: float | None
    on_time_pickup: float | None
    on_time_delivery: float | None
    completion: float | None


class DriverOut(Message):
    """A driver: whether he may deliver and is on duty, `load` orders in hand, and how he does."""

    model_config = shown(examples.DRIVER)

    id: UUID
    user_id: UUID
    first_name: str
    last_name: str
    email: str
    phone: str | None
    vehicle: VehicleOut
    verification_status: Verification
    verification_reason: str | None
    documents_expire_on: date | None
    is_available: bool
    on_duty_since: Moment | None
    rating: float
    load: int
    deliveries: int
    performance: PerformanceOut
    created_at: Moment


class DriverProfileOut(DriverOut):
    """A driver with what he has shown and what he has still to show (`missingDocuments`: not
    approved, or expired), and when his shift ends, if he is in one.
    """

    model_config = shown(examples.DRIVER_PROFILE)

    missing_documents: list[DocumentType]
    documents: list[DocumentOut]
    shift_ends_at: Moment | None


class RegisteredOut(Message):
    """A new driver, and an access token that says so; the one that he had is a customer's."""

    model_config = shown(
        {
            "accessToken": "eyJhbGciOiJSUzI1NiJ9…",
            "expiresIn": 900,
            "driver": examples.DRIVER_PROFILE,
        }
    )

    access_token: str
    expires_in: int
    driver: DriverProfileOut


class Seen(NamedTuple):
    """All that there is to know of a driver's work."""

    profile: Profile
    work: Work
    asked: Sequence[Asked]


def driver(settings: Settings, seen: Seen, at: datetime) -> DriverOut:
    """A driver as he stands at a moment, for operators."""
    return DriverOut(**_of_driver(settings, seen, at))


def driver_profile(
    settings: Settings,
    seen: Seen,
    documents: Sequence[DriverDocument],
    shift_ends_at: datetime | None,
    at: datetime,
) -> DriverProfileOut:
    """A driver with his documents, for himself and for operators."""
    vehicle = seen.profile.driver.vehicle_type
    return DriverProfileOut(
        **_of_driver(settings, seen, at),
        missing_documents=list(rules.missing(vehicle, papers(documents), at.date())),
        documents=[document(row) for row in documents],
        shift_ends_at=shift_ends_at,
    )


def document(row: DriverDocument) -> DocumentOut:
    """A document, for clients."""
    return DocumentOut(
        type=row.document_type, **row.model_dump(include=set(DocumentOut.model_fields))
    )


def _of_driver(settings: Settings, seen: Seen, at: datetime) -> dict[str, Any]:
    row, vehicle = seen.profile.driver, seen.profile.driver.vehicle_type
    # Nobody switches him off when a document expires: he is not asked any more.
    expired = has_expired(row.documents_expire_on, at.date())
    return {
        **row.model_dump(include=set(DriverOut.model_fields)),
        **seen.profile._asdict(),
        **seen.work._asdict(),
        "vehicle": VehicleOut(
            type=vehicle,
            plate=row.vehicle_plate,
            capacity=rules.capacity(vehicle, settings.driver_capacity),
            reach_km=rules.reach_km(vehicle, settings.dispatch_radii_km[-1]),
        ),
        "is_available": row.is_available and not expired,
        "performance": PerformanceOut(**asdict(performance(seen.asked))),
    }
