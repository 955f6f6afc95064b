"""The keys that sign access tokens (seed 004, section 7.2) and those that once did, for everybody
who checks them.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)
from jwt.algorithms import RSAAlgorithm

from settings import Settings

ALGORITHM = "RS256"

# RFC 7518, section 3.3.
_FEWEST_BITS = 2048


class BadKey(ValueError):
    """A setting holds no RSA key of at least 2048 bits; it does not say what it holds."""


class Keyring(NamedTuple):
    """What signs, under which name, and what is accepted, by its name."""

    signing: RSAPrivateKey
    kid: str
    accepted: Mapping[str, RSAPublicKey]

    def jwks(self) -> list[dict[str, str]]:
        """The public halves, as JSON Web Keys, the one that signs first."""
        return [_jwk(key) | _USE | {"kid": kid} for kid, key in self.accepted.items()]


_USE = {"use": "sig", "alg": ALGORITHM}


def keyring(settings: Settings) -> Keyring:
    """The keys of the settings. Raises BadKey."""
    return _read(
        settings.jwt_private_key.get_secret_value(), settings.jwt_old_keys.get_secret_value()
    )


def thumbprint(key: RSAPublicKey) -> str:
    """A key's own name: RFC 7638."""
    written = json.dumps(_jwk(key), sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(written.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


# Reading a key takes longer than signing with it.
@lru_cache(maxsize=8)
def _read(private: str, old: str) -> Keyring:
    signing = _key(private)
    if not isinstance(signing, RSAPrivateKey):
        raise BadKey("JWT_PRIVATE_KEY is not a private key")
    accepted = [signing.public_key()]
    accepted += [_public(_key(text)) for text in old.split(",") if text.strip()]
    named = {thumbprint(key): key for key in accepted}
    return Keyring(signing, next(iter(named)), named)


def _public(key: RSAPrivateKey | RSAPublicKey) -> RSAPublicKey:
    return key.public_key() if isinstance(key, RSAPrivateKey) else key


def _key(text: str) -> RSAPrivateKey | RSAPublicKey:
    """A key in PEM, or one line of base64 of its DER."""
    key = _any_key(text.strip())
    if not isinstance(key, RSAPrivateKey | RSAPublicKey) or key.key_size < _FEWEST_BITS:
        raise BadKey(f"a key is RSA, of at least {_FEWEST_BITS} bits")
    return key


def _any_key(text: str) -> object:
    is_pem = text.startswith("-----")
    try:
        # An environment file has one line for each variable.
        data = text.replace("\\n", "\n").encode() if is_pem else base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise BadKey("a key is PEM, or base64 of its DER") from None
    private = load_pem_private_key if is_pem else load_der_private_key
    public = load_pem_public_key if is_pem else load_der_public_key
    try:
        return private(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        pass
    try:
        return public(data)
    except (ValueError, UnsupportedAlgorithm):
        raise BadKey("a key is PKCS #8 or a public key, without a password") from None


def _jwk(key: RSAPublicKey) -> dict[str, Any]:
    """What RFC 7638 takes of an RSA key."""
    written = RSAAlgorithm.to_jwk(key, as_dict=True)
    return {name: written[name] for name in ("e", "kty", "n")}
