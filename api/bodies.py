"""What clients send. Amounts are integer cents, moments RFC 3339 with a zone, positions degrees."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from domain.cancellation import Fault

# PostgreSQL has no NUL in its texts; a request with one is wrong, not a database error.
_NO_NUL = r"^[^\x00]*$"
Words = Annotated[
    str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True, pattern=_NO_NUL)
]
Line = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=_NO_NUL)
]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]

MOST_ITEMS = 50
MOST_OF_A_DISH = 99
MOST_TIP_CENTS = 100_000
LONGEST_PREPARATION_MINUTES = 24 * 60


class Body(BaseModel):
    """A request body: camelCase, and nothing in it that we do not know."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", allow_inf_nan=False
    )


def _examples(*examples: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": list(examples)})


class LoginBody(Body):
    """Who wants in."""

    model_config = _examples({"email": "customer@example.com", "password": "ridendine-demo"})

    email: Line
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class ItemBody(Body):
    """A dish, and how often."""

    menu_item_id: UUID
    quantity: int = Field(ge=1, le=MOST_OF_A_DISH)
    special_instructions: Words | None = None


class AddressBody(Body):
    """Where an order goes. Without a position, the address is looked up."""

    line1: Line
    line2: Line | None = None
    city: Line
    state: Line
    postal_code: Annotated[Line, StringConstraints(max_length=20)]
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] = "US"
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class OrderBody(Body):
    """A new order."""

    model_config = _examples(
        {
            "chefId": "0198c0de-0000-7000-8000-000000000001",
            "items": [
                {
                    "menuItemId": "0198c0de-0000-7000-8000-0000000000a1",
                    "quantity": 2,
                    "specialInstructions": "not too hot",
                }
            ],
            "deliveryAddress": {
                "line1": "123 Main St",
                "city": "Austin",
                "state": "TX",
                "postalCode": "78701",
                "country": "US",
            },
            "tipCents": 300,
            "instructions": "The gate is open.",
        }
    )

    chef_id: UUID
    items: list[ItemBody] = Field(min_length=1, max_length=MOST_ITEMS)
    delivery_address: AddressBody
    tip_cents: int = Field(default=0, ge=0, le=MOST_TIP_CENTS)
    instructions: Words | None = None
    scheduled_for: AwareDatetime | None = None


class CancelBody(Body):
    """Why, if the customer says."""

    model_config = _examples({"reason": "I ordered twice by mistake."})

    reason: Words | None = None


class TipBody(Body):
    """Another tip."""

    model_config = _examples({"tipCents": 500})

    tip_cents: int = Field(ge=0, le=MOST_TIP_CENTS)


class ChefStatusBody(Body):
    """What a chef does with an order: take it on, refuse it, begin, have it ready, give it up."""

    model_config = _examples(
        {"status": "accepted", "readyInMinutes": 25},
        {"status": "rejected", "reason": "We are out of rice."},
    )

    status: Literal["accepted", "rejected", "preparing", "ready_for_pickup", "cancelled"]
    reason: Words | None = None
    ready_in_minutes: int | None = Field(default=None, ge=1, le=LONGEST_PREPARATION_MINUTES)


class ChefAvailabilityBody(Body):
    """Whether a kitchen takes new orders."""

    model_config = _examples({"acceptingOrders": True})

    accepting_orders: bool


class DriverAvailabilityBody(Body):
    """Whether a driver may be asked."""

    model_config = _examples({"isAvailable": True})

    is_available: bool


class LocationBody(Body):
    """Where a driver is: accuracy in metres, speed in m/s, heading in degrees from north."""

    model_config = _examples(
        {"latitude": 30.2672, "longitude": -97.7431, "accuracy": 8, "speed": 7.5, "heading": 90}
    )

    latitude: Latitude
    longitude: Longitude
    accuracy: float | None = Field(default=None, ge=0)
    speed: float | None = Field(default=None, ge=0)
    heading: float | None = Field(default=None, ge=0, le=360)
    recorded_at: AwareDatetime | None = None


class DeclineBody(Body):
    """Why a driver does not take an order."""

    model_config = _examples({"reason": "too far"})

    reason: Words


class ProofBody(Body):
    """What shows that an order was handed over."""

    photo_url: (
        Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://\S+$")] | None
    ) = None
    note: Words | None = None


class DeliveryStatusBody(Body):
    """How far a driver is with an order; `ready_for_pickup` gives it back."""

    model_config = _examples(
        {"status": "picked_up"},
        {"status": "delivered", "proof": {"note": "handed to the customer"}},
        {"status": "ready_for_pickup", "reason": "flat tyre"},
    )

    status: Literal["picked_up", "in_transit", "delivered", "ready_for_pickup"]
    proof: ProofBody | None = None
    reason: Words | None = None


class AssignBody(Body):
    """To whom an operator gives an order, and why."""

    model_config = _examples(
        {"driverId": "0198c0de-0000-7000-8000-0000000000d1", "reason": "agreed by phone"}
    )

    driver_id: UUID
    reason: Words | None = None


class AdminCancelBody(Body):
    """Why an operator ends an order, and whose fault it is: that decides who bears what."""

    model_config = _examples({"reason": "The kitchen has lost power.", "fault": "chef"})

    reason: Words
    fault: Fault = Fault.PLATFORM
