"""What every answer tells browsers."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from settings import Settings

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
# A page, such as /docs, needs its scripts; whatever else a browser may show, it must not run.
_PAGE = "frame-ancestors 'none'"
_DATA = f"default-src 'none'; {_PAGE}"


class SecurityHeaders:
    """Adds to every answer what keeps browsers from guessing, framing and telling; what a route has
    said itself stands.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._always: Mapping[str, str] = {**_ALWAYS, **_transport(settings)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer with the headers."""

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._always.items():
                    headers.setdefault(name, value)
                is_page = headers.get("content-type", "").startswith("text/html")
                headers.setdefault("Content-Security-Policy", _PAGE if is_page else _DATA)
            await send(message)

        await self._app(scope, receive, told if scope["type"] == "http" else send)


def _transport(settings: Settings) -> Mapping[str, str]:
    if not (settings.public_base_url.startswith("https://") and settings.hsts_seconds):
        return {}
    return {"Strict-Transport-Security": f"max-age={settings.hsts_seconds}"}
