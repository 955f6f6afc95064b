"""What is done to each table when somebody is forgotten.

What the books need stays, without him: an order keeps its dishes, its amounts and its city. What is
known of a place is rounded to a tenth of a degree, some eleven kilometres.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Float,
    Numeric,
    Select,
    String,
    Update,
    case,
    cast,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped
from sqlalchemy.sql.dml import Delete
from sqlmodel import SQLModel, col

from domain.order_status import Actor
from domain.refunds import RefundKind
from domain.reviews import Reviewee, ReviewStatus
from domain.verification import Verification
from schema.queries.subjects import Subject
from schema.tables import (
    Cart,
    CartItem,
    Chef,
    ConnectedAccount,
    DeliveryPhoto,
    DispatchSearch,
    Dispute,
    Driver,
    DriverAssignment,
    Favourite,
    Menu,
    MenuItem,
    Notification,
    NotificationDelivery,
    Order,
    OrderItem,
    OrderMessage,
    OrderStatusHistory,
    PayoutHold,
    Refund,
    RefundRequest,
    Review,
    ReviewReport,
    StripeEvent,
    User,
    UserProfile,
    WrongCode,
)
from schema.tables.columns import now

Statement = Update | Delete

ERASED = "erased"
FIRST_NAME, LAST_NAME = "Former", "member"
KITCHEN = "Former kitchen"


def mail_of(user_id: UUID) -> str:
    """The address of somebody who is forgotten: nobody's."""
    return f"erased-{user_id}@erased.invalid"


def rows_of(table: type[SQLModel], column: str, whom: str) -> Any:
    """The eraser of a table whose rows go altogether: those whose `column` is `whom` of a subject
    (a property of it, or `user_id`).
    """

    def gone(subject: Subject) -> list[Statement]:
        named = getattr(table, column)
        his = getattr(subject, whom)
        return [delete(table).where(named == his if whom == "user_id" else named.in_(his))]

    return gone


def user(subject: Subject) -> list[Statement]:
    """Nobody can log in as him, and his address is free for others."""
    return [
        update(User)
        .where(col(User.id) == subject.user_id)
        .values(
            email=mail_of(subject.user_id),
            password_hash=None,
            is_verified=False,
            is_active=False,
            stripe_customer_id=None,
            suspension_reason=None,
        )
    ]


def profile(subject: Subject) -> list[Statement]:
    """A name that is nobody's, since lists of orders and drivers show one."""
    return [
        update(UserProfile)
        .where(col(UserProfile.user_id) == subject.user_id)
        .values(
            first_name=FIRST_NAME,
            last_name=LAST_NAME,
            phone=None,
            verified_phone=None,
            avatar_url=None,
            locale=None,
        )
    ]


def orders(subject: Subject) -> list[Statement]:
    """Where his orders went, and what he said to them; as a chef, from where they were fetched."""
    return [
        update(Order)
        .where(col(Order.customer_id) == subject.user_id)
        .values(
            delivery_line1=ERASED,
            delivery_line2=None,
            delivery_postal_code=func.left(Order.delivery_postal_code, 3),
            delivery_latitude=_about(col(Order.delivery_latitude)),
            delivery_longitude=_about(col(Order.delivery_longitude)),
            # An order by code has one, says the table; nobody needs it any more.
            delivery_code=func.left(Order.delivery_code, 0),
            instructions=None,
            cancel_reason=None,
            proof=None,
        ),
        update(Order)
        .where(col(Order.chef_id).in_(subject.chefs))
        .values(
            pickup_latitude=_about(col(Order.pickup_latitude)),
            pickup_longitude=_about(col(Order.pickup_longitude)),
        ),
        update(Order)
        .where(col(Order.chef_id).in_(subject.chefs), col(Order.cancelled_by) == Actor.CHEF)
        .values(cancel_reason=None),
        update(Order)
        .where(col(Order.driver_id).in_(subject.drivers))
        .values(proof=col(Order.proof).op("-")("note")),
    ]


def order_items(subject: Subject) -> list[Statement]:
    """What he wanted to be minded."""
    return [
        update(OrderItem)
        .where(col(OrderItem.order_id).in_(subject.placed))
        .values(special_instructions=None)
    ]


def history(subject: Subject) -> list[Statement]:
    """What was said on the way of his orders, and by him on that of others."""
    return [
        update(OrderStatusHistory)
        .where(
            col(OrderStatusHistory.order_id).in_(subject.placed)
            | (col(OrderStatusHistory.created_by) == subject.user_id)
        )
        .values(notes=None, changes=col(OrderStatusHistory.changes).op("-")("proof"))
    ]


