"""People who use the public API as their apps would: for demo, journeys and benchmark."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar, cast

import httpx
from stripe import HTTPXClient, PaymentIntent, StripeClient

if TYPE_CHECKING:
    from stripe.params import PaymentIntentConfirmParams

Found = TypeVar("Found")

REQUEST_SECONDS = 30.0
_LOOK_AGAIN_SECONDS = 0.05
_SEND_AGAIN_SECONDS = 0.2


class Unanswered(Exception):
    """A request was answered with a problem: its status, its code, all of it."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.problem: dict[str, Any] = response.json()
        self.code: str = self.problem.get("code", "")
        request = response.request
        super().__init__(
            f"{request.method} {request.url.path}: {self.status} {self.code},"
            f" {self.problem.get('detail', '')}"
        )


class Person:
    """Somebody with a login.

    With `patience` (seconds), a request that met a broken connection or a 503 is sent again as it
    was, as a good app does: the facade promises that it takes effect once. `http` are connections
    that many people share; without them, each has his own.
    """

    def __init__(
        self,
        api_url: str,
        email: str,
        *,
        patience: float = 0.0,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self.email = email
        self._url = f"{api_url}/api/v1"
        self._patience = patience
        self._http = http or httpx.AsyncClient(timeout=REQUEST_SECONDS)
        self._shares = http is not None
        self._headers: dict[str, str] = {}

    async def log_in(self, password: str) -> dict[str, Any]:
        """Get an access token, for all requests that follow."""
        body = {"email": self.email, "password": password}
        answer: dict[str, Any] = await self.ask("POST", "/auth/login", body)
        self.use_token(answer["accessToken"])
        return answer

    def use_token(self, token: str) -> None:
        """Go on with an access token that came from elsewhere."""
        self._headers["Authorization"] = f"Bearer {token}"

    @property
    def authorization(self) -> str:
        """The header that says who this is."""
        return self._headers["Authorization"]

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        **query: Any,
    ) -> Any:
        """Send a request, with an Idempotency-Key if one is given, and get its answer, None if that
        is empty.

        Raises Unanswered when the answer is a problem.
        """
        headers = {"Idempotency-Key": key} if key else {}
        return await self._ask(method, path, json=body, headers=headers, params=query)

    async def get(self, path: str, **query: Any) -> Any:
        """The answer to a GET."""
        return await self.ask("GET", path, **query)

    async def post(self, path: str, *, key: str | None = None, **body: Any) -> Any:
        """The answer to a POST of `body`."""
        return await self.ask("POST", path, body, key=key)

    async def put(self, path: str, **body: Any) -> Any:
        """The answer to a PUT of `body`."""
        return await self.ask("PUT", path, body)

    async def upload(self, path: str, content: bytes, kind: str, **query: Any) -> Any:
        """The answer to a POST of a file of the given media type."""
        headers = {"Content-Type": kind}
        return await self._ask("POST", path, content=content, headers=headers, params=query)

    async def leave(self) -> None:
        """Close the connections, unless others use them too."""
        if not self._shares:
            await self._http.aclose()

    async def _ask(self, method: str, path: str, *, headers: Mapping[str, str], **what: Any) -> Any:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                response = await self._http.request(
                    method, self._url + path, headers={**self._headers, **headers}, **what
                )
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
            else:
                if response.is_success:
                    return response.json() if response.content else None
                if (
                    response.status_code != HTTPStatus.SERVICE_UNAVAILABLE
                    or time.monotonic() > deadline
                ):
                    raise Unanswered(response)
            await asyncio.sleep(_SEND_AGAIN_SECONDS)


def insisting(latitude: float, longitude: float) -> dict[str, Any]:
    """Positions of a driver that are believed at once, however far from the last: three that agree,
    as of a phone whose last one was wrong.
    """
    now = datetime.now(UTC)
    moments = [now + timedelta(microseconds=number) for number in range(3)]
    return {
        "positions": [
            {"latitude": latitude, "longitude": longitude, "recordedAt": moment.isoformat()}
            for moment in moments
        ]
    }


class Wallet:
    """A customer's test cards, used as Stripe's SDK in an app would: with the client secret."""

    def __init__(self, publishable_key: str, api_base: str | None) -> None:
        self._http = HTTPXClient()
        self._stripe = StripeClient(
            publishable_key,
            base_addresses={"api": api_base} if api_base else {},
            http_client=self._http,
            max_network_retries=5,
        )

    async def pay(self, client_secret: str, card: str = "pm_card_visa") -> PaymentIntent:
        """Confirm a payment. Raises stripe.CardError when the card is refused."""
        intent_id = client_secret.split("_secret_", maxsplit=1)[0]
        # The SDK's types know what a server may send, not the client secret of an app.
        params = {"client_secret": client_secret, "payment_method": card}
        return await self._stripe.v1.payment_intents.confirm_async(
            intent_id, cast("PaymentIntentConfirmParams", params)
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]


async def until(
    look: Callable[[], Awaitable[Found | None]],
    *,
    within: float = 60.0,
    pause: float = _LOOK_AGAIN_SECONDS,
) -> Found:
    """Look every `pause` seconds until something is found.

    Raises TimeoutError after `within` seconds.
    """
    async with asyncio.timeout(within):
        while True:
            found = await look()
            if found:
                return found
            await asyncio.sleep(pause)
