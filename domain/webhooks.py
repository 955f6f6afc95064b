"""What partners are told of, by which rules it is sent, and what it is signed with.

Partners are told over webhooks as https://www.standardwebhooks.com has them: its headers, its
envelope, and its pauses between tries. No secret is kept anywhere: each is derived from ours and
the id of the endpoint, so that whoever sends can make it when it is needed.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.order_status import OrderStatus


class EventType(StrEnum):
    """What partners can ask to be told of."""

    ORDER_CREATED = "order.created"
    ORDER_ACCEPTED = "order.accepted"
    ORDER_PREPARING = "order.preparing"
    ORDER_READY = "order.ready_for_pickup"
    ORDER_ASSIGNED = "order.assigned_to_driver"
    ORDER_PICKED_UP = "order.picked_up"
    ORDER_IN_TRANSIT = "order.in_transit"
    ORDER_DELIVERED = "order.delivered"
    ORDER_CANCELLED = "order.cancelled"
    ORDER_DISPUTED = "order.disputed"
    ORDER_DISPUTE_CLOSED = "order.dispute_closed"
    ORDER_REFUNDED = "order.refunded"
    PAYOUT_PAID = "payout.paid"
    PAYOUT_FAILED = "payout.failed"


# Sent when somebody wants to see whether it arrives, to whatever endpoint.
TEST = "endpoint.test"

# An order that nobody has paid is none for a kitchen: what partners see begins with the payment.
OF_STATUS: Mapping[OrderStatus, EventType] = {
    OrderStatus.PAYMENT_CONFIRMED: EventType.ORDER_CREATED,
    OrderStatus.ACCEPTED: EventType.ORDER_ACCEPTED,
    OrderStatus.PREPARING: EventType.ORDER_PREPARING,
    OrderStatus.READY_FOR_PICKUP: EventType.ORDER_READY,
    OrderStatus.ASSIGNED_TO_DRIVER: EventType.ORDER_ASSIGNED,
    OrderStatus.PICKED_UP: EventType.ORDER_PICKED_UP,
    OrderStatus.IN_TRANSIT: EventType.ORDER_IN_TRANSIT,
    OrderStatus.DELIVERED: EventType.ORDER_DELIVERED,
    OrderStatus.CANCELLED: EventType.ORDER_CANCELLED,
    OrderStatus.DISPUTED: EventType.ORDER_DISPUTED,
    OrderStatus.REFUNDED: EventType.ORDER_REFUNDED,
}


class DeliveryStatus(StrEnum):
    """Where a message to an endpoint stands: still tried, taken, refused for good (410), given up
    after three days, or not tried any more since its endpoint is switched off.
    """

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXHAUSTED = "exhausted"
    CANCELLED = "cancelled"


# What did not arrive, and is tried again when somebody asks for all of it.
MISSED = frozenset({DeliveryStatus.FAILED, DeliveryStatus.EXHAUSTED, DeliveryStatus.CANCELLED})


class OffBecause(StrEnum):
    """Why nothing is sent to an endpoint: nothing succeeded while a message was tried for three
    days, it has said that it is gone (410), or somebody has switched it off.
    """

    FAILING = "failing"
    GONE = "gone"
    BY_HAND = "by_hand"


# After the first try, which is made at once. From the last one on, always that.
PAUSES: Sequence[timedelta] = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
# How long a message is tried; the last try is made when they are over.
PATIENCE = timedelta(days=3)
# So that what failed together does not come again together: pauses are longer by up to so much.
_JITTER = 0.2
# A message to an endpoint that is busy with others of ours waits so long, then twice as long.
_BUSY = timedelta(seconds=1)
_LONGEST_BUSY = timedelta(minutes=5)
# For how long an endpoint may ask (Retry-After) to be left alone.
LONGEST_RETRY_AFTER = timedelta(hours=12)

# For how long older secrets sign, too, after a new one was made; and how many there are at most.
SECRETS_OVERLAP = timedelta(hours=24)
MOST_SECRETS = 5

# A kitchen has a till, perhaps a printer and something that counts.
MOST_ENDPOINTS_OF_A_KITCHEN = 10


def of_step(was: OrderStatus | None, to: OrderStatus) -> EventType | None:
    """What a step of an order is to partners; None for one that they do not see."""
    if was is OrderStatus.PENDING and to is OrderStatus.CANCELLED:
        return None
    if was is OrderStatus.DISPUTED and to is OrderStatus.DELIVERED:
        return EventType.ORDER_DISPUTE_CLOSED
    return OF_STATUS.get(to)


def pause(tries: int, tried_for: timedelta, chance: float) -> timedelta | None:
    """How long to wait after so many tries if the last one fails, by chance (0 to 1) a little
    longer; None when that one is the last.
    """
    left = PATIENCE - tried_for
    if left <= timedelta(0):
        return None
    planned = PAUSES[min(tries, len(PAUSES)) - 1]
    return min(planned * (1 + _JITTER * chance), left)


def while_busy(times: int, chance: float) -> timedelta:
    """How long to wait before an endpoint is looked at again that was busy so many times."""
    return min(_BUSY * (1 << min(times, 10)), _LONGEST_BUSY) * (1 + _JITTER * chance)


def asked_to_wait(planned: timedelta, asked: timedelta, left: timedelta) -> timedelta:
    """How long to wait when an endpoint has asked to be left alone: as it says, within reason and
    within what is `left` of the time for which the message is tried.
    """
    return max(planned, min(asked, LONGEST_RETRY_AFTER, left))


def secret(ours: str, endpoint_id: UUID, version: int) -> str:
    """What an endpoint's messages are signed with, as partners are shown it."""
    said = f"webhook:{endpoint_id}:{version}"
    derived = hmac.digest(ours.encode(), said.encode(), hashlib.sha256)
    return f"whsec_{base64.b64encode(derived).decode()}"


def signing_versions(
    version: int, oldest: int, rotated_at: datetime | None, at: datetime
) -> Sequence[int]:
    """Whose signatures a message bears: those of all secrets that partners may still have, the
    newest first.
    """
    if rotated_at is None or at >= rotated_at + SECRETS_OVERLAP:
        return (version,)
    return tuple(range(version, oldest - 1, -1))


def oldest_after_rotation(
    version: int, oldest: int, rotated_at: datetime | None, at: datetime
) -> int:
    """The oldest secret that still signs once there is another one after `version`."""
    still = signing_versions(version, oldest, rotated_at, at)
    return max(still[-1], version + 2 - MOST_SECRETS)


def envelope(event_type: str, at: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    """A message as partners get it."""
    moment = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {"type": event_type, "timestamp": moment, "data": dict(data)}


def digest(words: str) -> str:
    """What tells one address from another and does not say it."""
    return hashlib.sha256(words.encode()).hexdigest()[:16]
