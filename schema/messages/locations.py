"""What is said about where drivers were."""

from datetime import datetime, timedelta

from schema.messages.base import Message


class Keeping(Message):
    """For how long it is kept."""

    keep: timedelta


class Forgetting(Message):
    """What is not kept: what was recorded before a moment."""

    before: datetime
