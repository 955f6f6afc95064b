"""Twilio, as far as it takes an SMS and tells which it has taken."""

from datetime import UTC, date, datetime
from email.utils import format_datetime
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Form, Query, Response
from fastapi.responses import JSONResponse

from local.post.box import Box, Received, now
from local.post.faults import Faults, answer, arrives


def routes(box: Box, faults: Faults) -> APIRouter:
    """Twilio's, for any account."""
    router = APIRouter(prefix="/2010-04-01/Accounts/{account}")

    @router.post("/Messages.json")
    async def send(
        account: str,
        to: Annotated[str, Form(alias="To")],
        sender: Annotated[str, Form(alias="From")],
        words: Annotated[str, Form(alias="Body")],
    ) -> Response:
        struck = faults.strike(to)
        sid = f"SM{uuid4().hex}"
        if arrives(struck):
            box.put(
                Received(kind="sms", to=to, sender=sender, words=words, message_id=sid, at=now())
            )
        return answer(
            struck, dead=_problem(21211, "not a number"), refused=_problem(21617, "too long")
        ) or JSONResponse({"sid": sid, "account_sid": account, "status": "queued"}, 201)

    @router.get("/Messages.json")
    async def list_messages(
        account: str,
        to: Annotated[str, Query(alias="To")],
        since: Annotated[date, Query(alias="DateSent>")],
    ) -> dict[str, object]:
        begin = datetime.combine(since, datetime.min.time(), UTC)
        found = [one for one in box.to(to) if one.kind == "sms" and one.at >= begin]
        return {
            "messages": [
                {
                    "sid": one.message_id,
                    "account_sid": account,
                    "to": one.to,
                    "body": one.words,
                    "status": "delivered",
                    "date_created": format_datetime(one.at),
                }
                for one in found
            ]
        }

    return router


def _problem(code: int, words: str) -> Response:
    return JSONResponse({"code": code, "message": words, "status": 400}, 400)
