"""What live events say, and to whom: made of what is known of an order.

The words of each are those of `docs/realtime.md`. Moments are UTC, amounts cents, distances km.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic.alias_generators import to_camel

from domain.live import Happening, OfferEnd
from domain.order_status import Actor, OrderStatus
from domain.tracking import Fix, is_shown, is_since
from schema.messages.live import ADMINS, LiveEvent
from schema.messages.order import Changes, Transition

_ESTIMATES = ("estimated_ready_at", "estimated_pickup_at", "estimated_delivery_at")


class Concerned(NamedTuple):
    """An order as it stands, and the users whom it concerns. `assignment_id` is the delivery by
    which its driver has it.
    """

    order_id: UUID
    order_number: str
    kitchen_name: str
    total_cents: int
    currency: str
    estimated_ready_at: datetime
    estimated_pickup_at: datetime | None
    estimated_delivery_at: datetime
    is_near_door: bool
    is_paid: bool
    customer_id: UUID
    chef_user_id: UUID
    driver_user_id: UUID | None
    assignment_id: UUID | None

    @property
    def everybody(self) -> tuple[str, ...]:
        """Whom the order is any business of; the chef's it is once it is paid."""
        chef = self.chef_user_id if self.is_paid else None
        people = (self.customer_id, chef, self.driver_user_id)
        return (*(str(user_id) for user_id in people if user_id), ADMINS)


class Portion(NamedTuple):
    """A dish of an order."""

    menu_item_id: UUID
    name: str
    quantity: int


class MadeOffer(NamedTuple):
    """An offer as its driver is told of it; the kitchen is that of its first order."""

    offer_id: UUID
    order_ids: Sequence[UUID]
    driver_user_id: UUID
    kitchen_name: str
    distance_km: float
    bonus_cents: int
    offered_at: datetime
    expires_at: datetime


class EndedOffer(NamedTuple):
    """An offer that nobody can accept any more."""

    offer_id: UUID
    order_id: UUID
    driver_user_id: UUID


class Carried(NamedTuple):
    """An order in a driver's hands, and who may want to know where he is."""

    order_id: UUID
    status: OrderStatus
    sequence: int
    customer_id: UUID
    chef_user_id: UUID
    assignment_id: UUID | None
    picked_up_at: datetime | None
    estimated_delivery_at: datetime


class Alert(NamedTuple):
    """What operators are told; the notification is that of one of them."""

    key: str
    notification_id: UUID
    occasion: str
    title: str
    message: str
    order_id: UUID | None
    order_number: str | None
    at: datetime


def step_key(sequence: int) -> str:
    """By which key a step of an order is told."""
    return f"step:{sequence}"


def step(taken: Transition, of: Concerned) -> LiveEvent:
    """An order has moved. Whoever lost it by that is among those `of` whom it concerns."""
    data: dict[str, Any] = {"status": taken.to, **_moments(_changed(taken.changes))}
    if taken.reason is not None:
        data["reason"] = taken.reason
    return LiveEvent(
        happening=Happening.STATUS,
        order_id=taken.order_id,
        key=step_key(taken.sequence),
        to=of.everybody,
        at=taken.at,
        data=data,
    )


def taken_back(
    order_id: UUID, status: OrderStatus, driver_user_id: UUID, at: datetime
) -> LiveEvent:
    """A driver has an order no more, by no step of its own; where it stands, it stands still."""
    return LiveEvent(
        happening=Happening.STATUS,
        order_id=order_id,
        key=f"taken_back:{driver_user_id}:{at.isoformat()}",
        to=(str(driver_user_id),),
        at=at,
        data={"status": status, "reason": "taken_back"},
    )


def changes_estimates(changes: Changes) -> bool:
    """Whether a step has something expected at another time."""
    return bool(_changed(changes))


def estimates(of: Concerned, cause: str, at: datetime) -> LiveEvent:
    """An order is expected at another time; `cause` is unique within the order."""
    return LiveEvent(
        happening=Happening.ETA,
        order_id=of.order_id,
        key=f"eta:{cause}",
        to=of.everybody,
        at=at,
        data={
            **_moments({name: getattr(of, name) for name in _ESTIMATES}),
            "isNearDoor": of.is_near_door,
        },
    )


