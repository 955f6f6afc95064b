"""The ways to hear what happens, as parts of the facade."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.routing import WebSocketRoute

from along import along
from api.dependencies import Services
from api.live import garbage, plain, socket_io
from api.live.feed import WAIT, Feed
from api.live.socket_io import Door
from providers.live import Live
from providers.redis import connect_redis

# Beyond what Redis holds a request for.
_PATIENCE_SECONDS = WAIT.total_seconds() + 2


def install(app: FastAPI) -> Door:
    """Have an application serve clients that listen, once it is open to them."""
    door = Door()
    app.mount(socket_io.PATH, door)
    app.router.routes.append(WebSocketRoute(plain.PATH, plain.serve))
    return door


@asynccontextmanager
async def open_to_clients(door: Door, held: Services) -> AsyncIterator[None]:
    """Hear what happens, and pass it on, until the process ends."""
    ear = connect_redis(held.settings.redis_url, _PATIENCE_SECONDS, tells_of_breaks=True)
    door.held = held
    try:
        async with along(Feed(Live(ear), held.hub, held.shut_outs).run()):
            with garbage.looked_for_seldom():
                yield
    finally:
        await door.shutdown()
        await ear.aclose()
