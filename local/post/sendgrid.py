"""SendGrid, as far as it takes a mail and tells later what became of it.

`POST /_control/sendgrid/events` has it tell somebody (`url`), signed, that something has happened
to the newest mail to an address; `GET /_control/sendgrid/key` is what its console shows for that.
"""

import base64
import json
from typing import Any
from uuid import uuid4

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel

from local.post.box import Box, Received, now
from local.post.faults import Faults, answer, arrives


class Happened(BaseModel):
    """What has happened to the newest mail to somebody, in SendGrid's words, and who is told."""

    url: str
    to: str
    events: list[dict[str, Any]]


class Told(BaseModel):
    """What whoever was told has answered."""

    status: int
    body: Any


class Signing:
    """What its events are signed with, for as long as it runs."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def shown(self) -> str:
        """The public half, as the console shows it."""
        key = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(key).decode()

    def headers(self, body: bytes) -> dict[str, str]:
        """What a body goes out with."""
        at = str(int(now().timestamp()))
        signature = self._key.sign(at.encode() + body, ec.ECDSA(SHA256()))
        return {
            "Content-Type": "application/json",
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": at,
        }


def routes(box: Box, faults: Faults) -> APIRouter:
    """SendGrid's, for any key."""
    router = APIRouter()
    signing = Signing()
    # What whoever has sent the newest mail to an address wants to be told with its events.
    arguments: dict[str, dict[str, Any]] = {}

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
        said = answer(struck, dead=taken, refused=no) or taken
        if said is taken or arrives(struck):
            (one,) = mail["personalizations"]
            arguments[to.lower()] = one.get("custom_args", {})
        return said

    @router.get("/_control/sendgrid/key")
    async def key() -> Response:
        return PlainTextResponse(signing.shown)

    @router.post("/_control/sendgrid/events")
    async def happen(happened: Happened) -> Told:
        about = {"email": happened.to, **arguments.get(happened.to.lower(), {})}
        body = json.dumps(
            [
                {"timestamp": int(now().timestamp()), "sg_event_id": uuid4().hex, **about, **event}
                for event in happened.events
            ]
        ).encode()
        async with httpx.AsyncClient() as http:
            said = await http.post(happened.url, content=body, headers=signing.headers(body))
        return Told(status=said.status_code, body=said.json())

    return router


def _problem(words: str, status: int) -> Response:
    return JSONResponse({"errors": [{"message": words, "field": None, "help": None}]}, status)
