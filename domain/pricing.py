"""What an order costs, and who earns which part of it.

All amounts are integer cents of one currency. The parts always sum to the total:
chef + driver + tax + platform fee + service fee - discount = total.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil


@dataclass(frozen=True, slots=True)
class Rates:
    """A market's prices: basis points (1/100 %), cents and km."""

    currency: str = "usd"
    tax_bps: int = 800
    platform_fee_bps: int = 1500
    service_fee_bps: int = 0
    delivery_base_cents: int = 500
    delivery_included_km: float = 5.0
    delivery_cents_per_km: int = 75


@dataclass(frozen=True, slots=True)
class Price:
    """Every line of an order's bill, in cents, and the parts it is shared out in."""

    currency: str
    subtotal_cents: int
    tax_cents: int
    delivery_fee_cents: int
    service_fee_cents: int
    discount_cents: int
    tip_cents: int
    total_cents: int
    platform_fee_cents: int
    chef_earning_cents: int
    driver_earning_cents: int


def price(
    lines: Iterable[tuple[int, int]],
    rates: Rates,
    distance_km: float,
    *,
    tip_cents: int = 0,
    discount_cents: int = 0,
) -> Price:
    """The bill for `lines` of (price in cents, quantity), delivered over `distance_km`.

    The platform's fee is taken on food, tax and delivery (seed 000, Commission Structure: 15 % of
    2660 is 399), not on tip, discount or service fee. The tip is the driver's whole, a discount is
    the platform's expense and never more than the food, and a chef never earns less than nothing:
    on a small basket the fee shrinks to what the food costs (DESIGN.md, Money).
    """
    subtotal = sum(cents * quantity for cents, quantity in lines)
    tax = share(subtotal, rates.tax_bps)
    delivery = delivery_fee(distance_km, rates)
    service = share(subtotal, rates.service_fee_bps)
    discount = min(discount_cents, subtotal)
    fee = min(share(subtotal + tax + delivery, rates.platform_fee_bps), subtotal)
    return Price(
        currency=rates.currency,
        subtotal_cents=subtotal,
        tax_cents=tax,
        delivery_fee_cents=delivery,
        service_fee_cents=service,
        discount_cents=discount,
        tip_cents=tip_cents,
        total_cents=subtotal + tax + delivery + service + tip_cents - discount,
        platform_fee_cents=fee,
        chef_earning_cents=subtotal - fee,
        driver_earning_cents=delivery + tip_cents,
    )


def with_tip(bill: Price, tip_cents: int) -> Price:
    """The same bill with another tip."""
    change = tip_cents - bill.tip_cents
    return replace(
        bill,
        tip_cents=tip_cents,
        total_cents=bill.total_cents + change,
        driver_earning_cents=bill.driver_earning_cents + change,
    )


def delivery_fee(distance_km: float, rates: Rates) -> int:
    """The fee in cents: a base that covers the first km, then so much for each km begun."""
    return rates.delivery_base_cents + km_beyond(distance_km, rates) * rates.delivery_cents_per_km


def km_beyond(distance_km: float, rates: Rates) -> int:
    """How many km begun lie beyond those that the base covers."""
    return ceil(max(0.0, distance_km - rates.delivery_included_km))


def share(cents: int, bps: int) -> int:
    """`bps` basis points of `cents`, halves rounded up."""
    return (cents * bps + 5_000) // 10_000
