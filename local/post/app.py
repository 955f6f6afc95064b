"""A post office: a mail server, Twilio's way to send an SMS, and the box in which both end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape
from typing import Annotated

from aiosmtpd.smtp import SMTP
from fastapi import FastAPI, Form, Response
from fastapi.responses import HTMLResponse, JSONResponse

from local.post.box import Box, Received, Refusal, now
from local.post.smtp import Handler

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Post</title>
<style>body {{ font: 1rem/1.5 sans-serif; max-width: 50rem; margin: 2rem auto }}
article {{ border-top: 1px solid #ccc }} pre {{ white-space: pre-wrap }}</style>
<h1>Post</h1>
{letters}
</html>
"""
_LETTER = """<article><p><b>{to}</b> ({kind}, {at:%H:%M:%S} UTC) {subject}</p>
<pre>{words}</pre></article>"""


def create_app(host: str, smtp_port: int) -> FastAPI:
    """A post office of its own, its mail server at `smtp_port`."""
    box = Box()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        def connection() -> SMTP:
            return SMTP(Handler(box), hostname=host, ident="the post office")

        server = await asyncio.get_running_loop().create_server(connection, host, smtp_port)
        yield
        server.close()

    app = FastAPI(title="Post office", lifespan=lifespan)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/2010-04-01/Accounts/{account}/Messages.json")
    async def send_sms(
        account: str,
        to: Annotated[str, Form(alias="To")],
        sender: Annotated[str, Form(alias="From")],
        words: Annotated[str, Form(alias="Body")],
    ) -> Response:
        refusal = box.next_refusal(to)
        if refusal is not None:
            status = 400 if refusal.for_good else 503
            return JSONResponse({"code": 21211, "message": "no", "status": status}, status)
        box.put(
            Received(
                kind="sms", to=to, sender=sender, subject="", words=words, message_id="", at=now()
            )
        )
        return JSONResponse({"account_sid": account, "status": "queued"}, 201)

    @app.get("/inbox")
    async def inbox(to: str | None = None) -> list[Received]:
        return box.to(to)

    @app.get("/")
    async def page() -> HTMLResponse:
        letters = [
            _LETTER.format(**{k: escape(v) if isinstance(v, str) else v for k, v in letter})
            for letter in box.to(None)
        ]
        return HTMLResponse(_PAGE.format(letters="\n".join(letters) or "<p>Nothing yet.</p>"))

    @app.post("/_control/refusals")
    async def refuse(refusal: Refusal) -> dict[str, str]:
        box.order(refusal)
        return {"status": "ok"}

    @app.get("/_control/refusals")
    async def refused(to: str) -> dict[str, int]:
        return {"refused": box.refused(to)}

    return app
