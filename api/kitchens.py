"""What chefs and operators send and get about kitchens. Radius in km, amounts integer cents."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StrictBool, StringConstraints, model_validator

from api import examples_kitchens as examples
from api import private_files, views
from api.bodies import LONGEST_PREPARATION_MINUTES, Body, Latitude, Line, Longitude, Town
from api.examples import shown
from api.views import ChefOut, Moment
from domain import hours, verification
from domain.kitchens import LEAST_RADIUS_KM, MOST_RADIUS_KM, REQUIRED, ChefDocumentType
from domain.verification import DocumentStatus, Verification
from schema.messages.base import Message
from schema.queries.chef_documents import papers
from schema.queries.chef_profiles import Profile
from schema.tables import ChefDocument
from settings import Settings

_MOST_CENTS = 1_000_000
_MOST_AT_ONCE = 1000


def _readable(check: Callable[[Any], None]) -> AfterValidator:
    def checked(value: Any) -> Any:
        check(value)
        return value

    return AfterValidator(checked)


def _on_the_map(name: str) -> str:
    if name not in hours.known_zones():
        raise ValueError("a time zone is named as in America/Chicago")
    return name


Prose = Annotated[
    str, StringConstraints(max_length=2000, strip_whitespace=True, pattern=r"^[^\x00]*$")
]
Hours = Annotated[dict[str, dict[str, str]], _readable(hours.check_hours)]
Exceptions = Annotated[dict[str, dict[str, str] | None], _readable(hours.check_exceptions)]
Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_on_the_map)]
Radius = Annotated[float, Field(ge=LEAST_RADIUS_KM, le=MOST_RADIUS_KM)]
Cuisines = Annotated[list[Town], Field(max_length=10)]
Specialties = Annotated[list[Town], Field(max_length=20)]
Minimum = Annotated[int, Field(strict=True, ge=0, le=_MOST_CENTS)]
Minutes = Annotated[int, Field(strict=True, ge=1, le=LONGEST_PREPARATION_MINUTES)]
Capacity = Annotated[int, Field(strict=True, ge=1, le=_MOST_AT_ONCE)]


class ApplicationBody(Body):
    """A kitchen that wants to sell. Without a position, the address is looked up; without a
    `timezone`, the hours are by the market's clock. The market may be left out where there is one.
    """

    model_config = shown(
        {
            "businessName": "Meena's Kitchen",
            "description": "South Indian home cooking: dosas, idlis and curries as in Chennai.",
            "cuisineTypes": ["South Indian", "Tamil"],
            "specialties": ["Masala dosa"],
            "address": "123 Main St, Austin, TX 78701",
            "serviceRadiusKm": 10,
            "operatingHours": examples.HOURS,
        }
    )

    business_name: Line
    description: Prose = ""
    cuisine_types: Cuisines = Field(default_factory=list)
    specialties: Specialties = Field(default_factory=list)
    address: Line
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    market: Town | None = None
    service_radius_km: Radius = 10.0
    timezone: Zone | None = None
    operating_hours: Hours = Field(default_factory=dict)
    hours_exceptions: Exceptions = Field(default_factory=dict)
    minimum_order_cents: Minimum = 0
    prep_minutes: Minutes = 20


class KitchenBody(Body):
    """What is to be otherwise about a kitchen; what is left out stays as it is. Without a position,
    a new address is looked up. `timezone` null is the market's.
    """

    model_config = shown(
        {"description": "Now with a garden.", "serviceRadiusKm": 8.5},
        {"operatingHours": examples.HOURS, "hoursExceptions": examples.EXCEPTIONS},
    )

    # Defaults are never read: only what was said is taken.
    business_name: Line = Field(default_factory=str)
    description: Prose = Field(default_factory=str)
    cuisine_types: Cuisines = Field(default_factory=list)
    specialties: Specialties = Field(default_factory=list)
    address: Line = Field(default_factory=str)
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    service_radius_km: Radius = Field(default_factory=float)
    timezone: Zone | None = None
    operating_hours: Hours = Field(default_factory=dict)
    hours_exceptions: Exceptions = Field(default_factory=dict)
    minimum_order_cents: Minimum = Field(default_factory=int)
    prep_minutes: Minutes = Field(default_factory=int)

    @model_validator(mode="after")
    def _moves_with_its_address(self) -> Self:
        if {"latitude", "longitude"} & self.model_fields_set and not self.address:
            raise ValueError("a position comes with its address")
        return self


class AvailabilityBody(Body):
    """How a kitchen takes orders; what is left out stays as it is. `acceptingOrders` is its door,
    `isOnline` the chef at his phone: customers can order when both are so. `capacity` is how many
    orders it has in hand at once, null for no limit; `prepMinutes` how long it usually takes.
    """

    model_config = shown(
        {"acceptingOrders": True},
        {"isOnline": True, "acceptingOrders": True, "capacity": 6, "prepMinutes": 25},
    )

    # Defaults are never read: only what was said is taken.
    accepting_orders: StrictBool = Field(default_factory=bool)
    is_online: StrictBool = Field(default_factory=bool)
    capacity: Capacity | None = None
    prep_minutes: Minutes = Field(default_factory=int)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("say what is to change")
        return self

    @property
    def changes(self) -> dict[str, object]:
        """What was said, by the columns' names."""
        return self.model_dump(include=self.model_fields_set)


