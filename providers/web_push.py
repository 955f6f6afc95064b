"""Push to browsers, by the web push protocol (RFC 8030), encrypted (RFC 8291) and signed by our key
(RFC 8292). Its address comes from a client: unless `private_targets`, only public ones are called.
"""

import asyncio
import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx
import jwt
from http_ece import ECEException  # type: ignore[import-untyped]
from pywebpush import WebPusher, WebPushException  # type: ignore[import-untyped]

from providers.push import Push
from providers.sending import Away, Refused, says, unanswered
from providers.targets import PublicOnly, TargetRefused, Why
from providers.vapid import private_key, public_key

# RFC 8292, 2: at most a day.
_SIGNED_SECONDS = 12 * 3600
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_NEVER = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})


@dataclass(frozen=True)
class Subscription:
    """Where a browser is reached, and the keys that only it can read with."""

    endpoint: str
    p256dh: str
    auth: str


class WebPush:
    """We, as browsers know us: by our key. `subject` is whom a push service may write to."""

    def __init__(
        self,
        key: str,
        *,
        subject: str,
        private_targets: bool,
        timeout_seconds: float,
    ) -> None:
        self._key = private_key(key)
        self._subject = subject
        self._seconds = timeout_seconds
        unkept = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        inner = httpx.AsyncHTTPTransport(trust_env=False, limits=unkept)
        # What a client says is its push service is not followed elsewhere.
        self._http = httpx.AsyncClient(
            transport=PublicOnly(inner, private=private_targets),
            timeout=timeout_seconds,
            follow_redirects=False,
            trust_env=False,
        )

    async def send(self, to: Subscription, push: Push) -> str:
        """Hand a push over; the answer is its address there. Raises Away, Refused."""
        try:
            body = await asyncio.to_thread(_encrypted, to, push)
        except (ValueError, IndexError, WebPushException, ECEException):
            raise Refused("this is no push subscription", is_dead=True) from None
        headers = {
            "Authorization": self._signed(to.endpoint),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(max(int(push.good_for.total_seconds()), 0)),
            "Urgency": "high" if push.urgent else "normal",
            # A copy takes the place of one that has not been fetched: 32 letters at most.
            "Topic": push.key.replace("-", "")[:32],
        }
        try:
            # httpx has a timeout for each part of a call, not for one that is answered by drops;
            # what is said besides the status is not read.
            async with (
                asyncio.timeout(self._seconds),
                self._http.stream("POST", to.endpoint, content=body, headers=headers) as answer,
            ):
                pass
        except TimeoutError:
            raise Away("the push service does not answer in time", may_have_worked=True) from None
        except TargetRefused as refused:
            if refused.why is Why.UNKNOWN:
                raise Away(str(refused)) from None
            raise Refused(str(refused), is_dead=True) from None
        except httpx.InvalidURL:
            raise Refused("this is no push subscription", is_dead=True) from None
        except httpx.HTTPError as error:
            raise unanswered("the push service", error) from None
        if answer.is_success:
            return str(answer.headers.get("Location", ""))
        gone = answer.status_code in _GONE
        raise says("the push service", answer, never=_NEVER, is_dead=gone)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _signed(self, endpoint: str) -> str:
        service = urlsplit(endpoint)
        said = {
            "aud": f"{service.scheme}://{service.netloc}",
            "exp": int(time.time()) + _SIGNED_SECONDS,
            "sub": self._subject,
        }
        token = jwt.encode(said, self._key, algorithm="ES256")
        return f"vapid t={token}, k={public_key(self._key)}"


def _encrypted(to: Subscription, push: Push) -> bytes:
    said = {"title": push.title, "body": push.line, "tag": push.key, "data": push.data}
    known = {"endpoint": to.endpoint, "keys": {"p256dh": to.p256dh, "auth": to.auth}}
    body: bytes = WebPusher(known).encode(json.dumps(said).encode())["body"]
    return body
