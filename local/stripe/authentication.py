"""API keys: every test key is good; a publishable one is for browsers and may do little."""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from local.stripe.errors import Forbidden, Unauthenticated

SECRET_PREFIXES = ("sk_test_", "rk_test_")
PUBLISHABLE_PREFIX = "pk_test_"

NO_KEY = (
    "You did not provide an API key. You need to provide your API key in the Authorization header, "
    "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See "
    "https://stripe.com/docs/api#authentication for details, or we can help at "
    "https://support.stripe.com/."
)
PUBLISHABLE_KEY = (
    "This API call cannot be made with a publishable API key. Please use a secret API key. You can "
    "find a list of your API keys at https://dashboard.stripe.com/account/apikeys."
)


@dataclass(frozen=True)
class Caller:
    """Who sends a request."""

    # A digest of the API key, which is what Idempotency-Keys belong to.
    owner: str
    # The API key as messages show it.
    masked_key: str
    publishable: bool

    def may(self, *, publishable: bool) -> None:
        """Refuse what a publishable key may not do, unless the operation is open to it."""
        if self.publishable and not publishable:
            raise Forbidden(PUBLISHABLE_KEY, code="secret_key_required")


def identify(authorization: str | None) -> Caller:
    """Return who a request's Authorization header names."""
    key = _key(authorization or "")
    if not key:
        raise Unauthenticated(NO_KEY)
    if not key.startswith((*SECRET_PREFIXES, PUBLISHABLE_PREFIX)):
        raise Unauthenticated(f"Invalid API Key provided: {_masked(key)}")
    return Caller(
        owner=hashlib.sha256(key.encode()).hexdigest(),
        masked_key=_masked(key),
        publishable=key.startswith(PUBLISHABLE_PREFIX),
    )


def _key(authorization: str) -> str:
    scheme, _, credentials = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            return credentials.strip()
        case "basic":
            return _user(credentials)
        case _:
            return ""


def _user(credentials: str) -> str:
    """Return the user name of HTTP basic authentication, where curl's `-u key:` puts the key."""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _masked(key: str) -> str:
    """Return a key with all but its ends hidden."""
    return f"{key[:8]}{'*' * max(0, len(key) - 12)}{key[-4:]}"