class AvailabilityOut(Message):
    """How a kitchen takes orders."""

    model_config = shown(
        {"acceptingOrders": True, "isOnline": True, "capacity": 6, "prepMinutes": 25}
    )

    accepting_orders: bool
    is_online: bool
    capacity: int | None
    prep_minutes: int


class ChefDocumentOut(Message):
    """A document, and what was decided about it. Whoever has `fileUrl` may see it until
    `fileUrlExpiresAt`, without a token.
    """

    model_config = shown(examples.CHEF_DOCUMENT)

    id: UUID
    type: ChefDocumentType
    file_url: str
    file_url_expires_at: Moment
    content_type: str
    bytes: int
    expires_on: date | None
    status: DocumentStatus
    reason: str | None
    decided_at: Moment | None
    created_at: Moment


class KitchenOut(ChefOut):
    """A kitchen, with what only the chef and operators see: how it stands, how many orders it takes
    at once (`capacity`), and whether money that is sent to it arrives.
    """

    model_config = shown(examples.KITCHEN)

    user_id: UUID
    first_name: str
    last_name: str
    email: str
    phone: str | None
    market: str
    capacity: int | None
    total_orders: int
    can_be_paid: bool
    verification_status: Verification
    verification_reason: str | None
    verified_at: Moment | None
    created_at: Moment


class KitchenProfileOut(KitchenOut):
    """A kitchen with what was shown, the latest first, and what has still to be shown
    (`missingDocuments`: not approved, or expired).
    """

    model_config = shown(examples.KITCHEN_PROFILE)

    missing_documents: list[ChefDocumentType]
    documents: list[ChefDocumentOut]


class AppliedOut(Message):
    """A new chef, and an access token that says so; the one that he had may be a customer's."""

    model_config = shown(
        {
            "accessToken": "eyJhbGciOiJIUzI1NiJ9…",
            "expiresIn": 900,
            "chef": examples.KITCHEN_PROFILE,
        }
    )

    access_token: str
    expires_in: int
    chef: KitchenProfileOut


def kitchen(settings: Settings, seen: Profile, at: datetime) -> KitchenOut:
    """A kitchen as it stands at a moment, for operators."""
    return KitchenOut(**_of_kitchen(settings, seen, at))


def kitchen_profile(
    settings: Settings, seen: Profile, documents: Sequence[ChefDocument], at: datetime
) -> KitchenProfileOut:
    """A kitchen with its documents, for the chef himself and for operators."""
    missing = verification.missing(REQUIRED, papers(documents), at.date())
    return KitchenProfileOut(
        **_of_kitchen(settings, seen, at),
        missing_documents=list(missing),
        documents=[document(settings, row, at) for row in documents],
    )


def document(settings: Settings, row: ChefDocument, at: datetime) -> ChefDocumentOut:
    """A document, for those who may see it."""
    seen_at = private_files.link(settings, row.storage_key, row.content_type, at)
    return ChefDocumentOut(
        type=row.document_type,
        file_url=seen_at.url,
        file_url_expires_at=seen_at.expires_at,
        **row.model_dump(include=set(ChefDocumentOut.model_fields)),
    )


def _of_kitchen(settings: Settings, seen: Profile, at: datetime) -> dict[str, Any]:
    own = set(KitchenOut.model_fields) - set(ChefOut.model_fields)
    return {
        **seen.chef.model_dump(include=own),
        **views.of_chef(settings, seen.chef, at),
        **{name: said for name, said in seen._asdict().items() if name != "chef"},
    }
