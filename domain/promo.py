"""What a promo code is worth on a basket, why it may not apply, and when its use is given back.

Source: seed 004, PROMO_CODES; DESIGN.md, Money. A code takes something off the food, never off tax,
delivery or tip, and never more than the food costs. Amounts are integer cents of the code's
currency, percentages basis points (1/100 %).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.order_status import OrderStatus
from domain.pricing import share


class DiscountType(StrEnum):
    """What `discount_value` counts: basis points of the food, or cents."""

    PERCENT = "percent"
    FIXED = "fixed"


class Reason(StrEnum):
    """Why a code does not apply; clients read these."""

    UNKNOWN = "promo_unknown"
    INACTIVE = "promo_inactive"
    NOT_STARTED = "promo_not_started"
    EXPIRED = "promo_expired"
    WRONG_MARKET = "promo_wrong_market"
    WRONG_CURRENCY = "promo_wrong_currency"
    BELOW_MINIMUM = "promo_below_minimum"
    USED_BY_YOU = "promo_used_by_you"
    USED_UP = "promo_used_up"


@dataclass(frozen=True, slots=True)
class Promo:
    """A code and its terms. None means: without that limit. It is good until before `expires_at`.

    `uses` counts the orders that hold a use of it now.
    """

    code: str
    discount_type: DiscountType
    discount_value: int
    currency: str
    market: str | None = None
    min_order_cents: int = 0
    max_discount_cents: int | None = None
    max_uses: int | None = None
    max_uses_per_customer: int | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    is_active: bool = True
    uses: int = 0


@dataclass(frozen=True, slots=True)
class Basket:
    """What a code is tried on: what the food costs, in cents, where it is bought, and when."""

    subtotal_cents: int
    currency: str
    market: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a code does for a basket: cents off, or none and why; `words` say it to people."""

    code: str
    discount_cents: int
    words: str
    reason: Reason | None = None


# Nothing has been cooked for an order that is cancelled from here: the use was for nothing.
GIVEN_BACK_FROM = frozenset(
    {OrderStatus.PENDING, OrderStatus.PAYMENT_CONFIRMED, OrderStatus.ACCEPTED}
)

_WORDS: Mapping[Reason, str] = {
    Reason.UNKNOWN: "there is no such promo code",
    Reason.INACTIVE: "this promo code is not in use any more",
    Reason.NOT_STARTED: "this promo code is not good yet",
    Reason.EXPIRED: "this promo code has expired",
    Reason.WRONG_MARKET: "this promo code is for another place",
    Reason.WRONG_CURRENCY: "this promo code is for another currency",
    Reason.USED_BY_YOU: "you have used this promo code as often as you may",
    Reason.USED_UP: "this promo code is used up",
}


def normalised(code: str) -> str:
    """A code as it is kept: people write it in any case, with blanks around it."""
    return code.strip().upper()


def judge(code: str, promo: Promo | None, basket: Basket, *, used_by_customer: int) -> Verdict:
    """What `code` does for a basket of a customer whose orders hold `used_by_customer` uses of it.

    `promo` is what is known by that code: None when nothing is.
    """
    if promo is None:
        return Verdict(code, 0, _WORDS[Reason.UNKNOWN], Reason.UNKNOWN)
    reason = _why_not(promo, basket, used_by_customer)
    if reason is Reason.BELOW_MINIMUM:
        words = f"this promo code is for dishes worth {promo.min_order_cents} cents at least"
        if basket.subtotal_cents >= promo.min_order_cents:
            words = "this promo code takes less than half a cent off these dishes"
        return Verdict(code, 0, words, reason)
    if reason is not None:
        return Verdict(code, 0, _WORDS[reason], reason)
    return Verdict(code, worth(promo, basket.subtotal_cents), _terms(promo))


def worth(promo: Promo, subtotal_cents: int) -> int:
    """What a code takes off food for `subtotal_cents`, in cents: halves round up."""
    if promo.discount_type is DiscountType.PERCENT:
        off = share(subtotal_cents, promo.discount_value)
    else:
        off = promo.discount_value
    if promo.max_discount_cents is not None:
        off = min(off, promo.max_discount_cents)
    return min(off, subtotal_cents)


def _why_not(promo: Promo, basket: Basket, used_by_customer: int) -> Reason | None:
    """The first thing that stands against a code, if anything does."""
    starts, expires = promo.starts_at, promo.expires_at
    most_each, most = promo.max_uses_per_customer, promo.max_uses
    # A use is not spent on nothing: 1 % of a few cents.
    too_little = not worth(promo, basket.subtotal_cents)
    against = {
        Reason.INACTIVE: not promo.is_active,
        Reason.NOT_STARTED: starts is not None and basket.at < starts,
        Reason.EXPIRED: expires is not None and basket.at >= expires,
        Reason.WRONG_MARKET: promo.market not in {None, basket.market},
        Reason.WRONG_CURRENCY: promo.currency != basket.currency,
        Reason.BELOW_MINIMUM: basket.subtotal_cents < promo.min_order_cents or too_little,
        Reason.USED_BY_YOU: most_each is not None and used_by_customer >= most_each,
        Reason.USED_UP: most is not None and promo.uses >= most,
    }
    return next((reason for reason, stands in against.items() if stands), None)


def _terms(promo: Promo) -> str:
    if promo.discount_type is DiscountType.FIXED:
        return f"{promo.discount_value} cents off the food, at most what it costs"
    words = f"{promo.discount_value / 100:g} % off the food"
    if promo.max_discount_cents is not None:
        words += f", {promo.max_discount_cents} cents at most"
    return words
