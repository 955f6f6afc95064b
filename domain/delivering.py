"""What a message needs to go out, on each way that it can, and how long it is of any use."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.notifications import Urgency
from domain.preferences import Channel


class Way(StrEnum):
    """How a message goes out. The last two are for operators together: what they are told goes
    there once, not to each of them.
    """

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    OPS_WEBHOOK = "ops_webhook"
    OPS_EMAIL = "ops_email"


class DeliveryStatus(StrEnum):
    """What became of a message on a way. PENDING waits, or is tried; SENT was taken by whoever
    passes it on, DELIVERED has arrived, as far as that is told; FAILED was not in time, or was
    refused; SKIPPED was not worth sending; DEAD is that nothing arrives there any more.
    """

    PENDING = "pending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"
    DEAD = "dead"


OF_OPERATORS = frozenset({Way.OPS_WEBHOOK, Way.OPS_EMAIL})

BY_CHANNEL: Mapping[Channel, Way] = {
    Channel.EMAIL: Way.EMAIL,
    Channel.SMS: Way.SMS,
    Channel.PUSH: Way.PUSH,
}

# How long a message is tried after it was due. A live offer ends earlier, when it is answered.
GOOD_FOR: Mapping[Urgency, timedelta] = {
    Urgency.LIVE: timedelta(minutes=2),
    Urgency.NOW: timedelta(hours=6),
    Urgency.NORMAL: timedelta(hours=24),
}

# What one has read in the app, or what was so for a moment, does not have to ring any more; a mail
# is kept.
_RINGS = frozenset({Way.PUSH, Way.SMS})


_KEY = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-([1-9][0-9]{0,8}))?")


class Round(NamedTuple):
    """A message that is sent: which delivery, for the how-manieth time after the first."""

    delivery_id: UUID
    number: int

    @property
    def key(self) -> str:
        """What keeps it apart from everything else that was ever sent.

        >>> Round(UUID(int=1), 2).key
        '00000000-0000-0000-0000-000000000001-2'
        """
        return f"{self.delivery_id}-{self.number}" if self.number else str(self.delivery_id)

    @classmethod
    def of_key(cls, key: str) -> "Round | None":
        """Which message has a key; None if it is that of something else."""
        found = _KEY.fullmatch(key)
        return None if found is None else cls(UUID(found[1]), int(found[2] or 0))


class Obstacle(StrEnum):
    """Why a message does not go out on a way."""

    NOT_SET_UP = "not_set_up"
    ACCOUNT_CLOSED = "account_closed"
    NO_ADDRESS = "no_address"
    DEAD = "dead"
    SWITCHED_OFF = "switched_off"
    READ = "read"
    NOT_SO_ANY_MORE = "not_so_any_more"
    OFFER_OVER = "offer_over"
    NOTHING_TO_SAY = "nothing_to_say"


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand when a message is due: whether there is anything to say and anybody to say
    it by, whether its reader has an account, a confirmed address, or a device of his own, that is
    not dead; whether he still wants it by this way, has read it in the app, whether what it says of
    a moment is still so, and whether the offer that it is about still waits for an answer (None
    where it is about none).
    """

    is_said: bool = True
    is_set_up: bool = True
    has_account: bool = True
    has_address: bool = True
    is_dead: bool = False
    is_wanted: bool = True
    is_read: bool = False
    is_so: bool = True
    is_offered: bool | None = None


def obstacle(way: Way, standing: Standing) -> Obstacle | None:
    """What keeps a message from being sent, if anything does.

    >>> obstacle(Way.PUSH, Standing(is_read=True))
    <Obstacle.READ: 'read'>
    """
    of_operators = way in OF_OPERATORS
    found = (
        (Obstacle.NOTHING_TO_SAY, not standing.is_said),
        (Obstacle.NOT_SET_UP, not standing.is_set_up),
        (Obstacle.ACCOUNT_CLOSED, not standing.has_account and not of_operators),
        (Obstacle.NO_ADDRESS, not standing.has_address and not of_operators),
        (Obstacle.DEAD, standing.is_dead and not of_operators),
        (Obstacle.SWITCHED_OFF, not standing.is_wanted and not of_operators),
        (Obstacle.READ, standing.is_read and way in _RINGS),
        (Obstacle.NOT_SO_ANY_MORE, not standing.is_so and way in _RINGS),
        (Obstacle.OFFER_OVER, standing.is_offered is False),
    )
    return next((one for one, is_there in found if is_there), None)


def ends_as(found: Obstacle) -> DeliveryStatus:
    """What becomes of a message that an obstacle is in the way of."""
    return DeliveryStatus.DEAD if found is Obstacle.DEAD else DeliveryStatus.SKIPPED
