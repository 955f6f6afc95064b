"""A priced basket, explained to the customer who has not ordered it yet."""

from dataclasses import asdict

from api import examples
from api.checkout import Basket
from api.examples import shown
from api.views import Moment
from domain.promo import Reason
from domain.quote import LineCode, explain
from schema.messages.base import Message
from schema.messages.order import OrderLine


class LineOut(Message):
    """A line of a quote; a discount is negative."""

    code: LineCode
    label: str
    amount_cents: int
    explanation: str


class PromoOut(Message):
    """What became of the promo code: `reason` says why it does not apply."""

    applied: bool
    code: str
    reason: Reason | None
    explanation: str


class QuoteOut(Message):
    """What an order would cost; its lines sum to `totalCents`. `promo` is null without a code."""

    model_config = shown(examples.QUOTE)

    lines: list[LineOut]
    promo: PromoOut | None
    subtotal_cents: int
    tax_cents: int
    delivery_fee_cents: int
    service_fee_cents: int
    discount_cents: int
    tip_cents: int
    total_cents: int
    currency: str
    estimated_delivery_at: Moment


def quoted(basket: Basket) -> QuoteOut:
    """A basket, for its customer."""
    dishes = [(_label(line), line.price_cents, line.quantity) for line in basket.lines]
    lines = explain(dishes, basket.rates, basket.distance_km, basket.bill, basket.promo)
    bill = asdict(basket.bill)
    return QuoteOut(
        lines=[LineOut(**asdict(line)) for line in lines],
        promo=_promo(basket),
        estimated_delivery_at=basket.delivery_at,
        **{name: bill[name] for name in QuoteOut.model_fields if name in bill},
    )


def _label(line: OrderLine) -> str:
    if not line.options:
        return line.name
    return f"{line.name} ({', '.join(option.name for option in line.options)})"


def _promo(basket: Basket) -> PromoOut | None:
    verdict = basket.promo
    if verdict is None:
        return None
    return PromoOut(
        applied=verdict.reason is None,
        code=verdict.code,
        reason=verdict.reason,
        explanation=verdict.words,
    )
