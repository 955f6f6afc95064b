"""What operators change about an order's search for a driver. Moments are UTC."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from schema.messages.base import Message
from schema.messages.order import OrderRef


class OverrideAction(StrEnum):
    """What is done by hand."""

    HOLD = "hold"
    RELEASE = "release"
    PREFER = "prefer"


class Override(Message):
    """A request of an admin; the same `key` stands for the same request, asked again."""

    admin_id: UUID
    key: str
    reason: str


class Hold(Override):
    """Nobody is to be asked for an order until a moment, or else for so long."""

    until: datetime | None = None
    lasts: timedelta = timedelta()


class Prefer(Override):
    """One driver is to be asked before all others; None when nobody in particular is any more."""

    driver_id: UUID | None


class Overriding(OrderRef):
    """What an admin changes at a moment, once by its key."""

    action: OverrideAction
    key: str
    admin_id: UUID
    reason: str
    at: datetime
    held_until: datetime | None = None
    preferred_driver_id: UUID | None = None


class Wanted(Message):
    """What operators want of a search at a moment, by all that they have changed."""

    held_until: datetime | None
    preferred_driver_id: UUID | None
