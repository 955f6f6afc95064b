"""What a bank is told when a customer disputes an order: all that we have seen of it.

The names are Stripe's fields for evidence; their limits are Stripe's, too: 20,000 characters to a
field and 150,000 in all (docs.stripe.com/api/disputes/evidence_object).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.pricing import Price

MOST_IN_A_FIELD = 20_000
MOST_IN_ALL = 150_000

_CUT = "\n[{left} more characters do not fit here]"


@dataclass(frozen=True, slots=True)
class Dish:
    """A dish of the order: so many at so many cents each."""

    name: str
    quantity: int
    price_cents: int


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that happened, and when."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What a driver gave to show that he delivered; degrees where he said where. `photo_digest` is
    the SHA-256 of a photo that we keep.
    """

    by_code: bool = False
    photo_digest: str | None = None
    photo_at: datetime | None = None
    photo_url: str | None = None
    note: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of a disputed order. `words` are what people have added to it;
    `disputed_tip_cents` is the tip whose own payment is disputed, None where the order's is.
    """

    order_number: str
    kitchen: str
    customer_name: str
    customer_email: str
    address: str
    bill: Price
    dishes: tuple[Dish, ...]
    steps: tuple[Seen, ...]
    messages: tuple[Seen, ...]
    refunds: tuple[Seen, ...]
    driver: str | None
    near_door_at: datetime | None
    delivered_at: datetime | None
    proof: Proof
    words: str | None = None
    disputed_tip_cents: int | None = None


def compose(case: Case) -> dict[str, str]:
    """The evidence, by Stripe's fields; one that there is nothing to say in is left out.

    What is told first is kept where not all of it fits; where something is cut, it says so.
    """
    said = {
        "uncategorized_text": case.words or "",
        "access_activity_log": _log(case),
        "product_description": _bill(case),
        "refund_refusal_explanation": _lines(_dated(case.refunds)),
        "customer_name": case.customer_name,
        "customer_email_address": case.customer_email,
        "shipping_address": case.address,
        "service_date": _day(case.delivered_at),
        "shipping_date": _day(case.delivered_at),
        "shipping_carrier": f"{case.kitchen}'s food, by our driver {case.driver}"
        if case.driver
        else "",
        "shipping_tracking_number": case.order_number if case.delivered_at else "",
    }
    return _within_limits({name: words for name, words in said.items() if words})


def amount(cents: int, currency: str) -> str:
    """Cents as people write them: 26.60 USD."""
    return f"{cents // 100}.{cents % 100:02d} {currency.upper()}"


def moment(at: datetime) -> str:
    """A moment as people write it, in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _bill(case: Case) -> str:
    bill = case.bill
    items = [
        f"{dish.quantity} x {dish.name} at {amount(dish.price_cents, bill.currency)}"
        for dish in case.dishes
    ]
    parts = (
        ("Food", bill.subtotal_cents),
        ("Tax", bill.tax_cents),
        ("Delivery", bill.delivery_fee_cents),
        ("Service fee", bill.service_fee_cents),
        ("Tip", bill.tip_cents),
        ("Discount", bill.discount_cents),
    )
    return _lines(
        [
            f"Order {case.order_number}: food cooked by {case.kitchen} and brought to the door.",
            *items,
            *(f"{name}: {amount(cents, bill.currency)}" for name, cents in parts if cents),
            f"Total charged: {amount(bill.total_cents, bill.currency)}",
            *_tip(case),
        ]
    )


def _tip(case: Case) -> Iterable[str]:
    if case.disputed_tip_cents is not None:
        tip = amount(case.disputed_tip_cents, case.bill.currency)
        yield (
            f"The charge in question is {tip} of the tip, which the customer added after paying;"
            " it went to the card that he had paid with."
        )


def _log(case: Case) -> str:
    return _lines(
        [
            *_proof(case),
            f"What happened to order {case.order_number}:",
            *_dated(case.steps),
            *(["What the customer was told:", *_dated(case.messages)] if case.messages else []),
        ]
    )


def _proof(case: Case) -> Iterable[str]:
    if case.delivered_at is None:
        return
    by = f" by our driver {case.driver}" if case.driver else ""
    yield f"Delivered{by} on {moment(case.delivered_at)} to {case.address}."
    if case.near_door_at is not None:
        yield f"The driver's position was at the door on {moment(case.near_door_at)}."
    proof = case.proof
    if proof.by_code:
        yield (
            "The customer gave the driver the code for this order, which nobody but the customer"
            " had been shown."
        )
    if proof.photo_digest and proof.photo_at:
        yield (
            f"The driver sent a photo of the order at the door on {moment(proof.photo_at)}; we keep"
            f" it (SHA-256 {proof.photo_digest})."
        )
    if proof.photo_url:
        yield f"Photo at the door: {proof.photo_url}"
    if proof.note:
        yield f"The driver's note: {proof.note}"
    if proof.latitude is not None and proof.longitude is not None:
        yield f"Handed over at {proof.latitude}, {proof.longitude}."


def _dated(seen: Iterable[Seen]) -> list[str]:
    return [f"{moment(one.at)}  {one.words}" for one in seen]


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at else ""


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def _within_limits(said: Mapping[str, str]) -> dict[str, str]:
    kept: dict[str, str] = {}
    left = MOST_IN_ALL
    for name, words in said.items():
        fits = _cut(words, min(MOST_IN_A_FIELD, left))
        if fits:
            kept[name] = fits
            left -= len(fits)
    return kept


def _cut(words: str, most: int) -> str:
    """The beginning of it, ending with how much is missing; nothing where not even that fits."""
    if len(words) <= most:
        return words
    room = most - len(_CUT.format(left=len(words)))
    return words[:room] + _CUT.format(left=len(words) - room) if room > 0 else ""
