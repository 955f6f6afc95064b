"""What a customer can get back of a delivered order, who bears it, and what needs no person.

A complaint about dishes is worth what they cost, with their tax and less their part of the
discount; one about the whole order is worth all that is left of its payment. A small sum is granted
at once, a few times a month to the same customer; everything else waits for an admin. No more is
ever given back than was captured and has neither been given back nor asked for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.ledger import Bearer, portion
from domain.order_status import OrderStatus
from domain.pricing import Price


class RefundKind(StrEnum):
    """Who asks: the customer, by a complaint, or an admin."""

    COMPLAINT = "complaint"
    ADMIN = "admin"


class RequestStatus(StrEnum):
    """How a request for a refund stands."""

    ASKED = "asked"
    GRANTED = "granted"
    REJECTED = "rejected"
    REFUNDED = "refunded"
    FAILED = "failed"


class Reason(StrEnum):
    """What a customer complains about."""

    MISSING_ITEM = "missing_item"
    WRONG_ITEM = "wrong_item"
    QUALITY = "quality"
    LATE = "late"
    DAMAGED = "damaged"
    NEVER_ARRIVED = "never_arrived"
    OTHER = "other"


# Unless an admin says otherwise.
BORNE_BY: Mapping[Reason, Bearer] = {
    Reason.MISSING_ITEM: Bearer.CHEF,
    Reason.WRONG_ITEM: Bearer.CHEF,
    Reason.QUALITY: Bearer.CHEF,
    Reason.LATE: Bearer.DRIVER,
    Reason.DAMAGED: Bearer.DRIVER,
    Reason.NEVER_ARRIVED: Bearer.DRIVER,
    Reason.OTHER: Bearer.PLATFORM,
}

# Requests in these states hold on to their amount.
HOLDING = frozenset({RequestStatus.ASKED, RequestStatus.GRANTED, RequestStatus.REFUNDED})

AUTOMATIC_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Rules:
    """A market's: up to how many cents a complaint is granted at once, and how often in 30 days to
    the same customer.
    """

    small_cents: int = 1500
    automatic_refunds: int = 2


class Objection(StrEnum):
    """Why something cannot be refunded."""

    NOT_REFUNDABLE = "not_refundable"
    COMPLAINT_TOO_LATE = "complaint_too_late"
    UNKNOWN_ITEM = "unknown_item"
    ABOVE_WHAT_IS_LEFT = "above_what_is_left"
    ALREADY_DECIDED = "already_decided"


class CannotBeRefunded(Exception):
    """A refund that may not be; `why` is for machines."""

    def __init__(self, why: Objection, words: str) -> None:
        super().__init__(words)
        self.why = why


@dataclass(frozen=True, slots=True)
class Dish:
    """A line of an order, and how many of it were asked back before."""

    id: UUID
    price_cents: int
    quantity: int
    asked_before: int = 0


@dataclass(frozen=True, slots=True)
class Amount:
    """So many cents, and how much of them is tax."""

    cents: int
    tax_cents: int


def check_state(kind: RefundKind, status: OrderStatus, *, has_failed: bool = False) -> None:
    """Raise CannotBeRefunded unless this kind of refund may be asked of an order like that.

    `has_failed`: a refund of it has not reached the customer, so even a refunded order owes him.
    """
    if kind is RefundKind.COMPLAINT:
        may_be = status is OrderStatus.DELIVERED
    else:
        may_be = status in {OrderStatus.DELIVERED, OrderStatus.DISPUTED} or (
            status is OrderStatus.REFUNDED and has_failed
        )
    if not may_be:
        raise CannotBeRefunded(
            Objection.NOT_REFUNDABLE,
            f"nothing is refunded by a {kind} of an order that is {status}",
        )


def check_window(delivered_at: datetime, now: datetime, window: timedelta) -> None:
    """Raise CannotBeRefunded when a complaint comes later than `window` after delivery."""
    if now - delivered_at > window:
        hours = window / timedelta(hours=1)
        raise CannotBeRefunded(
            Objection.COMPLAINT_TOO_LATE, f"a complaint comes within {hours:g} hours of delivery"
        )


def of_items(bill: Price, dishes: Iterable[Dish], wanted: Mapping[UUID, int]) -> Amount:
    """What some of an order's dishes are worth to the customer.

    It is worked out as a difference, so that parts never sum to more than the whole. Raises
    CannotBeRefunded for what was not ordered, or was asked back already.
    """
    known = {dish.id: dish for dish in dishes}
    for item_id, quantity in wanted.items():
        dish = known.get(item_id)
        if dish is None:
            raise CannotBeRefunded(Objection.UNKNOWN_ITEM, "the order has no such item")
        if quantity > dish.quantity - dish.asked_before:
            raise CannotBeRefunded(
                Objection.ABOVE_WHAT_IS_LEFT, "not so many of this item are left to be refunded"
            )
    before = sum(dish.price_cents * dish.asked_before for dish in known.values())
    food = sum(known[item_id].price_cents * quantity for item_id, quantity in wanted.items())
    was, comes_to = _worth(bill, before), _worth(bill, before + food)
    return Amount(comes_to.cents - was.cents, comes_to.tax_cents - was.tax_cents)


def of_cents(bill: Price, cents: int | None, left: Amount) -> Amount:
    """So many cents, or all that is left, and the tax in them."""
    if cents is None or cents == left.cents:
        return left
    return Amount(cents, tax_in(bill, cents))


def tax_in(bill: Price, cents: int) -> int:
    """How much of so many cents is tax, where nobody says: in proportion, and none in the tip."""
    return portion(bill.tax_cents, cents, bill.total_cents - bill.tip_cents)


def within(amount: Amount, left: Amount) -> Amount:
    """The amount, if so much is left. Raises CannotBeRefunded when not, or when it is nothing."""
    if not 0 < amount.cents <= left.cents:
        raise CannotBeRefunded(
            Objection.ABOVE_WHAT_IS_LEFT, f"{left.cents} cents are left to be refunded"
        )
    if amount.cents == left.cents:
        return left
    return Amount(amount.cents, min(amount.tax_cents, left.tax_cents, amount.cents))


def is_granted_at_once(rules: Rules, cents: int, granted_before: int) -> bool:
    """Whether a complaint needs no person: a small sum, and not too often (`granted_before`)."""
    return cents <= rules.small_cents and granted_before < rules.automatic_refunds


def _worth(bill: Price, food_cents: int) -> Amount:
    tax = portion(bill.tax_cents, food_cents, bill.subtotal_cents)
    discount = portion(bill.discount_cents, food_cents, bill.subtotal_cents)
    return Amount(food_cents + tax - discount, tax)
