"""What clients get. Amounts are integer cents, moments RFC 3339 in UTC."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import AfterValidator, Field

from api import examples, examples_kitchens, kitchen_hours, pictures
from api.examples import shown
from domain.order_status import Actor, OrderStatus
from domain.photos import PhotoType
from domain.proof import ProofKind
from schema.messages.base import Message
from schema.messages.order import ChosenOption, StatusView
from schema.queries import order_views
from schema.queries.drivers import OfferView
from schema.tables import Chef, DeliveryPhoto, Order, OrderItem, OrderStatusHistory, Role
from settings import Settings

Moment = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
Item = TypeVar("Item")


class Page(Message, Generic[Item]):
    """A part of a list, and how long the whole of it is."""

    data: list[Item]
    page: int
    limit: int
    total: int


class UserOut(Message):
    """Who is logged in."""

    id: UUID
    email: str
    role: Role
    first_name: str
    last_name: str


class LoginOut(Message):
    """A token for the `Authorization: Bearer` header, for how many seconds it is good, and another
    one, good once and for longer, that is exchanged for the next two.
    """

    model_config = shown(examples.LOGIN)

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - a kind of token, not a token
    expires_in: int
    refresh_token: str
    refresh_expires_in: int
    user: UserOut


class ChefOut(Message):
    """A chef and the kitchen. Radius in km, rating 0-5, the hours by the clock of `timezone`, where
    `hoursExceptions` has those of single days (null: closed). Customers can order while it is open,
    `isOnline` and `acceptingOrders`. `opensAt` is the first moment from now on at which it is open,
    null where that is more than two weeks ahead.
    """

    model_config = shown(examples_kitchens.CHEF)

    id: UUID
    business_name: str
    description: str
    cuisine_types: list[str]
    specialties: list[str]
    address: str
    latitude: float
    longitude: float
    service_radius_km: float
    rating: float
    rating_count: int
    is_online: bool
    accepting_orders: bool
    is_open: bool
    opens_at: Moment | None
    minimum_order_cents: int
    prep_minutes: int
    timezone: str
    operating_hours: dict[str, dict[str, str]]
    hours_exceptions: dict[str, dict[str, str] | None]
    profile_image_url: str | None
    banner_image_url: str | None
    kitchen_image_urls: list[str]


class OnboardingOut(Message):
    """Where a payee gives Stripe his details (one visit, until `expiresAt`), and how far he is."""

    model_config = shown(examples.ONBOARDING)

    account_id: str
    url: str
    expires_at: Moment
    details_submitted: bool
    payouts_enabled: bool


class AccountOut(Message):
    """Whether a payee can be paid: `detailsSubmitted` and `payoutsEnabled`; and what is missing,
    in Stripe's words. `accountId` is null before onboarding has begun.
    """

    model_config = shown(examples.ACCOUNT)

    account_id: str | None
    details_submitted: bool
    payouts_enabled: bool
    requirements_due: list[str]
    disabled_reason: str | None


class PlacedOut(Message):
    """A new order. The customer confirms the payment with `clientSecret` and Stripe's SDK, and
    tells the driver at the door the `deliveryCode`, if there is one.
    """

    model_config = shown(examples.PLACED)

    id: UUID
    order_number: str
    status: OrderStatus
    subtotal_cents: int
    tax_cents: int
    delivery_fee_cents: int
    service_fee_cents: int
    discount_cents: int
    tip_cents: int
    total_cents: int
    currency: str
    promo_code: str | None
    delivery_proof: ProofKind
    delivery_code: str | None
    client_secret: str


class OrderItemOut(Message):
    """A dish of an order, as it was named and priced then: `priceCents` is that of one portion with
    its options.
    """

    id: UUID
    menu_item_id: UUID
    name: str
    price_cents: int
    quantity: int
    options: list[ChosenOption]
    special_instructions: str | None


class DeliveryAddressOut(Message):
    """Where an order goes."""

    line1: str
    line2: str | None
    city: str
    state: str
    postal_code: str
    country: str
    latitude: float
    longitude: float


class OrderOut(Message):
    """An order as it stands. `deliveryCode` is told to its customer alone, who looks at this one;
    `proof` is what the driver has shown.
    """

    model_config = shown(examples.ORDER)

    id: UUID
    order_number: str
    status: OrderStatus
    customer_id: UUID
    chef_id: UUID
    chef_name: str
    driver_id: UUID | None
    driver_name: str | None
    items: list[OrderItemOut]
    subtotal_cents: int
    tax_cents: int
    delivery_fee_cents: int
    service_fee_cents: int
    discount_cents: int
    tip_cents: int
    promised_tip_cents: int | None
    total_cents: int
    refunded_cents: int
    currency: str
    promo_code: str | None
    delivery_address: DeliveryAddressOut
    instructions: str | None
    scheduled_for: Moment | None
    estimated_ready_at: Moment
    estimated_pickup_at: Moment | None
    estimated_delivery_at: Moment
    created_at: Moment
    paid_at: Moment | None
    accepted_at: Moment | None
    prepared_at: Moment | None
    assigned_at: Moment | None
    picked_up_at: Moment | None
    near_door_at: Moment | None
    delivered_at: Moment | None
    cancelled_at: Moment | None
    cancelled_by: Actor | None
    cancel_reason: str | None
    delivery_proof: ProofKind
    delivery_code: str | None
    proof: dict[str, Any] | None


class StepOut(Message):
    """A step in an order's life, and what was expected anew with it."""

    model_config = shown(examples.STEP)

    sequence: int
    status: OrderStatus
    actor: Actor
    created_by: UUID | None
    notes: str | None
    estimated_ready_at: Moment | None
    estimated_pickup_at: Moment | None
    estimated_delivery_at: Moment | None
    created_at: Moment


