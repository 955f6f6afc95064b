"""What goes wrong on purpose, with messages to whom."""

from collections import Counter
from enum import StrEnum

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from local.stripe.faults import BrokenConnection


class Kind(StrEnum):
    """What befalls a message."""

    DEAD = "dead"  # bounced, unregistered, gone: never anything to there
    REFUSED = "refused"  # never this one
    BUSY = "busy"  # too many for now
    DOWN = "down"  # not now
    DROP_BEFORE = "drop_before"  # the connection breaks, nothing has arrived
    DROP_AFTER = "drop_after"  # it has arrived, then the connection breaks


class Fault(BaseModel):
    """What befalls the next `times` messages to somebody, or all of them until it is lifted."""

    model_config = ConfigDict(extra="forbid")

    to: str = Field(min_length=1)
    kind: Kind
    times: PositiveInt | None = None


class Faults:
    """The faults that wait for a message, and whom they have befallen."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self._struck: Counter[str] = Counter()

    def order(self, fault: Fault) -> None:
        """Have something go wrong from now on."""
        self.waiting.append(fault)

    def lift(self, to: str) -> None:
        """Let nothing go wrong with messages to somebody any more."""
        self.waiting = [fault for fault in self.waiting if fault.to.lower() != to.lower()]

    def struck(self, to: str) -> int:
        """How often something went wrong with messages to somebody."""
        return self._struck[to.lower()]

    def strike(self, to: str) -> Kind | None:
        """What befalls a message to somebody, the oldest first; it is counted."""
        found = next((fault for fault in self.waiting if fault.to.lower() == to.lower()), None)
        if found is None:
            return None
        self._struck[to.lower()] += 1
        if found.times is not None:
            found.times -= 1
            self.waiting = [fault for fault in self.waiting if fault.times != 0]
        return found.kind


def answer(kind: Kind | None, *, dead: Response, refused: Response) -> Response | None:
    """What somebody is answered who speaks HTTP, where not as usual."""
    match kind:
        case Kind.DEAD:
            return dead
        case Kind.REFUSED:
            return refused
        case Kind.BUSY:
            return JSONResponse({"message": "too many"}, 429, {"Retry-After": "1"})
        case Kind.DOWN:
            return JSONResponse({"message": "not now"}, 503)
        case Kind.DROP_BEFORE | Kind.DROP_AFTER:
            return BrokenConnection()
        case None:
            return None


def arrives(kind: Kind | None) -> bool:
    """Whether a message that this befalls is there all the same."""
    return kind in {None, Kind.DROP_AFTER}


def base(request: Request) -> str:
    """Where whoever asks has found us."""
    return str(request.base_url).rstrip("/")
