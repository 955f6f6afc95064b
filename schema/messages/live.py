"""What is told live: one event, and who may hear it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from domain.live import Happening
from schema.messages.base import Message

# Addresses everybody who operates the market.
ADMINS = "admins"


class LiveEvent(Message):
    """Something that has happened.

    Whoever publishes it says to whom it is, by user ids and ADMINS, and nobody adds to that. `key`
    keeps it from being told twice within its order. `data` is what clients are told of it.
    """

    happening: Happening
    order_id: UUID | None
    key: str
    to: tuple[str, ...]
    at: datetime
    data: dict[str, Any]


class Told(Message):
    """An event as it was told: the sequence numbers of an order grow by at least one from event to
    event. What belongs to no order has none.
    """

    event: LiveEvent
    sequence: int | None

    @property
    def payload(self) -> dict[str, Any]:
        """What clients read."""
        about = self.event.model_dump(mode="json", by_alias=True, include={"order_id", "at"})
        return {**self.event.data, **about, "sequence": self.sequence}


class Missed(Message):
    """What a client that was away has missed of an order, and how far the order is by now.

    With `resync` some of it is not known any more: it looks at the order itself.
    """

    told: list[Told]
    sequence: int
    resync: bool
