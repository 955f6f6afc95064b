"""What to do with something quick that is away: go on without it, and ask again a little later."""

import time

import structlog

_log = structlog.get_logger()

_PAUSE_SECONDS = 2.0


class Pause:
    """Remembers that something did not answer, so that not everybody waits for it meanwhile."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._until = 0.0

    @property
    def lasts(self) -> bool:
        """Whether it did not answer just now."""
        return time.monotonic() < self._until

    def begin(self, error: Exception) -> None:
        """It did not answer."""
        _log.warning(f"{self._what} does not answer: going on without it", error=repr(error))
        self._until = time.monotonic() + _PAUSE_SECONDS
