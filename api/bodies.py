"""What clients send. Amounts are integer cents, moments RFC 3339 with a zone, positions degrees."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    StrictBool,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel

from api.examples import shown
from domain import promo
from domain.cancellation import Fault
from domain.evidence import MOST_IN_A_FIELD
from domain.ledger import Bearer
from domain.proof import ProofKind
from domain.refunds import Reason

# PostgreSQL has no NUL in its texts; a request with one is wrong, not a database error.
_NO_NUL = r"^[^\x00]*$"
Words = Annotated[
    str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True, pattern=_NO_NUL)
]
Line = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=_NO_NUL)
]
Town = Annotated[Line, StringConstraints(max_length=100)]
Code = Annotated[Line, StringConstraints(max_length=40), AfterValidator(promo.normalised)]


def _to_the_centimetre(degrees: float) -> float:
    return round(degrees, 7)


# Redis and every street map end short of the poles.
Latitude = Annotated[float, Field(ge=-85, le=85), AfterValidator(_to_the_centimetre)]
Longitude = Annotated[float, Field(ge=-180, le=180), AfterValidator(_to_the_centimetre)]


def _written(value: object) -> object:
    """A moment is written out: a number could be seconds or milliseconds."""
    if not isinstance(value, str) or value.strip().lstrip("+-").replace(".", "").isdigit():
        raise ValueError("a moment is written as in 2026-01-31T18:00:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]


def _address_of_the_web(value: str) -> str:
    HttpUrl(value)
    return value


# http or https, kept as it was written.
WebAddress = Annotated[
    str,
    StringConstraints(max_length=2000, pattern="^https?://[!-~]+$"),
    AfterValidator(_address_of_the_web),
]

MOST_ITEMS = 50
MOST_OF_A_DISH = 99
MOST_OPTIONS = 50
MOST_TIP_CENTS = 100_000
MOST_TOTAL_CENTS = 99_999_999
LONGEST_PREPARATION_MINUTES = 24 * 60


class Body(BaseModel):
    """A request body: camelCase, and nothing in it that we do not know."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )


class LoginBody(Body):
    """Who wants in."""

    model_config = shown({"email": "customer@example.com", "password": "ridendine-demo"})

    email: Line
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class ItemBody(Body):
    """A dish, how often, and the ids of the options that were chosen with it."""

    menu_item_id: UUID
    quantity: int = Field(strict=True, ge=1, le=MOST_OF_A_DISH)
    special_instructions: Words | None = None
    options: list[UUID] = Field(default_factory=list, max_length=MOST_OPTIONS)


class AddressBody(Body):
    """Where an order goes. Without a position, the address is looked up."""

    line1: Line
    line2: Line | None = None
    city: Town
    state: Town
    postal_code: Annotated[Line, StringConstraints(max_length=20)]
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] = "US"
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class OrderBody(Body):
    """A new order. `deliveryProof` is what the driver has to show to have delivered it: a code that
    the customer tells him, a photo, or nothing. Another price than `expectedTotalCents` is a 409
    `price_changed` with the `quote` that holds now.
    """

    model_config = shown(
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
            "deliveryProof": "code",
        }
    )

    chef_id: UUID
    items: list[ItemBody] = Field(min_length=1, max_length=MOST_ITEMS)
    delivery_address: AddressBody
    tip_cents: int = Field(default=0, strict=True, ge=0, le=MOST_TIP_CENTS)
    instructions: Words | None = None
    scheduled_for: Moment | None = None
    promo_code: Code | None = None
    delivery_proof: ProofKind | None = None
    expected_total_cents: int | None = Field(default=None, strict=True, ge=0, le=MOST_TOTAL_CENTS)


class CancelBody(Body):
    """Why, if the customer says."""

    model_config = shown({"reason": "I ordered twice by mistake."})

    reason: Words | None = None


class AskedItemBody(Body):
    """A dish of an order, and how many of it."""

    order_item_id: UUID
    quantity: int = Field(strict=True, ge=1, le=MOST_OF_A_DISH)


def _each_once(items: list[AskedItemBody] | None) -> list[AskedItemBody] | None:
    if items and len({item.order_item_id for item in items}) < len(items):
        raise ValueError("each item once, please")
    return items


AskedItems = Annotated[
    list[AskedItemBody] | None,
    Field(min_length=1, max_length=MOST_ITEMS),
    AfterValidator(_each_once),
]
Cents = Annotated[int, Field(strict=True, ge=1, le=99_999_999)]


