"""What can stand in the way of an order until the very moment in which it is written.

Somebody else may have been faster: with the last portion, with the last place in the kitchen, with
the customer's own cart. A promo code's reasons are `domain.promo.Reason`.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from domain.order_status import OrderStatus


class Obstacle(StrEnum):
    """Why an order cannot be placed; clients read these."""

    SOLD_OUT = "sold_out"
    KITCHEN_FULL = "kitchen_full"
    CART_CHANGED = "cart_changed"


class CannotBePlaced(Exception):
    """Somebody was faster: `why` is its code, `details` say what is left."""

    def __init__(self, why: Obstacle, words: str, **details: object) -> None:
        super().__init__(words)
        self.why, self.details = why, details


# What takes up a place in the kitchen until the food is ready. An order that waits for its payment
# is among them: paid a moment later, it would be one too many.
TAKES_A_PLACE = frozenset(
    {
        OrderStatus.PENDING,
        OrderStatus.PAYMENT_CONFIRMED,
        OrderStatus.ACCEPTED,
        OrderStatus.PREPARING,
    }
)


def needs_place(
    scheduled_for: datetime | None, ready_at: datetime, prep_minutes: int, now: datetime
) -> bool:
    """Whether an order takes up a place by now: a scheduled one does when it has to be cooked."""
    return scheduled_for is None or ready_at - timedelta(minutes=prep_minutes) <= now


def sold_out(dish: str, dish_id: object, left: int) -> CannotBePlaced:
    """Of a dish there is less than was asked for."""
    words = f"{dish} is sold out" if left == 0 else f"of {dish} only {left} are left"
    return CannotBePlaced(Obstacle.SOLD_OUT, words, menuItemId=str(dish_id), name=dish, left=left)


def kitchen_full(kitchen: str, capacity: int) -> CannotBePlaced:
    """A kitchen has as many orders in hand as it wants at once."""
    return CannotBePlaced(
        Obstacle.KITCHEN_FULL,
        f"{kitchen} has its hands full: try again in a while, or order for later",
        capacity=capacity,
    )


def cart_changed() -> CannotBePlaced:
    """A cart is not any more as it was when the customer looked at it."""
    return CannotBePlaced(
        Obstacle.CART_CHANGED, "the cart has changed meanwhile, or is ordered: look at it again"
    )