class StatusOut(Message):
    """Where an order stands after a request; `refundCents` goes back when it is cancelled."""

    model_config = shown(examples.STATUS)

    order_id: UUID
    order_number: str | None
    status: OrderStatus
    driver_id: UUID | None
    estimated_ready_at: Moment
    estimated_pickup_at: Moment | None
    estimated_delivery_at: Moment
    refund_cents: int | None


class OfferedOrderOut(Message):
    """An order of an offer. Whoever brings it earns the delivery fee and the tip, and the bonus."""

    order_id: UUID
    order_number: str
    chef_name: str
    pickup_address: str
    pickup_latitude: float
    pickup_longitude: float
    delivery_latitude: float
    delivery_longitude: float
    earning_cents: int
    bonus_cents: int
    ready_at: Moment
    estimated_pickup_time: Moment | None
    estimated_delivery_time: Moment | None


class OfferOut(OfferedOrderOut):
    """Orders that a driver may take, all of them or none, in the sequence of `orders`; the other
    fields are the first one's. What he earns with all of them, in cents, is `earningCents`, and
    `bonusCents` on top of it.
    """

    model_config = shown(examples.OFFER)

    id: UUID
    orders: list[OfferedOrderOut]
    distance_km: float
    currency: str
    offered_at: Moment
    expires_at: Moment


class PhotoOut(Message):
    """A photo that is kept; `digest` is its SHA-256."""

    model_config = shown(examples.PHOTO)

    order_id: UUID
    digest: str
    content_type: PhotoType
    bytes: int
    latitude: float | None
    longitude: float | None
    created_at: Moment


class ReceivedOut(Message):
    """What became of an event."""

    model_config = shown({"outcome": "told: payment_succeeded"})

    outcome: str


class EventsReceivedOut(Message):
    """How many events have come at once, and how many of them said something new."""

    model_config = shown({"received": 12, "noted": 3})

    received: int
    noted: int


