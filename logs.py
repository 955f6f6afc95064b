"""How every process writes its log: one JSON object a line, or readable lines at a terminal."""

import logging
import sys

import structlog


def configure(level: str) -> None:
    """Set the log up, for structlog and for the libraries that use the standard library's."""
    readable = sys.stdout.isatty()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Plain tracebacks: local variables would put people's data and secrets in the log.
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer(),
        ],
    )
    logging.basicConfig(level=level, stream=sys.stdout, format="%(levelname)s %(name)s %(message)s")
    # It writes whole addresses, and with them tokens.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # Two lines for each call, without a word on whose it was; the histories tell more.
    logging.getLogger("stripe").setLevel(logging.WARNING)
