"""Firebase Cloud Messaging, and where Google hands out its access tokens."""

import json
import os
from typing import Annotated, Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import APIRouter, Form, Header, Request, Response
from fastapi.responses import JSONResponse

from local.post.box import Box, Received, now
from local.post.faults import Faults, answer, arrives, base

PROJECT = "ridendine-local"
_CLIENT = f"push@{PROJECT}.iam.example.com"
_TOKENS = "/fcm/token"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def routes(box: Box, faults: Faults) -> APIRouter:
    """Google's, with one project and one service account."""
    router = APIRouter()
    key = _key()
    given: set[str] = set()

    @router.get("/_control/service-account")
    async def account(request: Request) -> dict[str, str]:
        written = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return {
            "type": "service_account",
            "project_id": PROJECT,
            "client_email": _CLIENT,
            "private_key": written.decode(),
            "token_uri": f"{base(request)}{_TOKENS}",
        }

    @router.post(_TOKENS)
    async def token(
        request: Request,
        grant_type: Annotated[str, Form()],
        assertion: Annotated[str, Form()],
    ) -> Response:
        try:
            jwt.decode(
                assertion,
                key.public_key(),
                algorithms=["RS256"],
                audience=f"{base(request)}{_TOKENS}",
                issuer=_CLIENT,
                options={"require": ["exp", "iat", "aud", "iss"]},
            )
        except jwt.InvalidTokenError as error:
            return JSONResponse({"error": "invalid_grant", "error_description": str(error)}, 400)
        if grant_type != _GRANT:
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        access = f"ya29.{uuid4().hex}"
        given.add(access)
        return JSONResponse({"access_token": access, "expires_in": 3599, "token_type": "Bearer"})

    @router.post("/v1/projects/{project}/messages:send")
    async def send(
        project: str, asked: dict[str, Any], authorization: Annotated[str, Header()] = ""
    ) -> Response:
        if authorization.removeprefix("Bearer ") not in given or project != PROJECT:
            return _problem(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR")
        message = asked["message"]
        to, said = message["token"], message["notification"]
        struck = faults.strike(to)
        if arrives(struck):
            box.put(
                Received(
                    kind="push",
                    to=to,
                    sender=project,
                    subject=said["title"],
                    words=said["body"],
                    message_id=message["android"]["notification"]["tag"],
                    at=now(),
                )
            )
        name = f"projects/{project}/messages/{uuid4().int}"
        return answer(
            struck,
            dead=_problem(404, "NOT_FOUND", "UNREGISTERED"),
            refused=_problem(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
        ) or JSONResponse({"name": name})

    return router


def _key() -> rsa.RSAPrivateKey:
    """The service account's key: as it was told before, if there was a before."""
    told = os.environ.get("FCM_SERVICE_ACCOUNT")
    if told:
        known = serialization.load_pem_private_key(json.loads(told)["private_key"].encode(), None)
        if isinstance(known, rsa.RSAPrivateKey):
            return known
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _problem(status: int, name: str, code: str) -> Response:
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    error = {
        "code": status,
        "message": name.lower(),
        "status": name,
        "details": [{"@type": kind, "errorCode": code}],
    }
    return Response(json.dumps({"error": error}), status, media_type="application/json")
