"""A post office: a mail server, Twilio, SendGrid, Firebase, browsers and Slack, and one box for all
that they are told.

`POST /_control/faults` has something go wrong with messages to somebody (`local.post.faults`): to
an address, a number, a token, an endpoint, or the name of a webhook. `DELETE` with the same `to`
lifts it, `GET` says how often it struck.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiosmtpd.smtp import SMTP
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from local.post import browsers, fcm, sendgrid, slack, twilio
from local.post.box import Box, Received
from local.post.faults import Fault, Faults
from local.post.page import page
from local.post.smtp import Handler


def create_app(host: str, smtp_port: int) -> FastAPI:
    """A post office of its own, its mail server at `smtp_port`."""
    box, faults = Box(), Faults()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        def connection() -> SMTP:
            return SMTP(Handler(box, faults), hostname=host, ident="the post office")

        server = await asyncio.get_running_loop().create_server(connection, host, smtp_port)
        yield
        server.close()

    app = FastAPI(title="Post office", lifespan=lifespan)
    for provider in (twilio, sendgrid, fcm, browsers, slack):
        app.include_router(provider.routes(box, faults))

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/inbox")
    async def inbox(to: str | None = None) -> list[Received]:
        return box.to(to)

    @app.get("/")
    async def look() -> HTMLResponse:
        return HTMLResponse(page(box.to(None)))

    @app.post("/_control/faults")
    async def go_wrong(fault: Fault) -> dict[str, str]:
        faults.order(fault)
        return {"status": "ok"}

    @app.get("/_control/faults")
    async def struck(to: str) -> dict[str, int]:
        return {"struck": faults.struck(to)}

    @app.delete("/_control/faults")
    async def go_right(to: str) -> dict[str, str]:
        faults.lift(to)
        return {"status": "ok"}

    return app
