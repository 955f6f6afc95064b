"""What is said about messages to partners: ids and times, never what the messages say."""

from datetime import timedelta
from uuid import UUID

from schema.messages.base import Message


class Delivering(Message):
    """Which message is to be delivered."""

    delivery_id: UUID


class Try(Message):
    """A try of a message: how long to wait if it fails (None: it is the last), or if the endpoint
    is busy with others, and for how long the message is tried yet.
    """

    delivery_id: UUID
    pause: timedelta | None
    if_busy: timedelta
    left: timedelta


class Verdict(Message):
    """How long to wait for the next try; None when there is none. Where the endpoint was busy, this
    was none.
    """

    wait: timedelta | None
    was_busy: bool = False
