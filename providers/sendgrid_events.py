"""Whether it is SendGrid that tells what became of mails: its signature over a post of events
(https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features).
"""

import base64
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key


class BadSendGridKey(ValueError):
    """SENDGRID_WEBHOOK_KEY holds no public key on the curve P-256."""


@lru_cache(maxsize=8)
def public_key(written: str) -> EllipticCurvePublicKey:
    """A key as SendGrid's console shows it: base64 of its DER. Raises BadSendGridKey."""
    try:
        key = load_der_public_key(base64.b64decode(written.strip(), validate=True))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise BadSendGridKey("SENDGRID_WEBHOOK_KEY is no public key on the curve P-256")
    return key


def is_signed(payload: bytes, *, signature: str, timestamp: str, key: str) -> bool:
    """Whether SendGrid has signed a post. It may be a day old: what it could not bring at once, it
    brings again as it was. Raises BadSendGridKey.
    """
    known = public_key(key)
    try:
        signed = base64.b64decode(signature, validate=True)
        known.verify(signed, timestamp.encode() + payload, ECDSA(SHA256()))
    # What is not ASCII is no base64 either.
    except (ValueError, InvalidSignature):
        return False
    return True
