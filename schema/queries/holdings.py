"""What each table holds about people: how that is given to them, and how it is forgotten.

Every table of ours is in the register, those that hold nothing of anybody with a word why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import col

from domain.reviews import Reviewee, ReviewStatus
from schema.queries import erasing
from schema.queries.erasing import Statement, rows_of
from schema.queries.subjects import Subject
from schema.tables import (
    AccountDeletion,
    Address,
    AdminAction,
    Cart,
    CartItem,
    Challenge,
    Chef,
    ChefDocument,
    ConnectedAccount,
    DeadChannel,
    DeliveryPhoto,
    Device,
    Dispute,
    Driver,
    DriverAssignment,
    DriverDocument,
    DriverLocation,
    DriverShift,
    Favourite,
    IdempotencyKey,
    Menu,
    MenuItem,
    MenuItemOption,
    Notification,
    NotificationDelivery,
    NotificationPreferences,
    OptionGroup,
    Order,
    OrderItem,
    OrderMessage,
    OrderStatusHistory,
    Payment,
    Payout,
    PayoutHold,
    PromoRedemption,
    RefreshToken,
    Refund,
    RefundRequest,
    Review,
    ReviewReport,
    SocialIdentity,
    TipCharge,
    User,
    UserProfile,
    WebhookEndpoint,
)

Whose = Callable[[Subject], ColumnElement[bool]]
Eraser = Callable[[Subject], list[Statement]]


@dataclass(frozen=True)
class Holding:
    """What a table holds about somebody: `whose` rows he is given, all but their `hidden` columns
    (secrets, and what is other people's), and what `erase` does to it: `kept` columns, which tell
    nobody who he was, stay as they are. Where nothing is given or erased, `why` says the reason.
    """

    whose: Whose | None = None
    hidden: frozenset[str] = frozenset()
    erase: Eraser | None = None
    kept: frozenset[str] = frozenset()
    why: str = ""


def _of_user(column: Any) -> Whose:
    return lambda subject: col(column) == subject.user_id


def _within(column: Any, of: Callable[[Subject], Any]) -> Whose:
    return lambda subject: col(column).in_(of(subject))


def _of_payee(column: Any) -> Whose:
    return lambda subject: subject.is_payee(col(column))


def _placed(subject: Subject) -> Any:
    return subject.placed


def _drivers(subject: Subject) -> Any:
    return subject.drivers


def _chefs(subject: Subject) -> Any:
    return subject.chefs


def _menus(subject: Subject) -> Any:
    return select(col(Menu.id)).where(col(Menu.chef_id).in_(subject.chefs))


def _dishes(subject: Subject) -> Any:
    return select(col(MenuItem.id)).where(col(MenuItem.menu_id).in_(_menus(subject)))


def _choices(subject: Subject) -> Any:
    return select(col(OptionGroup.id)).where(col(OptionGroup.menu_item_id).in_(_dishes(subject)))


def _steps(subject: Subject) -> ColumnElement[bool]:
    return col(OrderStatusHistory.order_id).in_(subject.placed) | (
        col(OrderStatusHistory.created_by) == subject.user_id
    )


def _requests(subject: Subject) -> ColumnElement[bool]:
    return col(RefundRequest.id).in_(subject.requests)


def _told(subject: Subject) -> Any:
    return select(col(Notification.id)).where(col(Notification.user_id) == subject.user_id)


def _messages(subject: Subject) -> ColumnElement[bool]:
    """What he has said, and what was said to him."""
    return (col(OrderMessage.sender_id) == subject.user_id) | (
        col(OrderMessage.recipient_id) == subject.user_id
    )


def _carts(subject: Subject) -> Any:
    return select(col(Cart.id)).where(col(Cart.customer_id) == subject.user_id)


def _reviews(subject: Subject) -> ColumnElement[bool]:
    """What he has said, and what everybody sees that was said of his kitchen."""
    of_his_kitchen = (
        (col(Review.reviewee_type) == Reviewee.CHEF)
        & col(Review.reviewee_id).in_(subject.chefs)
        & (col(Review.status) == ReviewStatus.VISIBLE)
    )
    return (col(Review.reviewer_id) == subject.user_id) | of_his_kitchen


def _deeds(subject: Subject) -> ColumnElement[bool]:
    target = col(AdminAction.target_id)
    return or_(
        target == subject.user_id,
        target.in_(subject.chefs),
        target.in_(subject.drivers),
        target.in_(subject.placed),
        target.in_(subject.requests),
        target.in_(subject.reviews),
    )


BOOKS = "the books: amounts and ids, kept as the law has it"
NOBODYS = "nothing about anybody"
DERIVED = "what chefs and their dishes say, kept by triggers"
# The database itself refuses any change of them.
UNALTERABLE = "what admins did stays as it was said: they name nobody in a reason"

# `users` comes last: the statements before it ask who he was at Stripe.
HOLDINGS: Mapping[str, Holding] = {
    "user_profiles": Holding(_of_user(UserProfile.user_id), erase=erasing.profile),
    "refresh_tokens": Holding(
        _of_user(RefreshToken.user_id),
        frozenset({"digest"}),
        rows_of(RefreshToken, "user_id", "user_id"),
    ),
    "challenges": Holding(
        _of_user(Challenge.user_id), erase=rows_of(Challenge, "user_id", "user_id")
    ),
    "social_identities": Holding(
        _of_user(SocialIdentity.user_id), erase=rows_of(SocialIdentity, "user_id", "user_id")
    ),
    "addresses": Holding(_of_user(Address.user_id), erase=rows_of(Address, "user_id", "user_id")),
    "favourites": Holding(_of_user(Favourite.user_id), erase=erasing.favourites),
    "notification_preferences": Holding(
        _of_user(NotificationPreferences.user_id),
        erase=rows_of(NotificationPreferences, "user_id", "user_id"),
    ),
    "notification_deliveries": Holding(
        _within(NotificationDelivery.notification_id, _told),
        frozenset({"provider_id"}),
        erasing.notification_deliveries,
    ),
    "notifications": Holding(
        _of_user(Notification.user_id),
        frozenset({"business_key"}),
        erasing.notifications,
    ),
    "devices": Holding(
        _of_user(Device.user_id),
        frozenset({"token", "p256dh", "auth"}),
        rows_of(Device, "user_id", "user_id"),
    ),
    "dead_channels": Holding(
        _of_user(DeadChannel.user_id), erase=rows_of(DeadChannel, "user_id", "user_id")
    ),
    "account_deletions": Holding(
        _of_user(AccountDeletion.user_id), why="that an account has ended, and when"
    ),
    "cart_items": Holding(
        _within(CartItem.cart_id, _carts), frozenset({"choice"}), erasing.cart_items
    ),
    "carts": Holding(_of_user(Cart.customer_id), erase=rows_of(Cart, "customer_id", "user_id")),
    "orders": Holding(
        _of_user(Order.customer_id),
        # Where the chef lives, and what he and the driver earn, is theirs.
        frozenset(
            {
                "pickup_latitude",
                "pickup_longitude",
                "platform_fee_cents",
                "chef_earning_cents",
                "driver_earning_cents",
                "driver_bonus_cents",
            }
        ),
        erasing.orders,
        kept=frozenset(
            {
                "order_number",
                "market",
                "timezone",
                "currency",
                "delivery_city",
                "delivery_state",
                "delivery_country",
                "road_km",
                "drive_seconds",
                "promo_code",
            }
        ),
    ),
    "order_items": Holding(
        _within(OrderItem.order_id, _placed),
        erase=erasing.order_items,
        kept=frozenset({"name", "options"}),
    ),
    "order_status_history": Holding(_steps, frozenset({"created_by", "changes"}), erasing.history),
    "idempotency_keys": Holding(
        _of_user(IdempotencyKey.customer_id),
        frozenset({"request_digest"}),
        rows_of(IdempotencyKey, "customer_id", "user_id"),
    ),
    "order_messages": Holding(
        _messages,
        # Who the other is, is his; the roles say who speaks.
        frozenset({"sender_id", "recipient_id", "client_key"}),
        erasing.messages,
    ),
    "payments": Holding(_within(Payment.order_id, _placed), why=BOOKS),
    "refunds": Holding(
        _within(Refund.order_id, _placed),
        erase=erasing.refunds,
        kept=frozenset({"stripe_refund_id"}),
    ),
    "refund_requests": Holding(
        _requests,
        frozenset({"asked_by", "decided_by"}),
        erasing.refund_requests,
        kept=frozenset({"items", "stripe_refund_id"}),
    ),
    "tip_charges": Holding(_within(TipCharge.order_id, _placed), why=BOOKS),
    "disputes": Holding(
        _within(Dispute.order_id, _placed),
        # What was sent to the bank names the driver, too.
        frozenset({"evidence"}),
        erasing.disputes,
        kept=frozenset({"stripe_dispute_id", "currency", "reason", "status"}),
    ),
    "promo_redemptions": Holding(_of_user(PromoRedemption.customer_id), why=BOOKS),
    "delivery_photos": Holding(
        _within(DeliveryPhoto.order_id, _placed), frozenset({"storage_key"}), erasing.photos
    ),
    "wrong_codes": Holding(
        erase=erasing.wrong_codes, why="what a driver guessed is no business of a customer's"
    ),
    "reviews": Holding(_reviews, frozenset({"reviewer_id", "status_reason"}), erasing.reviews),
    "review_reports": Holding(_of_user(ReviewReport.reporter_id), erase=erasing.review_reports),
    "chefs": Holding(
        _of_user(Chef.user_id),
        erase=erasing.chef,
        kept=frozenset(
            {
                "market",
                "cuisine_types",
                "service_radius_km",
                "timezone",
                "rating",
                "stripe_account_id",
            }
        ),
    ),
    "chef_documents": Holding(
        _within(ChefDocument.chef_id, _chefs),
        frozenset({"storage_key", "decided_by"}),
        rows_of(ChefDocument, "chef_id", "chefs"),
    ),
    "menus": Holding(_within(Menu.chef_id, _chefs), erase=erasing.menus),
    "menu_items": Holding(
        _within(MenuItem.menu_id, _menus),
        erase=erasing.dishes,
        kept=frozenset({"name", "category", "dietary_tags"}),
    ),
    "menu_item_option_groups": Holding(
        _within(OptionGroup.menu_item_id, _dishes), why="what dishes are called, orders say, too"
    ),
    "menu_item_options": Holding(
        _within(MenuItemOption.group_id, _choices), why="what dishes are called, orders say, too"
    ),
    "drivers": Holding(
        _of_user(Driver.user_id),
        erase=erasing.driver,
        kept=frozenset({"rating", "stripe_account_id"}),
    ),
    "driver_documents": Holding(
        _within(DriverDocument.driver_id, _drivers),
        frozenset({"decided_by"}),
        rows_of(DriverDocument, "driver_id", "drivers"),
    ),
    "driver_locations": Holding(
        _within(DriverLocation.driver_id, _drivers),
        erase=rows_of(DriverLocation, "driver_id", "drivers"),
    ),
    "driver_shifts": Holding(
        _within(DriverShift.driver_id, _drivers), erase=rows_of(DriverShift, "driver_id", "drivers")
    ),
    "driver_assignments": Holding(
        _within(DriverAssignment.driver_id, _drivers),
        erase=erasing.assignments,
        kept=frozenset({"distance_km", "why"}),
    ),
    "dispatch_searches": Holding(
        erase=erasing.searches,
        kept=frozenset({"zones"}),
        why="how an order looked for a driver, not who had ordered",
    ),
    "connected_accounts": Holding(_of_payee(ConnectedAccount.payee_id), why=BOOKS),
    "payouts": Holding(_of_user(Payout.user_id), why=BOOKS),
    "payout_items": Holding(why=BOOKS),
    "payout_holds": Holding(_of_payee(PayoutHold.payee_id), frozenset({"held_by"}), erasing.holds),
    "admin_actions": Holding(_deeds, frozenset({"admin_id", "business_key"}), why=UNALTERABLE),
    "market_settings": Holding(why=UNALTERABLE),
    "chef_search": Holding(why=DERIVED),
    "search_words": Holding(why="words that chefs are found by; nobody's go when a chef does"),
    "stripe_events": Holding(
        erase=erasing.stripe_events,
        kept=frozenset({"id", "type", "outcome"}),
        why="word of what payments, accounts and payouts hold",
    ),
    "webhook_endpoints": Holding(
        _within(WebhookEndpoint.chef_id, _chefs),
        frozenset({"created_by", "signing_version", "oldest_signing_version"}),
        rows_of(WebhookEndpoint, "chef_id", "chefs"),
    ),
    "webhook_deliveries": Holding(
        why="what orders and payouts say without anybody's words; they go with their endpoint"
    ),
    "webhook_attempts": Holding(why="what partners answered; they go with their endpoint"),
    "live_outbox": Holding(why="gone as soon as it is told"),
    "ledger_accounts": Holding(why=BOOKS),
    "ledger_movements": Holding(why=BOOKS),
    "ledger_postings": Holding(why=BOOKS),
    "order_numbers": Holding(why=NOBODYS),
    "promo_codes": Holding(why=NOBODYS),
    "stripe_transactions": Holding(why=BOOKS),
    "reconciliation_runs": Holding(why=NOBODYS),
    "reconciliation_cases": Holding(why=BOOKS),
    "users": Holding(
        lambda subject: col(User.id) == subject.user_id,
        frozenset({"password_hash"}),
        erasing.user,
    ),
}