def messages(subject: Subject) -> list[Statement]:
    """What he said about orders, and what was said to him there: people call each other by name.

    That something was said, and when, stays for the other one.
    """
    return [
        update(OrderMessage)
        .where(
            (col(OrderMessage.sender_id) == subject.user_id)
            | (col(OrderMessage.recipient_id) == subject.user_id)
        )
        .values(text=ERASED, client_key=None)
    ]


def cart_items(subject: Subject) -> list[Statement]:
    """What he was about to order."""
    his = select(col(Cart.id)).where(col(Cart.customer_id) == subject.user_id)
    return [delete(CartItem).where(col(CartItem.cart_id).in_(his))]


def reviews(subject: Subject) -> list[Statement]:
    """What he said in words and pictures, what was said to that, and what he replied to others.

    His stars stay with those whom he gave them to. What nobody had looked at yet is not shown.
    """
    return [
        update(Review)
        .where(col(Review.reviewer_id) == subject.user_id)
        .values(
            comment=None,
            photos=[],
            reply=None,
            status_reason=None,
            status=case(
                (col(Review.status) == ReviewStatus.PENDING, ReviewStatus.HIDDEN.value),
                else_=col(Review.status),
            ),
        ),
        update(Review)
        .where(
            col(Review.reviewee_type) == Reviewee.CHEF, col(Review.reviewee_id).in_(subject.chefs)
        )
        .values(reply=None, replied_at=None),
    ]


def review_reports(subject: Subject) -> list[Statement]:
    """Why he thought that others should not be read, and others that he should not."""
    return [
        update(ReviewReport)
        .where(
            (col(ReviewReport.reporter_id) == subject.user_id)
            | col(ReviewReport.review_id).in_(subject.reviews)
        )
        .values(reason=ERASED)
    ]


def refund_requests(subject: Subject) -> list[Statement]:
    """The words of complaints, and the answers to them."""
    his = col(RefundRequest.id).in_(subject.requests)
    return [
        update(RefundRequest).where(his).values(note=None, decision_note=None),
        # A customer's reason is one of a list, an operator's his own words.
        update(RefundRequest)
        .where(his, col(RefundRequest.kind) != RefundKind.COMPLAINT)
        .values(reason=ERASED),
    ]


def refunds(subject: Subject) -> list[Statement]:
    """Why he got money back, in whosever words."""
    return [update(Refund).where(col(Refund.order_id).in_(subject.placed)).values(reason=None)]


def disputes(subject: Subject) -> list[Statement]:
    """What banks were told of him, and of the door, the kitchen and the driver."""
    return [
        update(Dispute)
        .where(col(Dispute.order_id).in_(subject.involved))
        .values(evidence=None, evidence_text=None)
    ]


def searches(subject: Subject) -> list[Statement]:
    """Why an operator has held an order back."""
    return [
        update(DispatchSearch)
        .where(col(DispatchSearch.order_id).in_(subject.involved))
        .values(hold_reason=None)
    ]


def assignments(subject: Subject) -> list[Statement]:
    """Why an offer of his, or of an order of his, ended."""
    return [
        update(DriverAssignment)
        .where(
            col(DriverAssignment.driver_id).in_(subject.drivers)
            | col(DriverAssignment.order_id).in_(subject.placed)
        )
        .values(reason=None)
    ]


def photos(subject: Subject) -> list[Statement]:
    """Pictures of his door are gone; those that he took as a driver are other people's."""
    return [
        delete(DeliveryPhoto).where(col(DeliveryPhoto.order_id).in_(subject.placed)),
        update(DeliveryPhoto)
        .where(col(DeliveryPhoto.driver_id).in_(subject.drivers))
        .values(latitude=None, longitude=None),
    ]


def wrong_codes(subject: Subject) -> list[Statement]:
    """Codes that were tried at his door, or by him."""
    return [
        delete(WrongCode).where(
            col(WrongCode.order_id).in_(subject.placed)
            | col(WrongCode.driver_id).in_(subject.drivers)
        )
    ]


def favourites(subject: Subject) -> list[Statement]:
    """Whom he liked, and who liked him."""
    return [
        delete(Favourite).where(
            (col(Favourite.user_id) == subject.user_id) | col(Favourite.chef_id).in_(subject.chefs)
        )
    ]


