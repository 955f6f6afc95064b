"""Who has logged in at the stand-in, and the codes and tokens that came of it."""

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from domain.social import Provider

CLIENT_ID = "ridendine-local"
CLIENT_SECRET = "a-secret-for-one-machine"  # noqa: S105 - of a stand-in
TEAM_ID = "RIDENDINE1"
KEY_ID = "LOCALKEY01"

_TOKEN_SECONDS = 600


class Fault(StrEnum):
    """What is wrong with what comes of a login."""

    NONE = ""
    WRONG_NONCE = "wrong_nonce"
    WRONG_AUDIENCE = "wrong_audience"
    WRONG_ISSUER = "wrong_issuer"
    WRONG_CLIENT = "wrong_client"
    EXPIRED = "expired"
    FORGED = "forged"
    UNKNOWN_KEY = "unknown_key"
    UNSIGNED = "unsigned"
    NO_SUBJECT = "no_subject"
    NOT_JSON = "not_json"
    DOWN = "down"
    DOWN_ONCE = "down_once"
    SLOW = "slow"


class Denied(Exception):
    """A request to the token endpoint that gets nothing: OAuth's word for why."""


@dataclass
class Login:
    """Somebody who has logged in, for a client that asked in this way."""

    provider: Provider
    email: str
    is_verified: bool
    first_name: str
    last_name: str
    redirect_uri: str
    challenge: str
    nonce: str | None
    fault: Fault

    @property
    def subject(self) -> str:
        """The same person is the same one for ever, and another one at another provider."""
        return hashlib.sha256(f"{self.provider}:{self.email}".encode()).hexdigest()[:24]


class Logins:
    """What the three remember until they are stopped."""

    def __init__(self) -> None:
        self.key = _Key()
        self.apple = ec.generate_private_key(ec.SECP256R1())
        self._forger = _Key(kid=self.key.kid)
        self._unknown = _Key()
        self._codes: dict[str, Login] = {}
        self._tokens: dict[str, Login] = {}

    def code(self, login: Login) -> str:
        """A code that is good once."""
        code = secrets.token_urlsafe(24)
        self._codes[code] = login
        return code

    def clients(self, address: str) -> dict[str, dict[str, str]]:
        """What the operator is at each: what he would be told when he registers."""
        own = {"client_id": CLIENT_ID}
        key = self.apple.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        by_key = {"team_id": TEAM_ID, "key_id": KEY_ID, "private_key": key}
        return {
            provider: {
                **own,
                **(by_key if provider is Provider.APPLE else {"client_secret": CLIENT_SECRET}),
                "base_url": f"{address}/{provider}",
            }
            for provider in Provider
        }

    def about(self, code: str) -> Login | None:
        """Whose code it is, used or not."""
        return self._codes.get(code)

    def exchange(self, provider: Provider, form: Mapping[str, str], issuer: str) -> dict[str, Any]:
        """The tokens for a code. Raises Denied."""
        self._check_client(provider, form, issuer)
        if form.get("grant_type") != "authorization_code":
            raise Denied("unsupported_grant_type")
        login = self._codes.pop(form.get("code", ""), None)
        if login is None or login.provider is not provider:
            raise Denied("invalid_grant")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != login.challenge or form.get("redirect_uri") != login.redirect_uri:
            raise Denied("invalid_grant")
        token = secrets.token_urlsafe(24)
        self._tokens[token] = login
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": _TOKEN_SECONDS}
        if provider is Provider.FACEBOOK:
            return answer
        return {**answer, "id_token": self._id_token(login, issuer)}

    def who(self, token: str) -> dict[str, Any] | None:
        """Facebook's `me`."""
        login = self._tokens.get(token)
        if login is None:
            return None
        me = {"first_name": login.first_name, "last_name": login.last_name}
        if login.email:
            me["email"] = login.email
        return me if login.fault is Fault.NO_SUBJECT else {**me, "id": login.subject}

    def _check_client(self, provider: Provider, form: Mapping[str, str], issuer: str) -> None:
        secret = form.get("client_secret", "")
        if form.get("client_id") != CLIENT_ID:
            raise Denied("invalid_client")
        if provider is not Provider.APPLE:
            if secret != CLIENT_SECRET:
                raise Denied("invalid_client")
            return
        try:
            said = jwt.decode(
                secret, self.apple.public_key(), ["ES256"], audience=issuer, issuer=TEAM_ID
            )
        except jwt.InvalidTokenError as error:
            raise Denied("invalid_client") from error
        if said.get("sub") != CLIENT_ID or jwt.get_unverified_header(secret)["kid"] != KEY_ID:
            raise Denied("invalid_client")

    def _id_token(self, login: Login, issuer: str) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": issuer,
            "aud": CLIENT_ID,
            "sub": login.subject,
            "iat": now,
            "exp": now + _TOKEN_SECONDS,
            "nonce": login.nonce,
            "email": login.email,
            "email_verified": login.is_verified,
        }
        if login.provider is Provider.APPLE:
            # Apple writes it so, and tells the name only along with the code.
            claims["email_verified"] = "true" if login.is_verified else "false"
        else:
            claims |= {"given_name": login.first_name, "family_name": login.last_name}
        return self._signed({**claims, **_spoilt(login.fault, now)}, login.fault)

    def _signed(self, claims: dict[str, Any], fault: Fault) -> str:
        match fault:
            case Fault.FORGED:
                return self._forger.signed(claims)
            case Fault.UNKNOWN_KEY:
                return self._unknown.signed(claims)
            case Fault.UNSIGNED:
                return jwt.encode(claims, "", "none", headers={"kid": self.key.kid})
            case _:
                return self.key.signed(claims)


def _spoilt(fault: Fault, now: int) -> dict[str, Any]:
    """The claims that are wrong."""
    spoilt: dict[Fault, dict[str, Any]] = {
        Fault.WRONG_NONCE: {"nonce": "of-somebody-else"},
        Fault.WRONG_AUDIENCE: {"aud": "another-client"},
        Fault.WRONG_ISSUER: {"iss": "https://accounts.example.com"},
        Fault.WRONG_CLIENT: {"aud": [CLIENT_ID, "another-client"], "azp": "another-client"},
        Fault.EXPIRED: {"iat": now - 7200, "exp": now - 3600},
        Fault.NO_SUBJECT: {"sub": ""},
    }
    return spoilt.get(fault, {})


class _Key:
    """A key that signs ID tokens."""

    def __init__(self, kid: str | None = None) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.kid = kid or secrets.token_hex(8)

    def signed(self, claims: Mapping[str, Any]) -> str:
        return jwt.encode(dict(claims), self._private, "RS256", headers={"kid": self.kid})

    def public(self) -> dict[str, Any]:
        """As it is published."""
        written = jwt.algorithms.RSAAlgorithm.to_jwk(self._private.public_key(), as_dict=True)
        return {**written, "kid": self.kid, "alg": "RS256", "use": "sig"}
