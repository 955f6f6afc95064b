"""What is told live, and to whom (seed 000, Real-Time Communication; seed 004, section 8)."""

from collections.abc import Mapping
from enum import StrEnum

from domain.order_status import ENDED, OrderStatus
from domain.permissions import Role


class Happening(StrEnum):
    """What a client hears of, by the seeds' names of events."""

    STATUS = "order:status_update"
    ETA = "order:eta_update"
    NEW_ORDER = "order:new"
    ASSIGNED = "driver:new_assignment"
    OFFER = "driver:offer"
    OFFER_WITHDRAWN = "driver:offer_withdrawn"
    POSITION = "driver:location_update"
    MESSAGE = "message:new"
    ALERT = "admin:alert"


class OfferEnd(StrEnum):
    """Why an offer waits for its driver's answer no more, other than that he has taken it."""

    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    ORDER_CANCELLED = "order_cancelled"
    OFF_DUTY = "off_duty"


_C, _H, _D, _A = Role.CUSTOMER, Role.CHEF, Role.DRIVER, Role.ADMIN

# Which roles an event is for at all, as far as the order is theirs. Where a driver is, they see
# only for as long as `domain.tracking.is_shown` says.
AUDIENCE: Mapping[Happening, frozenset[Role]] = {
    Happening.STATUS: frozenset({_C, _H, _D, _A}),
    Happening.ETA: frozenset({_C, _H, _D, _A}),
    Happening.NEW_ORDER: frozenset({_H}),
    Happening.ASSIGNED: frozenset({_D}),
    Happening.OFFER: frozenset({_D}),
    Happening.OFFER_WITHDRAWN: frozenset({_D}),
    Happening.POSITION: frozenset({_C, _H, _A}),
    Happening.MESSAGE: frozenset({_C, _H, _D, _A}),
    Happening.ALERT: frozenset({_A}),
}

# These are heard by whoever has subscribed to the order; the others by whom they concern.
OF_ORDER = frozenset({Happening.STATUS, Happening.ETA, Happening.POSITION, Happening.MESSAGE})

# From then on there is nothing to follow an order for.
FOLLOWED_UNTIL = ENDED | {OrderStatus.DISPUTED}