def new_order(
    of: Concerned, portions: Sequence[Portion], respond_by: datetime, at: datetime
) -> LiveEvent:
    """A chef has a paid order to answer."""
    return LiveEvent(
        happening=Happening.NEW_ORDER,
        order_id=of.order_id,
        key="new",
        to=(str(of.chef_user_id),),
        at=at,
        data={
            "orderNumber": of.order_number,
            "items": [
                {"menuItemId": one.menu_item_id, "name": one.name, "quantity": one.quantity}
                for one in portions
            ],
            "totalCents": of.total_cents,
            "currency": of.currency,
            "respondBy": respond_by,
        },
    )


def assigned(of: Concerned, at: datetime) -> list[LiveEvent]:
    """A driver has an order; nothing where he has it no more."""
    if of.driver_user_id is None or of.assignment_id is None:
        return []
    return [
        LiveEvent(
            happening=Happening.ASSIGNED,
            order_id=of.order_id,
            key=f"assigned:{of.assignment_id}",
            to=(str(of.driver_user_id),),
            at=at,
            data={
                "orderNumber": of.order_number,
                "deliveryId": of.assignment_id,
                "kitchenName": of.kitchen_name,
                **_moments({name: getattr(of, name) for name in _ESTIMATES[1:]}),
            },
        )
    ]


def offer(made: MadeOffer) -> LiveEvent:
    """A driver is asked."""
    return LiveEvent(
        happening=Happening.OFFER,
        order_id=made.order_ids[0],
        key=f"offer:{made.offer_id}",
        to=(str(made.driver_user_id),),
        at=made.offered_at,
        data={
            "offerId": made.offer_id,
            "orderIds": list(made.order_ids),
            "kitchenName": made.kitchen_name,
            "distanceKm": made.distance_km,
            "bonusCents": made.bonus_cents,
            "expiresAt": made.expires_at,
        },
    )


def offer_withdrawn(ended: EndedOffer, why: OfferEnd, at: datetime) -> LiveEvent:
    """A driver is not asked any more."""
    return LiveEvent(
        happening=Happening.OFFER_WITHDRAWN,
        order_id=ended.order_id,
        key=f"offer:{ended.offer_id}:withdrawn",
        to=(str(ended.driver_user_id),),
        at=at,
        data={"offerId": ended.offer_id, "reason": why},
    )


def position(fix: Fix, of: Carried) -> LiveEvent:
    """Where the driver of an order is, for whoever may see it at this step of the order, and until
    the next one is told.
    """
    is_on_its_way = of.picked_up_at is None or is_since(fix, of.picked_up_at)
    to = [ADMINS]
    if is_shown(Actor.CHEF, of.status):
        to.append(str(of.chef_user_id))
    if is_shown(Actor.CUSTOMER, of.status) and is_on_its_way:
        to.append(str(of.customer_id))
    return LiveEvent(
        happening=Happening.POSITION,
        order_id=of.order_id,
        key=step_key(of.sequence + 1),
        to=tuple(to),
        at=fix.at,
        data={
            "deliveryId": of.assignment_id,
            "latitude": fix.point.latitude,
            "longitude": fix.point.longitude,
            "speed": fix.speed,
            "heading": fix.heading,
            "recordedAt": fix.at,
            "estimatedDeliveryAt": of.estimated_delivery_at,
        },
    )


def alert(said: Alert) -> LiveEvent:
    """Operators have something to look at."""
    data = {
        "notificationId": said.notification_id,
        "occasion": said.occasion,
        "title": said.title,
        "message": said.message,
    }
    if said.order_number is not None:
        data["orderNumber"] = said.order_number
    return LiveEvent(
        happening=Happening.ALERT,
        order_id=said.order_id,
        key=f"alert:{said.key}",
        to=(ADMINS,),
        at=said.at,
        data=data,
    )


def _changed(changes: Changes) -> dict[str, datetime]:
    return changes.model_dump(include=set(_ESTIMATES), exclude_none=True)


def _moments(estimates: Mapping[str, datetime | None]) -> dict[str, Any]:
    """Estimates, by the names that clients know."""
    return {to_camel(name): moment for name, moment in estimates.items()}
