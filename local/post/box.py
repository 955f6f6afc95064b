"""What has arrived."""

from collections import deque
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel

_MOST = 10_000

Kind = Literal["mail", "sms", "push", "web_push", "webhook"]


class Received(BaseModel):
    """What somebody got: a mail by its address, an SMS by its number, a push by the token or the
    endpoint of its device, a post by the name of its webhook. What has no subject, html or id has
    none. Of what came several times with the same id there is one, in so many `copies`, as in a
    mailbox and on a phone.
    """

    kind: Kind
    to: str
    sender: str = ""
    subject: str = ""
    words: str
    html: str | None = None
    message_id: str = ""
    at: datetime
    copies: int = 1


class Box:
    """The newest of what has arrived."""

    def __init__(self) -> None:
        self._received: deque[Received] = deque(maxlen=_MOST)

    def put(self, letter: Received) -> None:
        """It has arrived."""
        if letter.message_id:
            for known in self._received:
                if (known.kind, known.to, known.message_id) == _identity(letter):
                    known.copies += 1
                    return
        self._received.appendleft(letter)

    def to(self, address: str | None) -> list[Received]:
        """What somebody got, or everybody, the newest first."""
        return [r for r in self._received if address is None or r.to.lower() == address.lower()]


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def _identity(letter: Received) -> tuple[Kind, str, str]:
    return letter.kind, letter.to, letter.message_id
