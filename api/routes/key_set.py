"""The public keys with which anybody can check our access tokens."""

from fastapi import APIRouter, Response

from api.dependencies import ServicesDep
from api.examples import shown
from api.keys import keyring
from api.permits import Anyone
from schema.messages.base import Message

router = APIRouter(tags=["Authentication"], dependencies=[Anyone])

# A key is told of before it signs anything: docs/operations.md.
_KEEP_SECONDS = 300


class KeyOut(Message):
    """A JSON Web Key (RFC 7517)."""

    kty: str
    use: str
    alg: str
    kid: str
    n: str
    e: str


class KeySetOut(Message):
    """The keys of tokens that are good today, the one that signs first."""

    model_config = shown(
        {
            "keys": [
                {
                    "kty": "RSA",
                    "use": "sig",
                    "alg": "RS256",
                    "kid": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
                    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86z…",
                    "e": "AQAB",
                }
            ]
        }
    )

    keys: list[KeyOut]


@router.get("/.well-known/jwks.json")
async def keys(held: ServicesDep, response: Response) -> KeySetOut:
    """Get the keys that access tokens are signed with, each by its `kid`."""
    response.headers["Cache-Control"] = f"public, max-age={_KEEP_SECONDS}"
    ring = keyring(held.settings)
    return KeySetOut(keys=[KeyOut(**key) for key in ring.jwks()])
