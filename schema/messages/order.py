"""What the facade, the order's workflow and its activities tell each other about an order.

Moments are UTC, amounts integer cents, distances km.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field

from domain import eta
from domain.cancellation import Fault
from domain.eta import City
from domain.geo import Point
from domain.notifications import Alert
from domain.order_status import Actor, OrderStatus
from domain.pricing import Price
from domain.proof import ProofKind
from schema.messages.base import Message


class CaptureMethod(StrEnum):
    """When a card is charged: at once, or authorised first and charged when the chef accepts."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class Terms(Message):
    """The rules an order was placed under; they stay with it when the settings change."""

    capture_method: CaptureMethod = CaptureMethod.AUTOMATIC
    payment_attempts: int = 3
    payment_deadline: timedelta = timedelta(minutes=15)
    chef_response: timedelta = timedelta(minutes=5)
    scheduled_lead: timedelta = timedelta(minutes=15)
    # Not in step with offers and ticks.
    dispatch_rejoin: timedelta = timedelta(seconds=67)
    dispatch_alert: timedelta = timedelta(minutes=20)
    dispatch_give_up: timedelta = timedelta(minutes=30)
    pickup_overdue: timedelta = timedelta(minutes=20)
    delivery_overdue: timedelta = timedelta(minutes=15)
    refund_overdue: timedelta = timedelta(days=7)
    tip_window: timedelta = timedelta(hours=24)
    city: City = City()
    driver_capacity: int = 3

    def chef_asked_from(self, order: "Order", now: datetime) -> datetime:
        """When a chef's time to answer begins, about an order that is paid: at once, unless it is
        scheduled. It lasts `chef_response`.
        """
        if order.scheduled_for is None:
            return now
        ready = eta.ready_for(order.scheduled_for, order.drive(self.city), self.city)
        ahead = self.scheduled_lead + self.chef_response
        return eta.asked_from(ready, self.city.lasting(order.prep_time), ahead, now)


class Address(Message):
    """Where an order goes."""

    line1: str = Field(min_length=1, max_length=200)
    line2: str | None = Field(default=None, max_length=200)
    city: str = Field(min_length=1, max_length=100)
    state: str = Field(min_length=1, max_length=100)
    postal_code: str = Field(min_length=1, max_length=20)
    country: str = Field(default="US", min_length=2, max_length=2)


class ChosenOption(Message):
    """An option that was chosen with a dish, as it was named and priced then."""

    id: UUID
    group: str
    name: str
    price_cents: int


class OrderLine(Message):
    """One dish of an order, as it was named and priced when it was ordered: `price_cents` is that
    of one portion with its options.
    """

    menu_item_id: UUID
    name: str
    price_cents: int
    quantity: int
    options: tuple[ChosenOption, ...] = ()
    special_instructions: str | None = None


class Order(Message):
    """What the workflow knows of its order: what was agreed, and how far it has come.

    `drive_seconds` is the drive to the door by the city's clock, `timezone` the kitchen's: times
    are told by it to whoever has not said where he is.
    """

    id: UUID
    number: str | None = None
    customer_id: UUID
    chef_id: UUID
    market: str
    timezone: str | None = None
    kitchen_name: str
    kitchen: Point
    door: Point
    road_km: float
    drive_seconds: float | None = None
    price: Price
    prep_minutes: int
    placed_at: datetime
    scheduled_for: datetime | None = None
    estimated_ready_at: datetime
    estimated_pickup_at: datetime | None = None
    estimated_delivery_at: datetime
    status: OrderStatus = OrderStatus.PENDING
    sequence: int = 0
    driver_id: UUID | None = None
    payment_intent_id: str | None = None
    captured_cents: int = 0
    kept_cents: int | None = None
    refunded_cents: int = 0
    promised_tip_cents: int | None = None
    driver_bonus_cents: int = 0
    delivered_at: datetime | None = None
    promo_code: str | None = None
    proof_kind: ProofKind = ProofKind.NONE
    disputes_over: tuple[str, ...] = ()
    disputes_open: tuple[str, ...] = ()

    @property
    def prep_time(self) -> timedelta:
        """How long the kitchen usually needs for these dishes."""
        return timedelta(minutes=self.prep_minutes)

    def drive(self, city: City) -> timedelta:
        """How long the drive to the door takes by our clock; by the road where no map was asked."""
        if self.drive_seconds is None:
            return city.drive(self.road_km)
        return city.lasting(timedelta(seconds=self.drive_seconds))


class CartRef(Message):
    """A customer's cart, as he saw it: every change of it has the next `version`."""

    id: UUID
    version: int


