"""Time as Stripe counts it: its own, which can be ahead of everybody else's."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

DAY = 86_400

# Set for as long as a transaction lasts: several Stripes may live in one process.
_ahead_seconds = ContextVar("ahead_seconds", default=0)


def now() -> int:
    """Return Stripe's present in whole seconds since 1970, as every Stripe object holds it."""
    return int(time.time()) + _ahead_seconds.get()


def precise() -> float:
    """Return everybody's present in seconds since 1970, by which webhooks are sent and signed."""
    return time.time()


@contextmanager
def ahead(seconds: int) -> Iterator[None]:
    """Have `now` be so many seconds ahead while the block runs."""
    before = _ahead_seconds.set(seconds)
    try:
        yield
    finally:
        _ahead_seconds.reset(before)
