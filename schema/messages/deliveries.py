"""What is said about a message on its way: neither whom it goes to nor what it says."""

from datetime import datetime
from uuid import UUID

from schema.messages.base import Message


class Outgoing(Message):
    """The row that says all of it, how often an admin had it sent again before (`round`), when it
    is due, and until when it is of any use.
    """

    delivery_id: UUID
    round: int = 0
    due_at: datetime
    good_until: datetime
