"""SendGrid's console, where its Event Webhook is switched on: it signs what it posts."""

import base64
import json
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PATH = "/api/v1/webhooks/sendgrid"
SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


class Console:
    """An account that signs with a key of its own."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def key(self) -> str:
        """What it shows."""
        return shown(self._key.public_key())

    def sign(self, body: bytes, at: str) -> str:
        """The signature of a post."""
        signature = self._key.sign(at.encode() + body, ec.ECDSA(SHA256()))
        return base64.b64encode(signature).decode()

    def body(self, payload: object) -> bytes:
        """A post as it goes out."""
        return json.dumps(payload).encode()

    async def post(
        self, http: httpx.AsyncClient, payload: object, at: str = "1769817600", **headers: str
    ) -> httpx.Response:
        """Post something, with the signature that belongs to it or other headers."""
        body = payload if isinstance(payload, bytes) else self.body(payload)
        signed = {SIGNATURE: self.sign(body, at), TIMESTAMP: at} | headers
        return await http.post(PATH, content=body, headers=signed)


def event(key: str, email: str, kind: str, **said: Any) -> dict[str, Any]:
    """What SendGrid says of a mail."""
    about = {"email": email, "key": key, "timestamp": 1769817600, "sg_event_id": "1"}
    return {**about, "event": kind, **said}


def bounce(key: str, email: str) -> dict[str, Any]:
    """Nothing arrives where a mail was to go."""
    reason = f"550 5.1.1 <{email}>: no such user"
    return event(key, email, "bounce", type="bounce", status="5.1.1", reason=reason)


def shown(key: PublicKeyTypes) -> str:
    """A key as a console shows it."""
    written = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(written).decode()
