"""Orders and their steps (seed 000, Orders; seed 004, Order), written by the workflow alone."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from domain.order_status import Actor, OrderStatus
from domain.proof import ProofKind
from schema.tables.columns import created, document, key, moment, one_of, reference

_CENTS = (
    "subtotal_cents, tax_cents, delivery_fee_cents, service_fee_cents, discount_cents, tip_cents,"
    " total_cents, platform_fee_cents, chef_earning_cents, driver_earning_cents"
)
_SUM = (
    "subtotal_cents + tax_cents + delivery_fee_cents + service_fee_cents + tip_cents"
    " - discount_cents"
)


class Order(SQLModel, table=True):
    """An order as it stands. Amounts in cents, distance in km; `sequence` numbers its latest step.
    `drive_seconds` is the drive to the door by the city's clock.

    `kept_cents` is set when the order is cancelled: what of a captured payment is not given back.
    `promised_tip_cents` is a higher tip that is charged when the order is delivered.
    `delivery_code` is for the customer's eyes alone, until he tells it to the driver at the door.
    `driver_bonus_cents` is what the platform gives the driver beside his earning by the bill.
    """

    __tablename__ = "orders"
    __table_args__ = (
        Index("idx_orders_customer_status", "customer_id", "status"),
        Index("idx_orders_chef_status", "chef_id", "status"),
        Index("idx_orders_driver_status", "driver_id", "status"),
        Index("idx_orders_created_at", "created_at"),
        # A kitchen's latest orders, from which its prep times are learned.
        Index(
            "idx_orders_chef_cooked",
            "chef_id",
            "prepared_at",
            postgresql_where=text("prepared_at IS NOT NULL AND scheduled_for IS NULL"),
        ),
        CheckConstraint(f"least({_CENTS}) >= 0", name="orders_cents_not_negative"),
        CheckConstraint(f"total_cents = {_SUM}", name="orders_total_is_the_sum"),
        CheckConstraint("kept_cents BETWEEN 0 AND total_cents", name="orders_kept_within_total"),
        CheckConstraint(
            "(proof_kind = 'code') = (delivery_code IS NOT NULL)",
            name="orders_code_where_one_is_asked_for",
        ),
        CheckConstraint("driver_bonus_cents >= 0", name="orders_driver_bonus_not_negative"),
    )

    id: UUID = key()
    order_number: str = Field(unique=True)
    customer_id: UUID = reference("users.id")
    chef_id: UUID = reference("chefs.id")
    driver_id: UUID | None = reference("drivers.id", default=None)
    market: str
    timezone: str | None = None
    status: OrderStatus = one_of(OrderStatus, "orders_status")
    sequence: int

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
    driver_bonus_cents: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    kept_cents: int | None = None
    promised_tip_cents: int | None = None

    pickup_latitude: float
    pickup_longitude: float
    delivery_line1: str
    delivery_line2: str | None = None
    delivery_city: str
    delivery_state: str
    delivery_postal_code: str
    delivery_country: str
    delivery_latitude: float
    delivery_longitude: float
    road_km: float
    drive_seconds: float | None = None
    prep_minutes: int
    instructions: str | None = None
    scheduled_for: datetime | None = moment(default=None)
    promo_code: str | None = None
    proof_kind: ProofKind = one_of(ProofKind, "orders_proof_kind")
    delivery_code: str | None = None

    estimated_ready_at: datetime = moment()
    estimated_pickup_at: datetime | None = moment(default=None)
    estimated_delivery_at: datetime = moment()
    created_at: datetime = moment()
    paid_at: datetime | None = moment(default=None)
    accepted_at: datetime | None = moment(default=None)
    prepared_at: datetime | None = moment(default=None)
    assigned_at: datetime | None = moment(default=None)
    picked_up_at: datetime | None = moment(default=None)
    near_door_at: datetime | None = moment(default=None)
    delivered_at: datetime | None = moment(default=None)
    cancelled_at: datetime | None = moment(default=None)
    cancelled_by: Actor | None = one_of(Actor, "orders_cancelled_by", default=None)
    cancel_reason: str | None = None
    proof: dict[str, Any] | None = document(default=None)


class OrderItem(SQLModel, table=True):
    """A dish of an order, named and priced as it was when ordered: `price_cents` is that of one
    portion with its `options`, which are kept as `schema.messages.order.ChosenOption`.
    `took_stock` while it holds portions of a dish that is counted.
    """

    __tablename__ = "order_items"
    __table_args__ = (CheckConstraint("quantity > 0", name="order_items_quantity_positive"),)

    id: UUID = key()
    order_id: UUID = reference("orders.id", index=True)
    menu_item_id: UUID = reference("menu_items.id")
    name: str
    price_cents: int
    quantity: int
    options: list[dict[str, Any]] = document(default_factory=list)
    special_instructions: str | None = None
    took_stock: bool = False


class OrderStatusHistory(SQLModel, table=True):
    """A step of an order, never changed again: the first to claim a sequence number has it."""

    __tablename__ = "order_status_history"
    __table_args__ = (UniqueConstraint("order_id", "sequence"),)

    id: UUID = key()
    order_id: UUID = reference("orders.id")
    sequence: int
    was: OrderStatus | None = one_of(OrderStatus, "order_status_history_was", default=None)
    status: OrderStatus = one_of(OrderStatus, "order_status_history_status")
    actor: Actor = one_of(Actor, "order_status_history_actor")
    created_by: UUID | None = reference("users.id", default=None)
    notes: str | None = None
    changes: dict[str, Any] = document(default_factory=dict)
    created_at: datetime = moment()


class OrderNumber(SQLModel, table=True):
    """How many orders a day (UTC) has had: the counter behind RND-20260131-0001."""

    __tablename__ = "order_numbers"

    day: str = Field(primary_key=True)
    last: int


class IdempotencyKey(SQLModel, table=True):
    """Which order a customer's Idempotency-Key stands for, and a digest of what was asked. An order
    that was made of a cart has the cart's own key, and perhaps one that the app gave it. A key that
    begins with what it is for stands for another thing that somebody has made once: `order_id` is
    that thing's id.
    """

    __tablename__ = "idempotency_keys"

    customer_id: UUID = reference("users.id", primary_key=True)
    key: str = Field(primary_key=True)
    request_digest: str
    order_id: UUID = Field(index=True)
    created_at: datetime = created()
