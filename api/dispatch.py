"""What operators send and get about orders that look for a driver."""

from datetime import datetime, timedelta
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from api import examples
from api.bodies import Body, Moment, Words
from api.examples import shown
from api.views import Moment as At
from api.views import Page
from domain.dispatch.plan import HeldBack
from domain.dispatch.widening import Widening
from domain.order_status import OrderStatus
from schema.messages.base import Message
from schema.queries.waiting import Waiting, Zone

LONGEST_HOLD = timedelta(days=1)

Minutes = Annotated[int, Field(strict=True, ge=1, le=LONGEST_HOLD // timedelta(minutes=1))]


class HoldOrderBody(Body):
    """Why no driver is to be asked for an order, and for how many minutes or until when."""

    model_config = shown({"reason": "The kitchen has lost power for a while.", "minutes": 20})

    reason: Words
    minutes: Minutes | None = None
    until: Moment | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.minutes is None) == (self.until is None):
            raise ValueError("say either for how many minutes, or until when")
        return self


class ReleaseOrderBody(Body):
    """Why drivers are asked again for an order that was held."""

    model_config = shown({"reason": "The kitchen cooks again."})

    reason: Words


class PreferBody(Body):
    """Which driver is to be asked before all others, or (null) that nobody is any more, and why."""

    model_config = shown(
        {
            "driverId": "0198c0de-0000-7000-8000-0000000000d1",
            "reason": "The customer asked for him.",
        }
    )

    driver_id: UUID | None
    reason: Words


class UnassignBody(Body):
    """Why an order is taken from its driver."""

    model_config = shown({"reason": "His car has broken down, says his wife."})

    reason: Words


class LiveOfferOut(Message):
    """An offer that waits for a driver's answer."""

    id: UUID
    driver_id: UUID
    driver_name: str | None
    distance_km: float
    offered_at: At
    expires_at: At


class WaitingOut(Message):
    """An order that looks for a driver, and why it has none yet.

    `waitedSeconds` counts from when it began to look. `why` is why dispatch asked nobody when it
    looked last, null while somebody is asked; `bonusCents` is offered beside the earning.
    """

    model_config = shown(examples.WAITING)

    order_id: UUID
    order_number: str
    status: OrderStatus
    kitchen_name: str
    zones: list[str]
    joined_at: At
    waited_seconds: int
    ready_at: At
    radius_km: float
    bonus_cents: int
    held_until: At | None
    hold_reason: str | None
    preferred_driver_id: UUID | None
    preferred_driver_name: str | None
    offer: LiveOfferOut | None
    why: HeldBack | None


class ZoneOut(Message):
    """How many orders look for a driver in a zone: in all, held by hand, offered to somebody.

    An order near a border is in both zones.
    """

    zone: str
    waiting: int
    held: int
    offered: int
    longest_seconds: int


class DispatchOut(Page[WaitingOut]):
    """What waits for a driver, the longest first, and how much of it in each zone."""

    zones: list[ZoneOut]


def waiting(found: Waiting, widening: Widening, now: datetime) -> WaitingOut:
    """An order that looks for a driver, for operators."""
    search, order, offer = found.search, found.order, found.offer
    is_held = search.held_until is not None and search.held_until > now
    return WaitingOut(
        **search.model_dump(
            include={"order_id", "zones", "joined_at", "bonus_cents", "preferred_driver_id"}
        ),
        order_number=order.order_number,
        status=order.status,
        kitchen_name=found.kitchen_name,
        waited_seconds=_seconds(now - search.joined_at),
        ready_at=order.estimated_ready_at,
        radius_km=widening.radius_km(search.joined_at, order.estimated_ready_at, now),
        held_until=search.held_until if is_held else None,
        hold_reason=search.hold_reason if is_held else None,
        preferred_driver_name=found.preferred_driver_name,
        why=None if offer else HeldBack.OPERATOR if is_held else search.held_back,
        offer=offer
        and LiveOfferOut(
            id=offer.offer_id,
            driver_name=found.driver_name,
            **offer.model_dump(include={"driver_id", "distance_km", "offered_at", "expires_at"}),
        ),
    )


def zone(found: Zone, now: datetime) -> ZoneOut:
    """What waits in a zone."""
    return ZoneOut(**found._asdict(), longest_seconds=_seconds(now - found.since))


def _seconds(time: timedelta) -> int:
    return max(0, int(time.total_seconds()))
