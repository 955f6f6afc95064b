"""What is said about offers to drivers. Moments are UTC, distances km."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.geo import Point
from schema.messages.base import Message
from schema.messages.order import Command


class AssignmentStatus(StrEnum):
    """How an offer to a driver stands."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class OfferSearch(Message):
    """Whom to ask to take an order.

    `asked_since` is when the current round began: a driver who let an offer pass in this round is
    not asked again in it, one who declined or dropped out never again.
    """

    order_id: UUID
    kitchen: Point
    ready_at: datetime
    radius_km: float
    asked_since: datetime
    at: datetime
    lasts: timedelta


class Offer(Message):
    """A live offer of an order to a driver."""

    id: UUID
    driver_id: UUID
    distance_km: float
    expires_at: datetime


class Withdrawal(Message):
    """An offer that ends without the driver taking it."""

    offer_id: UUID
    status: AssignmentStatus
    reason: str | None = None
    at: datetime


class OfferAnswer(Command):
    """A driver's yes or no to an offer."""

    offer_id: UUID
    driver_id: UUID


class DriverCommand(Command):
    """A driver's word about an order that is his."""

    driver_id: UUID


class Delivery(DriverCommand):
    """A driver's word that the order is at the door, with what proves it.

    A `kind` in it says that the facade has seen the code or the photo that the order asks for.
    """

    proof: dict[str, Any] | None = None


class OperatorAssign(Command):
    """An operator gives an order to a driver by hand."""

    driver_id: UUID
