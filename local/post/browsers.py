"""Browsers that have subscribed to pushes, and the push service that reaches them."""

import base64
import json
import os
from typing import Annotated
from uuid import uuid4

import http_ece  # type: ignore[import-untyped]
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import APIRouter, Header, Request, Response

from local.post.box import Box, Received, now
from local.post.faults import Faults, answer, arrives, base

_CURVE = ec.SECP256R1()


class Browser:
    """A browser, and what only it can read."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(_CURVE)
        self._auth = os.urandom(16)

    @property
    def keys(self) -> dict[str, str]:
        """What it tells whoever may write to it."""
        point = self._key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return {"p256dh": _written(point), "auth": _written(self._auth)}

    def read(self, body: bytes) -> dict[str, str]:
        """What a push says."""
        plain = http_ece.decrypt(
            body, private_key=self._key, auth_secret=self._auth, version="aes128gcm"
        )
        said: dict[str, str] = json.loads(plain)
        return said


def routes(box: Box, faults: Faults) -> APIRouter:
    """A push service's, and a way to have a browser subscribe."""
    router = APIRouter()
    browsers: dict[str, Browser] = {}

    @router.post("/_control/subscriptions", status_code=201)
    async def subscribe(request: Request) -> dict[str, object]:
        name, browser = uuid4().hex, Browser()
        browsers[name] = browser
        return {"endpoint": f"{base(request)}/browsers/{name}", "keys": browser.keys}

    @router.post("/browsers/{name}")
    async def push(
        request: Request,
        name: str,
        authorization: Annotated[str, Header()],
        ttl: Annotated[int, Header()],  # noqa: ARG001 - RFC 8030, 5.2: asked for
    ) -> Response:
        here = f"{base(request)}/browsers/{name}"
        if name not in browsers:
            return Response(status_code=404)
        if not _is_signed(authorization, base(request)):
            return Response(status_code=403)
        struck = faults.strike(here)
        if arrives(struck):
            said = browsers[name].read(await request.body())
            box.put(
                Received(
                    kind="web_push",
                    to=here,
                    subject=said["title"],
                    words=said["body"],
                    message_id=said["tag"],
                    at=now(),
                )
            )
        created = Response(status_code=201, headers={"Location": f"{here}/{uuid4()}"})
        return (
            answer(struck, dead=Response(status_code=410), refused=Response(status_code=400))
            or created
        )

    return router


def _is_signed(authorization: str, audience: str) -> bool:
    """Whether a push is signed as RFC 8292 has it."""
    scheme, _, rest = authorization.partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    if scheme != "vapid" or parts.keys() != {"t", "k"}:
        return False
    point = base64.urlsafe_b64decode(parts["k"] + "=" * (-len(parts["k"]) % 4))
    try:
        jwt.decode(
            parts["t"],
            ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point),
            algorithms=["ES256"],
            audience=audience,
            options={"require": ["exp", "aud", "sub"]},
        )
    except jwt.InvalidTokenError:
        return False
    return True


def _written(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
