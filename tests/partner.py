"""A partner with a server of his own, who verifies what he gets with the library that
https://www.standardwebhooks.com has for it.
"""

import ssl
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from standardwebhooks import Webhook

from local.people import until
from local.ports import HOST


class Received(NamedTuple):
    """A message as it came, and what it was answered with."""

    headers: Mapping[str, str]
    body: bytes
    status: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> dict[str, Any]:
        """What it says. Raises WebhookVerificationError unless it is signed with a secret."""
        said: dict[str, Any] = Webhook(secret).verify(self.body, dict(self.headers))
        return said


class Partner:
    """Answers with `answers`, one after the other, and after them with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.text = b"thanks"
        self.answers: deque[int] = deque()
        self.received: list[Received] = []
        self.names: list[str | None] = []
        self.port = 0
        # Whoever is to hang, hangs until this is set.
        self.goes_on = threading.Event()
        self.goes_on.set()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/hook?till=1"

    @property
    def taken(self) -> list[Received]:
        """What was answered with a success."""
        return [one for one in self.received if 200 <= one.status < 300]

    async def has(self, count: int) -> list[Received]:
        """Wait until so much has come."""

        async def look() -> bool:
            return len(self.received) >= count

        await until(look, within=30)
        return self.received

    def answer(self, headers: Mapping[str, str], body: bytes) -> int:
        """Take a message."""
        status = self.answers.popleft() if self.answers else self.status
        self.received.append(Received({k.lower(): v for k, v in headers.items()}, body, status))
        return status


@contextmanager
def partner(tls: ssl.SSLContext | None = None) -> Iterator[Partner]:
    """A partner who listens."""
    here = Partner()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = here.answer(dict(self.headers), body)
            here.goes_on.wait()
            self.send_response(status)
            for name, value in here.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(here.text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        tls.sni_callback = lambda _, name, __: here.names.append(name)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    here.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield here
    finally:
        here.goes_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
