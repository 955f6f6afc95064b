"""Slack's incoming webhooks, of any name."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from local.post.box import Box, Received, now
from local.post.faults import Faults, answer, arrives


def routes(box: Box, faults: Faults) -> APIRouter:
    """Slack's."""
    router = APIRouter()

    @router.post("/slack/{name}")
    async def post(name: str, said: dict[str, Any]) -> Response:
        struck = faults.strike(name)
        if arrives(struck):
            box.put(Received(kind="webhook", to=name, words=said["text"], at=now()))
        return answer(
            struck,
            dead=PlainTextResponse("no_service", 404),
            refused=PlainTextResponse("invalid_payload", 400),
        ) or PlainTextResponse("ok")

    return router
