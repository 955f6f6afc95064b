"""What is said about offers to drivers. Moments are UTC, distances km."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field

from domain.geo import Point
from schema.messages.base import Message
from schema.messages.order import Changes, Command, StatusView, Who


class AssignmentStatus(StrEnum):
    """How an offer to a driver stands.

    Withdrawn: not for anything that the driver did, so that he may be asked again.
    """

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


class Offer(Message):
    """A live offer of an order to a driver, alone or with others."""

    id: UUID
    driver_id: UUID
    distance_km: float
    expires_at: datetime


class JoinDispatch(Message):
    """An order that looks for a driver, and where its food is. A zone that has looked at it
    `unless_since` need not be told.
    """

    order_id: UUID
    kitchen: Point
    at: datetime
    unless_since: datetime | None = None


class Taken(Message):
    """Who has an order: the driver, his login, the offer by which he has it, and when he was
    expected at kitchen and door when he was asked.
    """

    driver_id: UUID
    user_id: UUID
    offer_id: UUID
    pickup_at: datetime | None = None
    delivery_at: datetime | None = None


class Search(Message):
    """How the search for an order's driver stands; `sequence` is the order's latest step."""

    sequence: int
    taken: Taken | None
    held_until: datetime | None


class Acceptance(Message):
    """A driver's yes to all orders of an offer; he may have `capacity` in hand, if that counts."""

    order_id: UUID
    offer_id: UUID
    driver_id: UUID
    capacity: int | None
    at: datetime


class Assignment(Message):
    """An order whose food is not ready yet, given to a driver by an operator's hand."""

    order_id: UUID
    driver_id: UUID
    by: Who
    reason: str | None
    at: datetime


class Release(Message):
    """An order whose food is not ready yet, and which its driver will not bring after all; what is
    to be expected without him.
    """

    order_id: UUID
    driver_id: UUID
    by: Who
    reason: str | None
    at: datetime
    changes: Changes = Changes()


class DriverNews(Message):
    """A driver who has taken an order, or cannot be seen any more."""

    driver_id: UUID


class OfferAnswer(Command):
    """A driver's yes or no to an offer, and when he was expected at kitchen and door."""

    offer_id: UUID
    driver_id: UUID
    pickup_at: datetime | None = None
    delivery_at: datetime | None = None


class Decline(Message):
    """A driver's no to an offer, with all its orders."""

    offer_id: UUID
    driver_id: UUID
    reason: str | None
    at: datetime


class Declined(Message):
    """The orders that a driver has left to others, and where the first of them stands."""

    order_ids: list[UUID]
    view: StatusView


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


class Standing(Message):
    """What a zone is doing: how many orders wait for an offer (and why, of those for which nobody
    is asked at the moment), how many are offered, how many are watched on their way.
    """

    waiting: int = 0
    held: dict[str, int] = Field(default_factory=dict)
    offered: int = 0
    under_way: int = 0


class ZoneStart(Message):
    """A zone, the orders it has to look after, and after how many ticks its history ends."""

    zone: str
    order_ids: list[UUID] = Field(default_factory=list)
    most_ticks: int = 500


class ZoneOrder(Message):
    """An order that a zone is to look after, or to look at again."""

    order_id: UUID


class Tick(Message):
    """A moment at which a zone looks at its orders."""

    zone: str
    order_ids: list[UUID]
    at: datetime


class Ticked(Message):
    """What came of a tick: which orders the zone has nothing to do with any more, how it stands,
    and when it should look again (None: when something has happened), at the earliest when woken.
    """

    over: list[UUID]
    standing: Standing
    again_at: datetime | None
    rests_until: datetime
