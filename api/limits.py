"""How much a request may bring along."""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The largest order has 50 dishes with instructions; Stripe's events are smaller.
MOST_BODY_BYTES = 256 * 1024

# Where a request holds what its own operation lets it bring along.
_MOST = "ridendine.most_body_bytes"


class BodyTooLarge(HTTPException):
    """A body is longer than anything that is asked for here."""

    def __init__(self, most: int) -> None:
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body is {most} bytes at most")


class BodyLimit:
    """Stops reading a body at MOST_BODY_BYTES, whether or not its length was announced; at another
    length where an operation has said so (`whole_body`).

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
            most = scope.get(_MOST, MOST_BODY_BYTES)
            if received > most:
                raise BodyTooLarge(most)
            return message

        await self._app(scope, watched if scope["type"] == "http" else receive, send)


async def whole_body(request: Request, most: int) -> bytes:
    """A body of at most so many bytes, once it is known who sends it.

    Raises BodyTooLarge, before anything is read where the length was announced.
    """
    request.scope[_MOST] = most
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most:
        raise BodyTooLarge(most)
    return await request.body()
