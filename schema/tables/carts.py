"""What customers are about to order (seed 004, Cart). Amounts in cents."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from schema.tables.columns import created, document, key, moment, reference


class Cart(SQLModel, table=True):
    """A customer's cart: dishes of one chef, none while it is empty. Each change has the next
    `version`; the order that empties it is a change like any other.
    """

    __tablename__ = "carts"

    id: UUID = key()
    customer_id: UUID = reference("users.id", unique=True)
    chef_id: UUID | None = reference("chefs.id", default=None)
    version: int = 1
    updated_at: datetime = created()


class CartItem(SQLModel, table=True):
    """A dish in a cart, as it was named and priced when it was put in: `price_cents` is that of one
    portion with its `options` (`schema.messages.order.ChosenOption`).

    `choice` is a digest of dish, options and instructions: what is alike is one line. The dish may
    be gone from the menu, and even from the table.
    """

    __tablename__ = "cart_items"
    __table_args__ = (
        UniqueConstraint("cart_id", "choice"),
        CheckConstraint("quantity > 0", name="cart_items_quantity_positive"),
        CheckConstraint("price_cents >= 0", name="cart_items_price_not_negative"),
    )

    id: UUID = key()
    cart_id: UUID = Field(foreign_key="carts.id", ondelete="CASCADE")
    menu_item_id: UUID = Field(index=True)
    choice: str
    name: str
    price_cents: int
    quantity: int
    options: list[dict[str, Any]] = document(default_factory=list)
    special_instructions: str | None = None
    created_at: datetime = moment()