class ComplaintBody(Body):
    """What is wrong with an order: with some of its items, or (without) with all of it."""

    model_config = shown(
        {
            "reason": "missing_item",
            "words": "There was only one dosa.",
            "items": [{"orderItemId": "0198c0de-0000-7000-8000-0000000000b1", "quantity": 1}],
        }
    )

    reason: Reason
    words: Words
    items: AskedItems = None


class RefundBody(Body):
    """What an admin gives back: items, an amount, or (neither) all that is left; who bears it."""

    model_config = shown({"amountCents": 500, "bearer": "platform", "reason": "The app was down."})

    bearer: Bearer
    reason: Words
    items: AskedItems = None
    amount_cents: Cents | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "RefundBody":
        if self.items is not None and self.amount_cents is not None:
            raise ValueError("items or amountCents, not both")
        return self


class DecisionBody(Body):
    """An admin's decision on a complaint; without an amount or a bearer, as it was asked."""

    model_config = shown({"grant": True, "amountCents": 800, "reason": "Half was there."})

    grant: StrictBool
    reason: Words
    amount_cents: Cents | None = None
    bearer: Bearer | None = None


class TipBody(Body):
    """Another tip."""

    model_config = shown({"tipCents": 500})

    tip_cents: int = Field(strict=True, ge=0, le=MOST_TIP_CENTS)


class ChefStatusBody(Body):
    """What a chef does with an order: take it on, refuse it, begin, have it ready, give it up."""

    model_config = shown(
        {"status": "accepted", "readyInMinutes": 25},
        {"status": "rejected", "reason": "We are out of rice."},
    )

    status: Literal["accepted", "rejected", "preparing", "ready_for_pickup", "cancelled"]
    reason: Words | None = None
    ready_in_minutes: int | None = Field(
        default=None, strict=True, ge=1, le=LONGEST_PREPARATION_MINUTES
    )


class DriverAvailabilityBody(Body):
    """Whether a driver may be asked."""

    model_config = shown({"isAvailable": True})

    is_available: StrictBool


class DeclineBody(Body):
    """Why a driver does not take an order."""

    model_config = shown({"reason": "too far"})

    reason: Words


class ProofBody(Body):
    """What shows that an order was handed over: the customer's code, where he asked for one."""

    code: Annotated[str, StringConstraints(pattern="^[0-9]{4}$")] | None = None
    photo_url: WebAddress | None = None
    note: Words | None = None


class DeliveryStatusBody(Body):
    """How far a driver is with an order; `ready_for_pickup` gives it back."""

    model_config = shown(
        {"status": "picked_up"},
        {"status": "delivered", "proof": {"code": "4711", "note": "handed to the customer"}},
        {"status": "ready_for_pickup", "reason": "flat tyre"},
    )

    status: Literal["picked_up", "in_transit", "delivered", "ready_for_pickup"]
    proof: ProofBody | None = None
    reason: Words | None = None


class OnboardBody(Body):
    """Where Stripe sends a payee: when he is through, and when the link was too old.

    Without them, to pages of ours.
    """

    model_config = shown({"returnUrl": "https://app.example.com/payouts"})

    return_url: WebAddress | None = None
    refresh_url: WebAddress | None = None


class AssignBody(Body):
    """To whom an operator gives an order, and why."""

    model_config = shown(
        {"driverId": "0198c0de-0000-7000-8000-0000000000d1", "reason": "agreed by phone"}
    )

    driver_id: UUID
    reason: Words


class AdminCancelBody(Body):
    """Why an operator ends an order, and whose fault it is: that decides who bears what."""

    model_config = shown({"reason": "The kitchen has lost power.", "fault": "chef"})

    reason: Words
    fault: Fault = Fault.PLATFORM


class EvidenceBody(Body):
    """What else the bank is to read, in place of what was said before, and who bears the dispute
    if it is lost. What is left out stays as it is.
    """

    model_config = shown(
        {"text": "The customer wrote to us that it was delicious.", "fault": "platform"}
    )

    text: (
        Annotated[
            str,
            StringConstraints(
                min_length=1, max_length=MOST_IN_A_FIELD, strip_whitespace=True, pattern=_NO_NUL
            ),
        ]
        | None
    ) = None
    fault: Bearer | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.text is None and self.fault is None:
            raise ValueError("give a text, a fault, or both")
        return self


class ConcedeBody(Body):
    """Why the customer is to have the money, and who bears it, if not the usual one."""

    model_config = shown({"reason": "The driver went to another house.", "fault": "driver"})

    reason: Words
    fault: Bearer | None = None
