"""Chefs and what they cook (seed 000, Chefs & Menus; seed 004, ChefProfile)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Index, String, text
from sqlmodel import Field, SQLModel

from domain.verification import Verification
from schema.tables.columns import created, document, key, one_of, reference


class Chef(SQLModel, table=True):
    """A chef and the kitchen: where it is, when it is open, how far it delivers (km)."""

    __tablename__ = "chefs"
    __table_args__ = (
        Index(
            "idx_chefs_location", text("ll_to_earth(latitude, longitude)"), postgresql_using="gist"
        ),
        CheckConstraint("service_radius_km > 0", name="chefs_radius_positive"),
    )

    id: UUID = key()
    user_id: UUID = reference("users.id", unique=True)
    market: str = "austin"
    business_name: str
    description: str = ""
    cuisine_types: list[str] = Field(default_factory=list, sa_type=ARRAY(String))
    address: str
    latitude: float
    longitude: float
    service_radius_km: float = 10.0
    operating_hours: dict[str, Any] = document(default_factory=dict)
    verification_status: Verification = one_of(
        Verification, "chefs_verification_status", default=Verification.PENDING
    )
    accepting_orders: bool = False
    minimum_order_cents: int = 0
    rating: float = 0.0
    stripe_account_id: str | None = reference("connected_accounts.id", default=None, unique=True)
    stripe_onboarding_complete: bool = False
    created_at: datetime = created()


class Menu(SQLModel, table=True):
    """A chef's list of dishes."""

    __tablename__ = "menus"

    id: UUID = key()
    chef_id: UUID = reference("chefs.id", index=True)
    name: str
    description: str = ""
    is_active: bool = True


class MenuItem(SQLModel, table=True):
    """A dish: its price in cents and how many minutes it takes."""

    __tablename__ = "menu_items"
    __table_args__ = (CheckConstraint("price_cents >= 0", name="menu_items_price_not_negative"),)

    id: UUID = key()
    menu_id: UUID = reference("menus.id", index=True)
    name: str
    description: str = ""
    category: str = "main"
    price_cents: int
    prep_time_minutes: int = 20
    dietary_tags: list[str] = Field(default_factory=list, sa_type=ARRAY(String))
    is_available: bool = True
