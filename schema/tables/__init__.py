"""The tables, by context. Importing this package makes all of them known to SQLModel.metadata."""

from schema.tables.admin import AdminAction, Notification
from schema.tables.drivers import Driver, DriverAssignment
from schema.tables.kitchens import Chef, Menu, MenuItem, Verification
from schema.tables.ledger import LedgerAccount, LedgerMovement, LedgerPosting
from schema.tables.money import Payment, Refund, RefundRequest, StripeEvent, TipCharge
from schema.tables.orders import (
    IdempotencyKey,
    Order,
    OrderItem,
    OrderNumber,
    OrderStatusHistory,
)
from schema.tables.people import Role, User, UserProfile

__all__ = [
    "AdminAction",
    "Chef",
    "Driver",
    "DriverAssignment",
    "IdempotencyKey",
    "LedgerAccount",
    "LedgerMovement",
    "LedgerPosting",
    "Menu",
    "MenuItem",
    "Notification",
    "Order",
    "OrderItem",
    "OrderNumber",
    "OrderStatusHistory",
    "Payment",
    "Refund",
    "RefundRequest",
    "Role",
    "StripeEvent",
    "TipCharge",
    "User",
    "UserProfile",
    "Verification",
]
