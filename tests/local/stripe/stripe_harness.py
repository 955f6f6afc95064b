"""What these tests use: servers on free ports, the official SDK, webhook receivers."""

import asyncio
import json
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import stripe
import uvicorn
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from local.stripe import create_app, server
from tests.local.stripe.stripe_schema import check

T = TypeVar("T")

SECRET_KEY = "sk_test_0123456789"
PUBLISHABLE_KEY = "pk_test_0123456789"
DEADLINE_SECONDS = 10.0
REPOSITORY = Path(__file__).resolve().parents[3]


def eventually(look: Callable[[], T | None]) -> T:
    """Look again and again until there is something to see, and return it."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        seen = look()
        if seen:
            return seen
        time.sleep(0.005)
    raise AssertionError(f"nothing to see after {DEADLINE_SECONDS} seconds")


def order(**more: Any) -> Any:
    """Return the parameters of an intent that is paid by card."""
    return {
        "amount": 2000,
        "currency": "usd",
        "allowed_payment_method_types": ["card"],
        **more,
    }


def error_of(refused: pytest.ExceptionInfo[stripe.StripeError]) -> Any:
    """Return Stripe's error object."""
    body: Any = refused.value.json_body
    return body["error"]


def events_about(client: stripe.StripeClient, object_id: str) -> list[dict[str, Any]]:
    """Return the latest events about an object, or about what belongs to it, in order."""
    events = client.v1.events.list({"limit": 100}).to_dict()["data"]
    belonging = ("id", "charge", "payment_intent")
    return [
        event
        for event in events[::-1]
        if object_id in (event["data"]["object"].get(name) for name in belonging)
    ]


def types_about(client: stripe.StripeClient, object_id: str) -> list[str]:
    """Return the types of the latest events about an object and what belongs to it, in order."""
    return [event["type"] for event in events_about(client, object_id)]


class CheckedHttp(stripe.RequestsClient):
    """The SDK's HTTP, holding every answer against Stripe's own schema and retrying at once."""

    def _sleep_time_seconds(self, num_retries: int) -> float:
        return 0.02 * num_retries

    def request(self, *args: Any, **kwargs: Any) -> tuple[Any, int, Any]:
        content, status, headers = super().request(*args, **kwargs)
        check(json.loads(content))
        return content, status, headers


@dataclass
class Api:
    """A running server, and ways to talk to it."""

    url: str

    def client(self, key: str = SECRET_KEY, **options: Any) -> stripe.StripeClient:
        """Return the official SDK, pointed at this server."""
        return stripe.StripeClient(
            key,
            base_addresses={"api": self.url},
            http_client=CheckedHttp(timeout=DEADLINE_SECONDS),
            **options,
        )

    def http(self, method: str, path: str, form: str = "", **headers: str) -> httpx.Response:
        """Send a request with headers of one's own."""
        return httpx.request(
            method,
            self.url + path,
            content=form,
            headers={"Authorization": f"Bearer {SECRET_KEY}"} | headers,
        )

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Knock at the control door."""
        response = httpx.request(method, f"{self.url}/_control/{path}", json=body)
        response.raise_for_status()
        return response.json()

    def fault(self, match: str, kind: str, **fields: Any) -> None:
        """Have a fault befall requests."""
        self.control("POST", "faults", {"match": match, "kind": kind, **fields})

    def deliveries(self, **filters: str) -> list[dict[str, Any]]:
        """Return the log of deliveries."""
        response = httpx.get(f"{self.url}/_control/deliveries", params=filters)
        found: list[dict[str, Any]] = response.json()
        return found

    def connected(self, **fields: Any) -> str:
        """Return the id of a new connected account that may do everything."""
        account_id: str = self.control("POST", "accounts", fields)["id"]
        return account_id

    def fund(self, amount: int, account: str | None = None, currency: str = "usd") -> None:
        """Add to what an account has available; without an account, to the platform's."""
        funds = {"amount": amount, "currency": currency, "account": account}
        self.control("POST", "balance", funds)

    def paid(self, amount: int = 2000, card: str = "pm_card_visa", **more: Any) -> Any:
        """Return a PaymentIntent that was confirmed with a test card."""
        parameters = order(amount=amount, payment_method=card, confirm=True, **more)
        return self.client().v1.payment_intents.create(parameters)


