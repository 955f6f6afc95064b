"""What has arrived, and what is not to be let in."""

from collections import Counter, deque
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveInt

_MOST = 10_000


class Received(BaseModel):
    """A mail or an SMS; an SMS has neither id nor subject."""

    kind: Literal["mail", "sms"]
    to: str
    sender: str
    subject: str
    words: str
    message_id: str
    at: datetime


class Refusal(BaseModel):
    """The next `times` letters to an address or number are not taken: not now, or never."""

    model_config = ConfigDict(extra="forbid")

    to: str
    times: PositiveInt = 1
    for_good: bool = False


class Box:
    """The newest letters, and who is to be refused."""

    def __init__(self) -> None:
        self._received: deque[Received] = deque(maxlen=_MOST)
        self._refusals: list[Refusal] = []
        self._refused: Counter[str] = Counter()

    def put(self, letter: Received) -> None:
        """It has arrived."""
        self._received.appendleft(letter)

    def to(self, address: str | None) -> list[Received]:
        """What somebody got, or everybody, the newest first."""
        return [r for r in self._received if address is None or r.to.lower() == address.lower()]

    def order(self, refusal: Refusal) -> None:
        """Refuse what comes next."""
        self._refusals.append(refusal)

    def refused(self, address: str) -> int:
        """How often an address was refused."""
        return self._refused[address.lower()]

    def next_refusal(self, address: str) -> Refusal | None:
        """Take the refusal that waits for an address, if one does."""
        found = next((r for r in self._refusals if r.to.lower() == address.lower()), None)
        if found is not None:
            self._refused[address.lower()] += 1
            found.times -= 1
            self._refusals = [r for r in self._refusals if r.times > 0]
        return found


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)