class HealthOut(Message):
    """Whether a process is alive, or what it waits for."""

    model_config = shown({"status": "ok", "checks": {}})

    status: str
    checks: dict[str, str] = Field(default_factory=dict)


def chef(settings: Settings, row: Chef, at: datetime) -> ChefOut:
    """A chef's row, for clients, as it is at a moment."""
    return ChefOut(**of_chef(settings, row, at))


def of_chef(settings: Settings, row: Chef, at: datetime) -> dict[str, Any]:
    """What customers and the chef himself are told alike about a kitchen."""
    return {
        **row.model_dump(include=set(ChefOut.model_fields)),
        "timezone": kitchen_hours.zone(settings, row),
        "is_open": kitchen_hours.is_open(settings, row, at),
        "opens_at": kitchen_hours.opens_at(settings, row, at),
        "profile_image_url": pictures.url(row.profile_image_key),
        "banner_image_url": pictures.url(row.banner_image_key),
        "kitchen_image_urls": [pictures.url(key) for key in row.kitchen_image_keys],
    }


def order(view: order_views.View, *, for_customer: bool = False) -> OrderOut:
    """An order, for clients; its code, for its customer alone."""
    row = view.order
    return OrderOut(
        **row.model_dump(include=set(OrderOut.model_fields) - {"delivery_code"}),
        delivery_proof=row.proof_kind,
        delivery_code=row.delivery_code if for_customer else None,
        chef_name=view.kitchen_name,
        driver_name=view.driver_name,
        refunded_cents=view.refunded_cents,
        items=_items(view.items),
        delivery_address=_address(row),
    )


def step(row: OrderStatusHistory) -> StepOut:
    """A step, for clients."""
    known = row.changes | row.model_dump(include=set(StepOut.model_fields))
    return StepOut(**{name: known.get(name) for name in StepOut.model_fields})


def status(answer: StatusView) -> StatusOut:
    """The workflow's answer, for clients."""
    return StatusOut(**answer.model_dump(include=set(StatusOut.model_fields)))


def offer(views: Sequence[OfferView]) -> OfferOut:
    """An offer, for its driver."""
    made, first = views[0].assignment, views[0].order
    offered = [_offered(view) for view in views]
    return OfferOut(
        **offered[0].model_dump(exclude={"earning_cents", "bonus_cents"}),
        id=made.offer_id,
        orders=offered,
        earning_cents=sum(order.earning_cents for order in offered),
        bonus_cents=sum(order.bonus_cents for order in offered),
        distance_km=made.distance_km,
        currency=first.currency,
        offered_at=made.offered_at,
        expires_at=made.expires_at,
    )


def _offered(view: OfferView) -> OfferedOrderOut:
    made, order = view.assignment, view.order
    return OfferedOrderOut(
        order_id=order.id,
        order_number=order.order_number,
        chef_name=view.kitchen_name,
        pickup_address=view.kitchen_address,
        pickup_latitude=order.pickup_latitude,
        pickup_longitude=order.pickup_longitude,
        delivery_latitude=order.delivery_latitude,
        delivery_longitude=order.delivery_longitude,
        earning_cents=order.driver_earning_cents,
        bonus_cents=made.bonus_cents,
        ready_at=order.estimated_ready_at,
        estimated_pickup_time=made.estimated_pickup_time,
        estimated_delivery_time=made.estimated_delivery_time,
    )


def photo(row: DeliveryPhoto) -> PhotoOut:
    """A photo's row, for its driver."""
    return PhotoOut(**row.model_dump(include=set(PhotoOut.model_fields)))


def _items(rows: Sequence[OrderItem]) -> list[OrderItemOut]:
    return [OrderItemOut(**row.model_dump(exclude={"order_id"})) for row in rows]


def _address(row: Order) -> DeliveryAddressOut:
    return DeliveryAddressOut(
        **{name: getattr(row, f"delivery_{name}") for name in DeliveryAddressOut.model_fields}
    )
