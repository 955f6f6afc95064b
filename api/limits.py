"""How much a request may bring along."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The largest order has 50 dishes with instructions; Stripe's events are smaller.
MOST_BODY_BYTES = 256 * 1024


class BodyTooLarge(HTTPException):
    """A body is longer than anything that is asked for here."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body is {MOST_BODY_BYTES} bytes at most"
        )


class BodyLimit:
    """Stops reading a body at MOST_BODY_BYTES, whether or not its length was announced.

    Otherwise anybody could have a process hold a body of any size, and parse it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its body watched. Reading too much of it raises BodyTooLarge."""
        received = 0

        async def watched() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MOST_BODY_BYTES:
                raise BodyTooLarge
            return message

        await self._app(scope, watched if scope["type"] == "http" else receive, send)
