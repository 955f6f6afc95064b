"""The tables, by context. Importing this package makes all of them known to SQLModel.metadata."""

from domain.permissions import Role
from domain.verification import Verification
from schema.tables.admin import AdminAction, Notification
from schema.tables.carts import Cart, CartItem
from schema.tables.chat import OrderMessage
from schema.tables.deliveries import NotificationDelivery
from schema.tables.disputes import Dispute
from schema.tables.drivers import (
    DispatchSearch,
    Driver,
    DriverAssignment,
    DriverDocument,
    DriverLocation,
    DriverShift,
)
from schema.tables.identity import Challenge, RefreshToken
from schema.tables.kitchens import (
    Chef,
    ChefDocument,
    Menu,
    MenuItem,
    MenuItemOption,
    OptionGroup,
)
from schema.tables.ledger import LedgerAccount, LedgerMovement, LedgerPosting
from schema.tables.live import LiveOutbox
from schema.tables.markets import MarketSetting
from schema.tables.money import Payment, Refund, RefundRequest, StripeEvent, TipCharge
from schema.tables.orders import (
    IdempotencyKey,
    Order,
    OrderItem,
    OrderNumber,
    OrderStatusHistory,
)
from schema.tables.payees import ConnectedAccount
from schema.tables.payouts import Payout, PayoutHold, PayoutItem
from schema.tables.people import User, UserProfile
from schema.tables.personal import (
    AccountDeletion,
    Address,
    Favourite,
    NotificationPreferences,
)
from schema.tables.promos import PromoCode, PromoRedemption
from schema.tables.proofs import DeliveryPhoto, WrongCode
from schema.tables.reach import DeadChannel, Device, DeviceKind
from schema.tables.reconciliation import (
    ReconciliationCase,
    ReconciliationRun,
    StripeTransaction,
)
from schema.tables.reviews import Review, ReviewReport
from schema.tables.search import ChefSearch, SearchWord
from schema.tables.social import SocialIdentity
from schema.tables.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint

__all__ = [
    "AccountDeletion",
    "Address",
    "AdminAction",
    "Cart",
    "CartItem",
    "Challenge",
    "Chef",
    "ChefDocument",
    "ChefSearch",
    "ConnectedAccount",
    "DeadChannel",
    "DeliveryPhoto",
    "Device",
    "DeviceKind",
    "DispatchSearch",
    "Dispute",
    "Driver",
    "DriverAssignment",
    "DriverDocument",
    "DriverLocation",
    "DriverShift",
    "Favourite",
    "IdempotencyKey",
    "LedgerAccount",
    "LedgerMovement",
    "LedgerPosting",
    "LiveOutbox",
    "MarketSetting",
    "Menu",
    "MenuItem",
    "MenuItemOption",
    "Notification",
    "NotificationDelivery",
    "NotificationPreferences",
    "OptionGroup",
    "Order",
    "OrderItem",
    "OrderMessage",
    "OrderNumber",
    "OrderStatusHistory",
    "Payment",
    "Payout",
    "PayoutHold",
    "PayoutItem",
    "PromoCode",
    "PromoRedemption",
    "ReconciliationCase",
    "ReconciliationRun",
    "RefreshToken",
    "Refund",
    "RefundRequest",
    "Review",
    "ReviewReport",
    "Role",
    "SearchWord",
    "SocialIdentity",
    "StripeEvent",
    "StripeTransaction",
    "TipCharge",
    "User",
    "UserProfile",
    "Verification",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WrongCode",
]
