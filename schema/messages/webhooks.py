"""What is said about messages to partners: ids and times, never what the messages say."""

from datetime import timedelta
from uuid import UUID

from schema.messages.base import Message


class Delivering(Message):
    """Which message is to be delivered; and where a run goes on for another, how often it was
    tried, how often its endpoint was busy since, and for how long it is tried.
    """

    delivery_id: UUID
    tries: int = 0
    busy: int = 0
    tried_for: timedelta = timedelta()


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
