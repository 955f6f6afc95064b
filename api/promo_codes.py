"""What operators send and get about promo codes."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StrictBool, StringConstraints

from api import examples, views
from api.bodies import Body, Code, Line, Moment, Words
from api.examples import shown
from domain.promo import DiscountType
from schema.messages.base import Message
from schema.tables import PromoCode

_FIRST_YEAR, _LAST_YEAR = 2000, 2199


def _of_our_time(moment: datetime) -> datetime:
    """A moment that calendars and databases agree on, in UTC."""
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"a moment is between {_FIRST_YEAR} and {_LAST_YEAR}")
    return moment.astimezone(UTC)


CalendarMoment = Annotated[Moment, AfterValidator(_of_our_time)]
NewCode = Annotated[Code, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{2,39}$")]
Cents = Annotated[int, Field(strict=True, ge=1, le=99_999_999)]
Uses = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]


class PromoCodeBody(Body):
    """A new promo code. `discountValue` is basis points (1/100 %) of the food for `percent`, cents
    for `fixed`; amounts are in `currency`. A limit that is left out does not limit.
    """

    model_config = shown(
        {
            "code": "WELCOME10",
            "discountType": "percent",
            "discountValue": 1000,
            "maxDiscountCents": 1500,
            "minOrderCents": 1000,
            "maxUses": 500,
            "maxUsesPerCustomer": 1,
            "expiresAt": "2026-12-31T23:59:59Z",
            "reason": "the autumn campaign",
        }
    )

    code: NewCode
    discount_type: DiscountType
    discount_value: Cents
    currency: Annotated[str, StringConstraints(pattern="^[a-z]{3}$")] = "usd"
    market: Line | None = None
    min_order_cents: int = Field(default=0, strict=True, ge=0, le=99_999_999)
    max_discount_cents: Cents | None = None
    max_uses: Uses | None = None
    max_uses_per_customer: Uses | None = None
    starts_at: CalendarMoment | None = None
    expires_at: CalendarMoment | None = None
    reason: Words


class PromoChangeBody(Body):
    """What is to be otherwise about a promo code, and why; null takes a limit away. What it is
    worth stays as it was promised: for that, make another code.
    """

    model_config = shown(
        {"isActive": False, "reason": "it was shared in a forum"},
        {"expiresAt": "2027-01-31T23:59:59Z", "reason": "one month longer"},
    )

    is_active: StrictBool = True
    max_uses: Uses | None = None
    expires_at: CalendarMoment | None = None
    reason: Words

    @property
    def changes(self) -> dict[str, object]:
        """What was said, by the columns' names."""
        return self.model_dump(include=self.model_fields_set - {"reason"})


class PromoCodeOut(Message):
    """A promo code, its terms, and how many orders hold a use of it."""

    model_config = shown(examples.PROMO_CODE)

    id: UUID
    code: str
    discount_type: DiscountType
    discount_value: int
    currency: str
    market: str | None
    min_order_cents: int
    max_discount_cents: int | None
    max_uses: int | None
    max_uses_per_customer: int | None
    starts_at: views.Moment | None
    expires_at: views.Moment | None
    is_active: bool
    uses: int
    created_at: views.Moment


def promo_code(row: PromoCode) -> PromoCodeOut:
    """A code's row, for operators."""
    return PromoCodeOut(**row.model_dump())
