"""Chefs and what they cook (seed 000, Chefs & Menus; seed 004, ChefProfile)."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Index, String, text
from sqlmodel import Field, SQLModel

from domain.kitchens import ChefDocumentType
from domain.verification import DocumentStatus, Verification
from schema.tables.columns import created, document, key, moment, one_of, reference, texts


class Chef(SQLModel, table=True):
    """A chef and the kitchen: where it is, when it is open, how far it delivers (km).

    `timezone` is that of the operating hours, the market's where it is null; `hours_exceptions` are
    hours of single days: `{"2026-12-25": null, "2026-12-31": {"open": "10:00", "close": "14:00"}}`.
    `capacity` is how many orders the kitchen has in hand at once, null without a limit.
    `is_online` is the chef at his phone, `accepting_orders` the kitchen's door: customers can order
    when both are so. Pictures are keys of the storage. `rating` is `rating_sum / rating_count` once
    somebody has rated; both count what is shown of the reviews.
    """

    __tablename__ = "chefs"
    __table_args__ = (
        Index(
            "idx_chefs_location", text("ll_to_earth(latitude, longitude)"), postgresql_using="gist"
        ),
        CheckConstraint("service_radius_km > 0", name="chefs_radius_positive"),
        CheckConstraint("capacity > 0", name="chefs_capacity_positive"),
        CheckConstraint("prep_minutes > 0", name="chefs_prep_minutes_positive"),
        CheckConstraint(
            "rating_count >= 0 AND rating_sum BETWEEN rating_count AND 5 * rating_count",
            name="chefs_ratings_one_to_five",
        ),
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
    timezone: str | None = None
    operating_hours: dict[str, Any] = document(default_factory=dict)
    hours_exceptions: dict[str, Any] = document(default_factory=dict)
    capacity: int | None = None
    prep_minutes: int = 20
    specialties: list[str] = Field(default_factory=list, sa_type=ARRAY(String))
    profile_image_key: str | None = None
    banner_image_key: str | None = None
    kitchen_image_keys: list[str] = texts(default_factory=list)
    verification_status: Verification = one_of(
        Verification, "chefs_verification_status", default=Verification.PENDING
    )
    verification_reason: str | None = None
    verified_at: datetime | None = moment(default=None)
    is_online: bool = True
    accepting_orders: bool = False
    minimum_order_cents: int = 0
    rating: float = 0.0
    rating_sum: int = 0
    rating_count: int = 0
    total_orders: int = 0
    stripe_account_id: str | None = reference("connected_accounts.id", default=None, unique=True)
    stripe_onboarding_complete: bool = False
    created_at: datetime = created()


class ChefDocument(SQLModel, table=True):
    """A document of an applicant, the file itself in the storage, and what was decided about it.

    Of each type at most one waits to be looked at.
    """

    __tablename__ = "chef_documents"
    __table_args__ = (
        Index(
            "one_pending_chef_document_per_type",
            "chef_id",
            "document_type",
            unique=True,
            postgresql_where=text("status = 'pending'"),
        ),
        Index("idx_chef_documents_chef", "chef_id", "created_at"),
    )

    id: UUID = key()
    chef_id: UUID = reference("chefs.id")
    document_type: ChefDocumentType = one_of(ChefDocumentType, "chef_documents_document_type")
    storage_key: str
    content_type: str
    bytes: int
    digest: str
    expires_on: date | None = None
    status: DocumentStatus = one_of(
        DocumentStatus, "chef_documents_status", default=DocumentStatus.PENDING
    )
    reason: str | None = None
    decided_by: UUID | None = reference("users.id", default=None)
    decided_at: datetime | None = moment(default=None)
    created_at: datetime = created()


class Menu(SQLModel, table=True):
    """A chef's list of dishes. One that he has taken away is kept for its dishes, which have been
    ordered, and is never active again.
    """

    __tablename__ = "menus"
    __table_args__ = (
        CheckConstraint("deleted_at IS NULL OR NOT is_active", name="menus_deleted_not_active"),
    )

    id: UUID = key()
    chef_id: UUID = reference("chefs.id", index=True)
    name: str
    description: str = ""
    is_active: bool = True
    position: int = 0
    deleted_at: datetime | None = moment(default=None)


class MenuItem(SQLModel, table=True):
    """A dish: its price in cents and how many minutes it takes.

    `stock` is how many portions are left, null where nobody counts. One that has been ordered is
    never deleted: `deleted_at` takes it off the menu.
    """

    __tablename__ = "menu_items"
    __table_args__ = (
        CheckConstraint("price_cents >= 0", name="menu_items_price_not_negative"),
        CheckConstraint("stock >= 0", name="menu_items_stock_not_negative"),
    )

    id: UUID = key()
    menu_id: UUID = reference("menus.id", index=True)
    name: str
    description: str = ""
    category: str = "main"
    price_cents: int
    prep_time_minutes: int = 20
    dietary_tags: list[str] = Field(default_factory=list, sa_type=ARRAY(String))
    image_key: str | None = None
    is_available: bool = True
    stock: int | None = None
    position: int = 0
    created_at: datetime = created()
    deleted_at: datetime | None = moment(default=None)


class OptionGroup(SQLModel, table=True):
    """A choice that a dish leaves to the customer: he takes between `min_choices` and `max_choices`
    of its options. One that must be made has a minimum above nothing.
    """

    __tablename__ = "menu_item_option_groups"
    __table_args__ = (
        CheckConstraint(
            "min_choices >= 0 AND max_choices >= greatest(min_choices, 1)",
            name="menu_item_option_groups_choices_in_range",
        ),
    )

    id: UUID = key()
    menu_item_id: UUID = reference("menu_items.id", index=True)
    name: str
    min_choices: int = 0
    max_choices: int = 1
    position: int = 0


class MenuItemOption(SQLModel, table=True):
    """One thing to choose, and what it costs on top of the dish, in cents."""

    __tablename__ = "menu_item_options"
    __table_args__ = (
        CheckConstraint("price_cents >= 0", name="menu_item_options_price_not_negative"),
    )

    id: UUID = key()
    group_id: UUID = reference("menu_item_option_groups.id", index=True)
    name: str
    price_cents: int = 0
    is_available: bool = True
    position: int = 0
