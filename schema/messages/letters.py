"""What is said about letters: neither whom they go to nor what they say."""

from datetime import datetime
from uuid import UUID

from schema.messages.base import Message


class Letter(Message):
    """The row that says all of it, and until when it is of any use to send it."""

    challenge_id: UUID
    good_until: datetime
