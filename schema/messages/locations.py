"""What is said about where drivers were."""

from datetime import datetime, timedelta

from schema.messages.base import Message


class Keeping(Message):
    """For how long it is kept, and what was sent to partners, and what became of messages."""

    keep: timedelta
    webhooks: timedelta = timedelta(days=30)
    deliveries: timedelta = timedelta(days=90)


class Forgetting(Message):
    """What is not kept: what was recorded before a moment."""

    before: datetime
