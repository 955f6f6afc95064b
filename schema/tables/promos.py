"""Promo codes, and which orders use them (seed 004, PROMO_CODES). Amounts in cents."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from domain.promo import DiscountType
from schema.tables.columns import created, key, moment, one_of, reference


class PromoCode(SQLModel, table=True):
    """A code and its terms (`domain.promo.Promo`). What it is worth is never changed.

    `uses` counts its redemptions that were not given back.
    """

    __tablename__ = "promo_codes"
    __table_args__ = (
        CheckConstraint("code = upper(btrim(code)) AND code <> ''", name="promo_codes_normalised"),
        CheckConstraint(
            "discount_value > 0 AND (discount_type = 'fixed' OR discount_value <= 10000)",
            name="promo_codes_discount_in_range",
        ),
        CheckConstraint(
            "min_order_cents >= 0 AND max_discount_cents > 0",
            name="promo_codes_cents_in_range",
        ),
        CheckConstraint(
            "max_uses > 0 AND max_uses_per_customer > 0", name="promo_codes_limits_positive"
        ),
        CheckConstraint("uses >= 0 AND uses <= max_uses", name="promo_codes_uses_within_limit"),
        CheckConstraint("expires_at > starts_at", name="promo_codes_start_before_end"),
    )

    id: UUID = key()
    code: str = Field(unique=True)
    discount_type: DiscountType = one_of(DiscountType, "promo_codes_discount_type")
    discount_value: int
    currency: str
    market: str | None = None
    min_order_cents: int = 0
    max_discount_cents: int | None = None
    max_uses: int | None = None
    max_uses_per_customer: int | None = None
    starts_at: datetime | None = moment(default=None)
    expires_at: datetime | None = moment(default=None)
    is_active: bool = True
    uses: int = 0
    created_at: datetime = created()


class PromoRedemption(SQLModel, table=True):
    """A use of a code by an order; `returned_at` is set when it was given back."""

    __tablename__ = "promo_redemptions"
    __table_args__ = (
        Index("idx_promo_redemptions_customer", "promo_code_id", "customer_id"),
        CheckConstraint("discount_cents > 0", name="promo_redemptions_discount_positive"),
    )

    id: UUID = key()
    promo_code_id: UUID = reference("promo_codes.id")
    order_id: UUID = reference("orders.id", unique=True)
    customer_id: UUID = reference("users.id")
    discount_cents: int
    redeemed_at: datetime = moment()
    returned_at: datetime | None = moment(default=None)
