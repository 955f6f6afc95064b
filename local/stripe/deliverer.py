"""Sends what is owed to webhook endpoints, signed, for as long as the server runs.

Each endpoint is served by a task of its own, one delivery after another in the order of creation.
A delivery that fails comes back later and the next one goes ahead of it; one that hangs holds up
the next for a moment only.
"""

import asyncio
import hashlib
import hmac
import json
import time

import httpx

from local.stripe import clock, deliveries, events
from local.stripe.deliveries import Attempt, Delivery
from local.stripe.resources import EVENT, anywhere
from local.stripe.store import Store, StripeObject

TIMEOUT_SECONDS = 10.0
# How long the next delivery to an endpoint waits for the answer to the one before it.
PATIENCE_SECONDS = 0.5

HEADERS = {
    "Accept": "*/*; q=0.5, application/xml",
    "Cache-Control": "no-cache",
    "Content-Type": "application/json; charset=utf-8",
    "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
}


class Deliverer:
    """Works off the deliveries that are owed."""

    def __init__(self, store: Store, retry_seconds: float) -> None:
        """Try again `retry_seconds` after a first failure, then with pauses that double."""
        self._store = store
        self._retry_seconds = retry_seconds
        self._changed = asyncio.Event()
        self._under_way: set[int] = set()
        self._busy: set[str] = set()

    def wake(self) -> None:
        """Look at what is owed: it may have changed."""
        self._changed.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with self._client() as client, asyncio.TaskGroup() as tasks:
            while True:
                longest = self._serve_what_is_due(client, tasks)
                # Looking woke us, too; nothing else ran since, so nothing is missed.
                self._changed.clear()
                await self._sleep(longest)

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            follow_redirects=False,
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
            # An endpoint may close a connection it kept just as the next event is sent over it.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def _serve_what_is_due(
        self, client: httpx.AsyncClient, tasks: asyncio.TaskGroup
    ) -> float | None:
        """Start serving idle endpoints; return after how many seconds to look again."""
        with self._store.transaction() as tx:
            if deliveries.behaviour(tx).paused:
                return None
            for endpoint_id in deliveries.endpoints_due(tx, self._under_way, self._busy):
                self._busy.add(endpoint_id)
                tasks.create_task(self._serve(client, tasks, endpoint_id))
            return deliveries.seconds_until_due(tx, self._under_way, self._busy)

    async def _sleep(self, longest: float | None) -> None:
        try:
            async with asyncio.timeout(longest):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _serve(
        self, client: httpx.AsyncClient, tasks: asyncio.TaskGroup, endpoint_id: str
    ) -> None:
        """Send one endpoint what is due to it."""
        while (delivery := self._next(endpoint_id)) is not None:
            self._under_way.add(delivery.id)
            attempt = tasks.create_task(self._deliver(client, delivery))
            await asyncio.wait({attempt}, timeout=PATIENCE_SECONDS)
        self._busy.discard(endpoint_id)
        self.wake()

    def _next(self, endpoint_id: str) -> Delivery | None:
        with self._store.transaction() as tx:
            if deliveries.behaviour(tx).paused:
                return None
            return deliveries.next_due(tx, endpoint_id, self._under_way)

    async def _deliver(self, client: httpx.AsyncClient, delivery: Delivery) -> None:
        with self._store.transaction() as tx:
            endpoint = tx.get(delivery.endpoint)
            if endpoint is None or endpoint["status"] != "enabled":
                deliveries.drop(tx, delivery)
                self._under_way.discard(delivery.id)
                return
            secret = tx.private(delivery.endpoint)["secret"]
            event = events.present(tx, anywhere(tx, EVENT, delivery.event))
        attempt = await self._send(client, endpoint["url"], secret, event)
        with self._store.transaction() as tx:
            deliveries.record(tx, delivery, attempt, self._retry_seconds)
        self._under_way.discard(delivery.id)

    async def _send(
        self, client: httpx.AsyncClient, url: str, secret: str, event: StripeObject
    ) -> Attempt:
        payload = json.dumps(event, indent=2)
        headers = HEADERS | {"Stripe-Signature": signature(payload, secret, int(clock.precise()))}
        at, started = clock.precise(), time.monotonic()
        status_code, error = None, None
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                response = await client.post(url, content=payload, headers=headers)
            status_code = response.status_code
        except TimeoutError:
            error = f"no answer within {TIMEOUT_SECONDS:g} seconds"
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            error = f"{type(failure).__name__}: {failure}"
        duration_ms = (time.monotonic() - started) * 1000
        return Attempt(at, round(duration_ms, 3), status_code, error)


def signature(payload: str, secret: str, timestamp: int) -> str:
    """Return the `Stripe-Signature` of a payload sent at `timestamp`."""
    signed = f"{timestamp}.{payload}".encode()
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"
