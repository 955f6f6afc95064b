"""Our key for web push (RFC 8292): it signs what is pushed, and browsers subscribe to its public
half.
"""

import base64
import binascii
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

_RAW_BYTES = 32


class BadVapidKey(ValueError):
    """VAPID_PRIVATE_KEY holds no private key on the curve P-256; it does not say what it holds."""


# Reading a key takes longer than signing with it.
@lru_cache(maxsize=8)
def private_key(written: str) -> EllipticCurvePrivateKey:
    """A key as settings have it: PEM, or base64 of its DER or of its 32 bytes, as in
    `npx web-push generate-vapid-keys`. Raises BadVapidKey.
    """
    try:
        key = _read(written.strip())
    except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise BadVapidKey("VAPID_PRIVATE_KEY is no private key on the curve P-256")
    return key


def public_key(key: EllipticCurvePrivateKey) -> str:
    """The public half of a key, as `PushManager.subscribe` takes it (`applicationServerKey`):
    base64url of the uncompressed point.
    """
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def _read(written: str) -> object:
    if "-----BEGIN" in written:
        # In an environment a PEM is often one line.
        return load_pem_private_key(written.replace("\\n", "\n").encode(), password=None)
    content = base64.urlsafe_b64decode(written.replace("+", "-").replace("/", "_") + "==")
    if len(content) == _RAW_BYTES:
        return derive_private_key(int.from_bytes(content), SECP256R1())
    return load_der_private_key(content, password=None)
