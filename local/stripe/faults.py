"""Faults on purpose: what a network and a provider do to requests on a bad day."""

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class Kind(StrEnum):
    """What befalls a request."""

    RATE_LIMIT = "rate_limit"  # 429, nothing executed
    SERVER_ERROR = "server_error"  # 500, nothing executed, kept under the Idempotency-Key
    REFUSED = "refused"  # 400, nothing executed, kept under the Idempotency-Key
    SLOW = "slow"  # waits, then executes
    DROP_BEFORE = "drop_before"  # the connection breaks, nothing executed
    DROP_AFTER = "drop_after"  # executed, then the connection breaks


@dataclass
class Fault:
    """A fault that befalls the next `times` requests after `skip` that match."""

    # A method and the beginning of a path, as in `POST /v1/refunds`; `*` stands for anything.
    match: str
    kind: Kind
    times: int
    seconds: float
    skip: int

    def matches(self, method: str, path: str) -> bool:
        """Tell whether a request is one of those that this fault befalls."""
        return fnmatchcase(f"{method} {path}", f"{self.match}*")


class Faults:
    """The faults that wait for a request."""

    def __init__(self) -> None:
        """Begin without any."""
        self.waiting: list[Fault] = []

    def strike(self, method: str, path: str) -> Fault | None:
        """Return the fault that befalls this request, the oldest first, and count it."""
        for fault in self.waiting:
            if not fault.matches(method, path):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            self.waiting = [waiting for waiting in self.waiting if waiting.times]
            return fault
        return None


class BrokenConnection(Response):
    """No response: the connection is closed without a byte."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Break the connection that the request came over."""
        scope["state"]["connection"].abort()
        # The server takes a request that ends without a response for a mistake of ours, unless it
        # has noticed that nobody is there any more.
        while (await receive())["type"] != "http.disconnect":
            pass
