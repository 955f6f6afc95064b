"""Telling partners over their webhooks: signed as https://www.standardwebhooks.com has it."""

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple
from uuid import UUID

import httpx
from pydantic_core import to_json
from standardwebhooks import Webhook

from providers.targets import PublicOnly, Resolve, TargetRefused, getaddrinfo

# How much of an answer is read, and kept for the log.
_READ_BYTES = 2_000
_ATTEMPT_SECONDS = 15.0


class Answer(NamedTuple):
    """What came of a try: the status and the beginning of the answer, or what went wrong; and how
    long the partner asks to be left alone.
    """

    status: int | None
    error: str | None
    answer: str
    milliseconds: int
    retry_after: timedelta = timedelta()

    @property
    def is_success(self) -> bool:
        """Whether the partner has it; an answer that sends us elsewhere says that he has not."""
        return self.error is None

    @property
    def is_gone(self) -> bool:
        """Whether the partner says that he will never want anything again."""
        return self.status == HTTPStatus.GONE


class Partners:
    """A client for whatever partners have behind their addresses.

    Each call is a connection of its own. With `private_targets`, for tests and one's own machine,
    http and private addresses are called, too.
    """

    def __init__(
        self,
        *,
        private_targets: bool,
        timeout_seconds: float = _ATTEMPT_SECONDS,
        verify: ssl.SSLContext | bool = True,
        resolve: Resolve = getaddrinfo,
    ) -> None:
        self._seconds = timeout_seconds
        unkept = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        inner = httpx.AsyncHTTPTransport(verify=verify, trust_env=False, limits=unkept)
        self._http = httpx.AsyncClient(
            transport=PublicOnly(inner, private=private_targets, resolve=resolve),
            follow_redirects=False,
            trust_env=False,
            timeout=timeout_seconds,
        )

    async def post(
        self, url: str, message_id: UUID, payload: Mapping[str, object], secrets: Sequence[str]
    ) -> Answer:
        """Send a message, signed with each of the secrets."""
        body, at = to_json(payload), datetime.now(UTC)
        signatures = (
            Webhook(secret).sign(str(message_id), at, body.decode()) for secret in secrets
        )
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "RideNDine-Webhooks/1",
            "webhook-id": str(message_id),
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
        began = time.monotonic()
        try:
            # httpx has a timeout for each part of a call, not for one that is answered by drops.
            async with (
                asyncio.timeout(self._seconds),
                self._http.stream("POST", url, content=body, headers=headers) as response,
            ):
                said = await _beginning(response)
        except TimeoutError:
            return _unanswered(f"no answer within {self._seconds:g} s", began)
        except TargetRefused as refused:
            return _unanswered(str(refused), began)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _unanswered(type(error).__name__, began)
        status = response.status_code
        return Answer(
            status=status,
            error=None if response.is_success else f"answered {status}",
            answer=said,
            milliseconds=_since(began),
            retry_after=_retry_after(response, at),
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


async def _beginning(response: httpx.Response) -> str:
    """As much of an answer as the log keeps; the rest is not waited for."""
    read = b""
    # As it came: a few bytes can be a gigabyte that was packed.
    async for part in response.aiter_raw():
        read += part[: _READ_BYTES - len(read)]
        if len(read) >= _READ_BYTES:
            break
    # PostgreSQL has no NUL in its texts.
    return read.decode(errors="replace").replace("\x00", "\ufffd")


def _retry_after(response: httpx.Response, at: datetime) -> timedelta:
    """Retry-After: seconds, or a date; nothing where it is neither."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return timedelta(seconds=min(int(said[:10]), 10**9))
    try:
        return max(parsedate_to_datetime(said) - at, timedelta())
    except (ValueError, TypeError):
        return timedelta()


def _unanswered(error: str, began: float) -> Answer:
    return Answer(status=None, error=error, answer="", milliseconds=_since(began))


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
