"""What is said about accounts that end."""

from datetime import datetime, timedelta
from uuid import UUID

from schema.messages.base import Message


class ErasureTerms(Message):
    """How long an account that is to end may be had back (`grace`), how often it is looked whether
    its open orders are over, and how long after nobody gets in any more all is forgotten
    (`settle`): whatever was let in before that has come by then.
    """

    grace: timedelta = timedelta(days=30)
    look_again: timedelta = timedelta(hours=1)
    settle: timedelta = timedelta(hours=1)


class ErasureStart(Message):
    """Whose account ends. Without `asked` it is one that was asked for before."""

    user_id: UUID
    terms: ErasureTerms = ErasureTerms()
    asked: bool = True


class Begin(Message):
    """An account is to end at `erase_at`; without it, it is to be seen whether it is."""

    user_id: UUID
    at: datetime
    erase_at: datetime | None


class EndAt(Message):
    """A step of an account's end, and when."""

    user_id: UUID
    at: datetime


class Ending(Message):
    """How an account stands that is to end. From `closed_at` on it cannot be had back."""

    requested_at: datetime
    erase_at: datetime
    closed_at: datetime | None
    erased_at: datetime | None


class UserRef(Message):
    """Which user."""

    user_id: UUID
