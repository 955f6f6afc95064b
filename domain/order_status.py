"""The twelve states of an order, which may follow which, and by whose hand.

Source: DESIGN.md, The states; seed 000, Order State Machine. The table is the only place that
knows: the workflow, the facade and the property tests all ask here.
"""

from collections.abc import Mapping
from enum import StrEnum


class OrderStatus(StrEnum):
    """Where an order stands (seed 000, plus `disputed` between delivered and refunded)."""

    PENDING = "pending"
    PAYMENT_CONFIRMED = "payment_confirmed"
    ACCEPTED = "accepted"
    PREPARING = "preparing"
    READY_FOR_PICKUP = "ready_for_pickup"
    ASSIGNED_TO_DRIVER = "assigned_to_driver"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    DISPUTED = "disputed"
    REFUNDED = "refunded"


class Actor(StrEnum):
    """Who moves an order: the four roles, Stripe, dispatch, or a deadline that passed."""

    CUSTOMER = "customer"
    CHEF = "chef"
    DRIVER = "driver"
    ADMIN = "admin"
    STRIPE = "stripe"
    DISPATCH = "dispatch"
    DEADLINE = "deadline"


S, A = OrderStatus, Actor

TRANSITIONS: Mapping[OrderStatus, Mapping[OrderStatus, frozenset[Actor]]] = {
    S.PENDING: {
        S.PAYMENT_CONFIRMED: frozenset({A.STRIPE}),
        S.CANCELLED: frozenset({A.CUSTOMER, A.DEADLINE, A.STRIPE, A.ADMIN}),
    },
    S.PAYMENT_CONFIRMED: {
        S.ACCEPTED: frozenset({A.CHEF}),
        # Stripe: an authorisation that could not be captured when the chef accepted.
        S.CANCELLED: frozenset({A.CUSTOMER, A.CHEF, A.DEADLINE, A.STRIPE, A.ADMIN}),
    },
    S.ACCEPTED: {
        S.PREPARING: frozenset({A.CHEF}),
        S.CANCELLED: frozenset({A.CUSTOMER, A.CHEF, A.ADMIN}),
    },
    S.PREPARING: {
        S.READY_FOR_PICKUP: frozenset({A.CHEF}),
        S.CANCELLED: frozenset({A.ADMIN, A.CHEF, A.CUSTOMER}),
    },
    S.READY_FOR_PICKUP: {
        S.ASSIGNED_TO_DRIVER: frozenset({A.DISPATCH, A.ADMIN}),
        S.CANCELLED: frozenset({A.DISPATCH, A.ADMIN}),
    },
    S.ASSIGNED_TO_DRIVER: {
        S.PICKED_UP: frozenset({A.DRIVER}),
        # Dispatch: a driver who cannot be seen any more.
        S.READY_FOR_PICKUP: frozenset({A.DRIVER, A.DISPATCH, A.ADMIN}),
        S.CANCELLED: frozenset({A.ADMIN}),
    },
    S.PICKED_UP: {
        S.IN_TRANSIT: frozenset({A.DRIVER}),
        S.CANCELLED: frozenset({A.ADMIN}),
    },
    S.IN_TRANSIT: {
        S.DELIVERED: frozenset({A.DRIVER}),
        S.CANCELLED: frozenset({A.ADMIN}),
    },
    S.DELIVERED: {
        S.DISPUTED: frozenset({A.STRIPE, A.CUSTOMER}),
        S.REFUNDED: frozenset({A.ADMIN}),
    },
    S.DISPUTED: {
        # Stripe: the bank has decided for us. An admin: so has he, about a complaint.
        S.DELIVERED: frozenset({A.STRIPE, A.ADMIN}),
        S.REFUNDED: frozenset({A.STRIPE, A.ADMIN}),
    },
    S.CANCELLED: {},
    S.REFUNDED: {},
}

# The order is over for kitchen and road; what can still happen to it is about money.
ENDED = frozenset({S.DELIVERED, S.CANCELLED, S.REFUNDED})

# A driver may be looked for: from when cooking starts, since he needs time to come.
WANTS_DRIVER = frozenset({S.PREPARING, S.READY_FOR_PICKUP})

# The food has left the kitchen and is not at the door.
ON_THE_WAY = frozenset({S.PICKED_UP, S.IN_TRANSIT})

# With a driver in one of these, an order is one that he carries or will have to fetch.
IN_HAND = WANTS_DRIVER | ON_THE_WAY | {S.ASSIGNED_TO_DRIVER}


class IllegalTransition(Exception):
    """An order was asked to go where it may not.

    `current` is where it stands, `attempted` where it was to go, `allowed` where this actor may
    take it from there.
    """

    def __init__(self, current: OrderStatus, attempted: OrderStatus, by: Actor) -> None:
        self.current, self.attempted, self.by = current, attempted, by
        self.allowed = allowed(current, by)
        super().__init__(f"an order that is {current} cannot become {attempted} by {by}")


def allowed(current: OrderStatus, by: Actor) -> list[OrderStatus]:
    """Where `by` may take an order that is `current`, in the order of the table."""
    return [to for to, actors in TRANSITIONS[current].items() if by in actors]


def check(current: OrderStatus, to: OrderStatus, by: Actor) -> None:
    """Raise IllegalTransition unless `by` may take an order from `current` to `to`."""
    if by not in TRANSITIONS[current].get(to, frozenset()):
        raise IllegalTransition(current, to, by)