def notifications(subject: Subject) -> list[Statement]:
    """What he was told, and what others were told about him: his words and names may be in it."""
    return [delete(Notification).where(_tells_of(subject))]


def notification_deliveries(subject: Subject) -> list[Statement]:
    """How that was sent."""
    about = select(col(Notification.id)).where(_tells_of(subject))
    return [
        delete(NotificationDelivery).where(col(NotificationDelivery.notification_id).in_(about))
    ]


def _tells_of(subject: Subject) -> ColumnElement[bool]:
    first_of_key = func.split_part(Notification.business_key, ":", 1)
    return or_(
        col(Notification.user_id) == subject.user_id,
        col(Notification.related_order_id).in_(subject.involved),
        first_of_key.in_(_as_text(subject.chefs)),
        first_of_key.in_(_as_text(subject.drivers)),
    )


def holds(subject: Subject) -> list[Statement]:
    """Why his payouts were held."""
    return [
        update(PayoutHold).where(subject.is_payee(col(PayoutHold.payee_id))).values(reason=ERASED)
    ]


def driver(subject: Subject) -> list[Statement]:
    """With what he drove, and where he is."""
    return [
        update(Driver)
        .where(col(Driver.user_id) == subject.user_id)
        .values(
            vehicle_plate=None,
            verification_status=Verification.SUSPENDED,
            verification_reason=None,
            documents_expire_on=None,
            is_available=False,
            on_duty_since=None,
            current_latitude=None,
            current_longitude=None,
            located_at=None,
        )
    ]


def chef(subject: Subject) -> list[Statement]:
    """The kitchen, which is a home: what it is called, where it is, how it looks."""
    return [
        update(Chef)
        .where(col(Chef.user_id) == subject.user_id)
        .values(
            business_name=KITCHEN,
            description="",
            address=ERASED,
            latitude=_about(col(Chef.latitude)),
            longitude=_about(col(Chef.longitude)),
            operating_hours={},
            hours_exceptions={},
            specialties=[],
            profile_image_key=None,
            banner_image_key=None,
            kitchen_image_keys=[],
            verification_status=Verification.SUSPENDED,
            verification_reason=None,
            is_online=False,
            accepting_orders=False,
        )
    ]


def menus(subject: Subject) -> list[Statement]:
    """What he wrote above his menus."""
    return [
        update(Menu)
        .where(col(Menu.chef_id).in_(subject.chefs))
        .values(name="Menu", description="", is_active=False)
    ]


def dishes(subject: Subject) -> list[Statement]:
    """What he wrote of his dishes; what they are called, orders and books say, too."""
    his = select(col(Menu.id)).where(col(Menu.chef_id).in_(subject.chefs))
    return [
        update(MenuItem)
        .where(col(MenuItem.menu_id).in_(his))
        .values(
            description="",
            image_key=None,
            is_available=False,
            deleted_at=func.coalesce(MenuItem.deleted_at, now()),
        )
    ]


def stripe_events(subject: Subject) -> list[Statement]:
    """What Stripe told us of him is taken back to what it was about."""
    payload = col(StripeEvent.payload)
    thing = payload["data"]["object"]
    his_accounts = select(col(ConnectedAccount.id)).where(
        subject.is_payee(col(ConnectedAccount.payee_id))
    )
    his_disputes = select(col(Dispute.stripe_dispute_id)).where(
        col(Dispute.order_id).in_(subject.involved)
    )
    customer = select(col(User.stripe_customer_id)).where(col(User.id) == subject.user_id)
    named = [payload["account"], thing["id"], thing["customer"]]
    ids = [his_accounts, his_disputes, customer]
    return [
        update(StripeEvent)
        .where(or_(*(name.astext.in_(those) for name in named for those in ids)))
        .values(
            payload=func.jsonb_build_object(
                "id",
                payload["id"],
                "type",
                payload["type"],
                "created",
                payload["created"],
                "account",
                payload["account"],
                "data",
                func.jsonb_build_object(
                    "object", func.jsonb_build_object("id", thing["id"], "object", thing["object"])
                ),
                ERASED,
                True,
            )
        )
    ]


def _about(degrees: Mapped[float]) -> ColumnElement[Any]:
    return cast(func.round(cast(degrees, Numeric), 1), Float)


def _as_text(ids: Select[UUID]) -> Select[str]:
    found = ids.subquery()
    return select(cast(found.c.id, String))
