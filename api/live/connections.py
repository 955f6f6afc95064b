"""Cutting a connection off, for which ASGI has no word: a server that closes one waits until what
it has written is read, and whoever does not read would keep it for as long as he likes.
"""

from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

_SERVED_BY = "ridendine.served_by"


class Severable:
    """Remembers what serves a request, on the outside of everything that wraps `receive`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        # Under uvicorn, `receive` belongs to what has the connection.
        scope[_SERVED_BY] = getattr(receive, "__self__", None)
        await self._app(scope, receive, send)


def sever(scope: Scope) -> None:
    """Cut a request's connection off, whatever is still to be sent; nothing where it is gone, or
    where the server has none to show.
    """
    served_by: Any = scope.get(_SERVED_BY)
    transport = getattr(served_by, "transport", None)
    if transport is not None:
        transport.abort()
