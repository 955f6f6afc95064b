"""Who is told what, and in which words.

Each message is a template over `number` (the order's), `kitchen` (its name) and `reason`. Words for
customers are seed 004's (notifyCustomerStatusUpdate).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.order_status import OrderStatus


class Audience(StrEnum):
    """Who is told."""

    CUSTOMER = "customer"
    CHEF = "chef"
    DRIVER = "driver"
    OPS = "ops"


class Alert(StrEnum):
    """What is worth saying without a change of state."""

    CHEF_REMINDER = "chef_reminder"
    CHEF_OVERDUE = "chef_overdue"
    DRIVER_OFFER = "driver_offer"
    DISPATCH_SLOW = "dispatch_slow"
    PICKUP_OVERDUE = "pickup_overdue"
    DELIVERY_OVERDUE = "delivery_overdue"
    DRIVER_NEAR = "driver_near"
    PAYMENT_MISMATCH = "payment_mismatch"
    DISPUTE = "dispute"
    REFUND_FAILED = "refund_failed"
    REFUND_OVERDUE = "refund_overdue"
    COMPLAINT_OPENED = "complaint_opened"
    COMPLAINT_WAITS = "complaint_waits"
    COMPLAINT_REJECTED = "complaint_rejected"
    REFUND_GRANTED = "refund_granted"
    REFUND_REFUSED = "refund_refused"
    REFUND_MADE = "refund_made"
    REFUND_CAME_BACK = "refund_came_back"
    TIP_REFUSED = "tip_refused"


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to an audience; `type` is the event name of seed 000, Events."""

    audience: Audience
    type: str
    title: str
    message: str


def _customer(message: str) -> Notice:
    return Notice(Audience.CUSTOMER, "order:status_update", "Order {number}", message)


def _chef(message: str, kind: str = "order:status_update") -> Notice:
    return Notice(Audience.CHEF, kind, "Order {number}", message)


def _driver(message: str, kind: str = "order:status_update") -> Notice:
    return Notice(Audience.DRIVER, kind, "Order {number}", message)


def _ops(message: str) -> Notice:
    return Notice(Audience.OPS, "admin:alert", "Order {number} needs a look", message)


NOTICES: Mapping[OrderStatus | Alert, tuple[Notice, ...]] = {
    OrderStatus.PAYMENT_CONFIRMED: (
        _customer("Payment received. Waiting for {kitchen} to accept."),
        _chef("You have a new order, {number}.", "order:new"),
    ),
    OrderStatus.ACCEPTED: (
        _customer("Your order has been accepted! {kitchen} is preparing your food."),
    ),
    OrderStatus.PREPARING: (_customer("Your food is being prepared."),),
    OrderStatus.READY_FOR_PICKUP: (_customer("Your order is ready for pickup!"),),
    OrderStatus.ASSIGNED_TO_DRIVER: (
        _customer("A driver is on the way to {kitchen}."),
        _chef("A driver is on the way to you for {number}."),
    ),
    OrderStatus.PICKED_UP: (_customer("Your order has been picked up and is on the way!"),),
    OrderStatus.DELIVERED: (_customer("Your order has been delivered. Enjoy!"),),
    OrderStatus.CANCELLED: (
        _customer("Your order has been cancelled ({reason})."),
        _chef("Order {number} has been cancelled ({reason})."),
        _driver("Order {number} has been cancelled ({reason})."),
    ),
    OrderStatus.DISPUTED: (_ops("{number} is disputed: {reason}."),),
    OrderStatus.REFUNDED: (_customer("Your order has been refunded."),),
    Alert.CHEF_REMINDER: (_chef("Order {number} is still waiting for your answer.", "order:new"),),
    Alert.CHEF_OVERDUE: (_ops("{kitchen} has not finished {number} by the promised time."),),
    Alert.DRIVER_OFFER: (
        _driver("{kitchen} has an order for you: {number}.", "driver:new_assignment"),
    ),
    Alert.DISPATCH_SLOW: (_ops("No driver has taken {number} so far."),),
    Alert.PICKUP_OVERDUE: (_ops("The driver has not picked up {number} in time."),),
    Alert.DELIVERY_OVERDUE: (_ops("The driver has not delivered {number} in time."),),
    Alert.DRIVER_NEAR: (_customer("Your driver is almost at your door."),),
    Alert.PAYMENT_MISMATCH: (_ops("The payment of {number} is not for what it costs: {reason}."),),
    Alert.DISPUTE: (_ops("The customer's bank asks about the payment of {number}: {reason}."),),
    Alert.REFUND_FAILED: (_ops("A refund of {number} failed: {reason}."),),
    Alert.REFUND_OVERDUE: (_ops("A refund of {number} is still on its way: {reason}."),),
    Alert.COMPLAINT_OPENED: (
        _customer("We have your complaint about {number} and will look into it."),
        _ops("A complaint about {number} waits for you: {reason}."),
    ),
    Alert.COMPLAINT_WAITS: (_ops("A complaint about {number} still waits: {reason}."),),
    Alert.COMPLAINT_REJECTED: (
        _customer("We have looked into your complaint about {number}: {reason}"),
    ),
    Alert.REFUND_GRANTED: (_customer("You get {reason} back for {number}."),),
    Alert.REFUND_REFUSED: (_ops("Stripe does not refund {number} yet: {reason}."),),
    Alert.REFUND_MADE: (_customer("{reason} for {number} are on their way to your card."),),
    Alert.REFUND_CAME_BACK: (
        _customer("Your refund for {number} did not reach your card. We will be in touch."),
        _ops("A refund of {number} did not reach the customer: {reason}."),
    ),
    Alert.TIP_REFUSED: (
        _customer("Your card did not take the tip that you had promised for {number}."),
    ),
}


def notices(occasion: OrderStatus | Alert) -> tuple[Notice, ...]:
    """What is said on an occasion; nothing where only he who acted is concerned."""
    return NOTICES.get(occasion, ())
