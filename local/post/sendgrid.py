"""SendGrid, as far as it takes a mail."""

from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse

from local.post.box import Box, Received, now
from local.post.faults import Faults, answer, arrives


def routes(box: Box, faults: Faults) -> APIRouter:
    """SendGrid's, for any key."""
    router = APIRouter()

    @router.post("/v3/mail/send")
    async def send(mail: dict[str, Any], authorization: str = Header(default="")) -> Response:
        if not authorization.startswith("Bearer "):
            return _problem("no key", 401)
        (to,) = [to["email"] for one in mail["personalizations"] for to in one["to"]]
        struck = faults.strike(to)
        parts = {part["type"]: part["value"] for part in mail["content"]}
        if arrives(struck):
            box.put(
                Received(
                    kind="mail",
                    to=to,
                    sender=mail["from"]["email"],
                    subject=mail["subject"],
                    words=parts["text/plain"],
                    html=parts.get("text/html"),
                    message_id=mail["headers"]["Message-ID"],
                    at=now(),
                )
            )
        # It takes what will bounce later.
        no = _problem("no", 400)
        taken = Response(status_code=202, headers={"X-Message-Id": uuid4().hex})
        return answer(struck, dead=taken, refused=no) or taken

    return router


def _problem(words: str, status: int) -> Response:
    return JSONResponse({"errors": [{"message": words, "field": None, "help": None}]}, status)
