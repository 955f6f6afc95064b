"""A bill explained to the customer, line by line. The lines sum to the total."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from domain.pricing import Price, Rates, km_beyond
from domain.promo import Verdict


class LineCode(StrEnum):
    """What a line of a quote is for."""

    DISH = "dish"
    DELIVERY = "delivery"
    SERVICE_FEE = "service_fee"
    TAX = "tax"
    TIP = "tip"
    DISCOUNT = "discount"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what it is for, in cents (a discount is negative), and how it came about."""

    code: LineCode
    label: str
    amount_cents: int
    explanation: str


def explain(
    dishes: Iterable[tuple[str, int, int]],
    rates: Rates,
    distance_km: float,
    bill: Price,
    promo: Verdict | None = None,
) -> list[Line]:
    """The lines of `bill`, which is what `dishes` of (name, price in cents, quantity) cost.

    `bill` was made with the same rates and distance, and with the discount of `promo`, which is
    what the customer's code does for it: None when he gave none.
    """
    food = f"of {bill.subtotal_cents} cents for the dishes"
    lines = [
        Line(LineCode.DISH, name, cents * quantity, f"{quantity} x {cents} cents")
        for name, cents, quantity in dishes
    ]
    lines += [
        Line(LineCode.DELIVERY, "Delivery", bill.delivery_fee_cents, _delivery(rates, distance_km)),
        Line(
            LineCode.SERVICE_FEE,
            "Service fee",
            bill.service_fee_cents,
            f"{_percent(rates.service_fee_bps)} {food}",
        ),
        Line(LineCode.TAX, "Tax", bill.tax_cents, f"{_percent(rates.tax_bps)} {food}"),
        Line(LineCode.TIP, "Tip", bill.tip_cents, "all of it is the driver's"),
    ]
    if promo is not None:
        label = f"Promo code {promo.code}"
        lines.append(Line(LineCode.DISCOUNT, label, -bill.discount_cents, promo.words))
    return lines


def _delivery(rates: Rates, distance_km: float) -> str:
    words = (
        f"{rates.delivery_base_cents} cents for the first {rates.delivery_included_km:g} km"
        f" of {distance_km:.1f} km"
    )
    beyond = km_beyond(distance_km, rates)
    if beyond:
        words += f", and {beyond} x {rates.delivery_cents_per_km} cents for each km begun beyond"
    return words


def _percent(bps: int) -> str:
    return f"{bps / 100:g} %"