class Stage:
    """A server in a thread, on which one Stripe after another plays.

    Starting and stopping a server takes longer than most tests, so the server stays.
    """

    def __init__(self) -> None:
        """Open on a free port."""
        # asyncio sends small answers without delay only if the socket says that it is TCP.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._playing: FastAPI | None = None
        self._loop = asyncio.new_event_loop()
        config = server.configure(self._pass_on, "127.0.0.1", 0)
        config.log_config = None
        config.interface = "asgi3"
        config.lifespan = "off"
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._server.serve([listener]),)
        )
        self._thread.start()
        eventually(lambda: self._server.started)

    @contextmanager
    def play(self, state: Path, retry_seconds: float = 0.02) -> Iterator[Api]:
        """Have a Stripe with this state answer for a while."""
        app = create_app(state, retry_seconds)
        started, over = threading.Event(), asyncio.Event()

        async def live() -> None:
            async with app.router.lifespan_context(app):
                started.set()
                await over.wait()

        life = asyncio.run_coroutine_threadsafe(live(), self._loop)
        assert started.wait(DEADLINE_SECONDS)
        self._playing = app
        try:
            yield Api(self.url)
        finally:
            self._loop.call_soon_threadsafe(over.set)
            life.result(DEADLINE_SECONDS)
            self._playing = None

    def close(self) -> None:
        """Stop the server."""
        self._server.should_exit = True
        self._thread.join()
        self._loop.close()

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._playing is not None
        await self._playing(scope, receive, send)


@contextmanager
def process(
    state: Path, retry_seconds: float = 0.02
) -> Iterator[tuple[Api, subprocess.Popen[bytes]]]:
    """Serve from a process of its own, which can be killed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "local.stripe", "--port", str(port), "--state", str(state)]
    command += ["--retry-seconds", str(retry_seconds)]
    api = Api(f"http://127.0.0.1:{port}")
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL) as running:
        try:
            eventually(lambda: _healthy(api))
            yield api, running
        finally:
            running.kill()


def _healthy(api: Api) -> bool:
    try:
        return httpx.get(f"{api.url}/healthz").is_success
    except httpx.TransportError:
        return False


@dataclass(frozen=True)
class Received:
    """A webhook as it arrived."""

    payload: bytes
    signature: str
    at: float

    @property
    def event(self) -> dict[str, Any]:
        """Return the event in it."""
        event: dict[str, Any] = json.loads(self.payload)
        return event


class Receiver:
    """A webhook endpoint of the tests' own."""

    def __init__(self) -> None:
        """Answer 200 to everything, until told otherwise."""
        self.arrived: queue.Queue[Received] = queue.Queue()
        # Says what to answer to an event; `None` closes the connection without an answer.
        self.answer: Callable[[dict[str, Any]], int | None] = lambda _: 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                payload = self.rfile.read(int(self.headers["Content-Length"]))
                received = Received(payload, self.headers["Stripe-Signature"], time.time())
                status = receiver.answer(received.event)
                receiver.arrived.put(received)
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Location", receiver.url)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def next(self) -> dict[str, Any]:
        """Return the next event to arrive, checked against Stripe's schema."""
        event = self.arrived.get(timeout=DEADLINE_SECONDS).event
        check(event)
        return event

    def types(self, count: int) -> list[str]:
        """Return the types of the next events to arrive."""
        return [self.next()["type"] for _ in range(count)]

    def stop(self) -> None:
        """Close the endpoint."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