class Placing(Message):
    """A new order, complete: what the workflow writes down when it begins. A `cart` that it is made
    of is emptied with it.
    """

    order: Order
    lines: list[OrderLine]
    address: Address
    instructions: str | None = None
    cart: CartRef | None = None


class OrderStart(Message):
    """How an order's workflow begins: with a placing, or taken up again from its row (None)."""

    order_id: UUID
    terms: Terms = Terms()
    placing: Placing | None = None


class Who(Message):
    """By whose hand something happens."""

    role: Actor
    id: UUID | None = None


class Changes(Message):
    """What a change of state brings along; None leaves a value as it was.

    `said_minutes` is a chef's word until the food is ready, `kitchen_load` how many other orders he
    had in hand when he gave it, or gave none.
    """

    estimated_ready_at: datetime | None = None
    estimated_pickup_at: datetime | None = None
    estimated_delivery_at: datetime | None = None
    said_minutes: int | None = None
    kitchen_load: int | None = None
    driver_id: UUID | None = None
    captured_cents: int | None = None
    kept_cents: int | None = None
    chef_earning_cents: int | None = None
    driver_earning_cents: int | None = None
    driver_bonus_cents: int | None = None
    proof: dict[str, Any] | None = None


class Transition(Message):
    """One step in an order's life. `sequence` counts an order's steps from 1.

    `offer_id` is the offer that an assignment takes; without it an operator assigned by hand.
    `capacity` is how many orders the driver who takes it may have in hand, if it counts.
    """

    order_id: UUID
    sequence: int
    was: OrderStatus | None
    to: OrderStatus
    by: Who
    at: datetime
    reason: str | None = None
    offer_id: UUID | None = None
    capacity: int | None = None
    changes: Changes = Changes()


class Recorded(Message):
    """The step that the database holds for a sequence number, and whether it was announced."""

    transition: Transition
    announced: bool


class OrderRef(Message):
    """Which order."""

    order_id: UUID


class StepsAfter(OrderRef):
    """The steps of an order beyond number `sequence`."""

    sequence: int


class NewPrice(OrderRef):
    """An order's bill, written anew."""

    price: Price


class PromisedTip(OrderRef):
    """A higher tip, to be charged when the order is delivered; None when it is not any more."""

    tip_cents: int | None


class TipToCharge(OrderRef):
    """What an order's tip is to come to, beside the payment that it was paid with."""

    order_number: str
    payment_intent_id: str
    tip_cents: int


class ChargedTip(OrderRef):
    """What was charged for a tip, and by which payment."""

    payment_intent_id: str
    amount_cents: int


class Alarm(OrderRef):
    """Something worth telling people about an order; `key` keeps it from being told twice.

    Where it is about an amount or a deadline, that is `amount_cents` or `due`.
    """

    alert: Alert
    key: str
    reason: str | None = None
    amount_cents: int | None = None
    due: datetime | None = None
    near_door_at: datetime | None = None
    estimated_delivery_at: datetime | None = None


class StatusView(Message):
    """The answer to a command or a `status` query: where the order stands."""

    order_id: UUID
    order_number: str | None
    status: OrderStatus
    sequence: int
    driver_id: UUID | None
    estimated_ready_at: datetime
    estimated_pickup_at: datetime | None = None
    estimated_delivery_at: datetime
    refund_cents: int | None
    waiting_for: str


class Refusal(Message):
    """Where the order stands, for him whose request was refused, and where he may take it; what
    else he has to know, by the names of the API.
    """

    current: OrderStatus | None
    sequence: int
    allowed: list[OrderStatus]
    details: dict[str, Any] | None = None


class Placed(Message):
    """The answer to placing an order."""

    order_number: str
    status: OrderStatus
    price: Price
    client_secret: str
    promo_code: str | None = None


class Command(Message):
    """A request to move an order on."""

    by: Who
    reason: str | None = None


class ReadyIn(Command):
    """A chef's accept or start, with the minutes until the food is ready, if he says.

    `expected_minutes` is what the facade makes of them, or of the kitchen's habits without them
    (`domain.prep_time`), `kitchen_load` how many other orders the kitchen has in hand.
    """

    ready_in_minutes: int | None = None
    expected_minutes: float | None = None
    kitchen_load: int | None = None


class OperatorCancel(Command):
    """An operator ends an order and says whose fault it is."""

    fault: Fault = Fault.PLATFORM


class ChangeTip(Command):
    """A customer's other mind about the tip, in cents."""

    tip_cents: int
