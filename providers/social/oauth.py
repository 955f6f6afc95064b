"""One provider: the address where people are sent to, and what it says of who comes back."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
import jwt
from authlib.oauth2.rfc6749.parameters import (  # type: ignore[import-untyped]
    prepare_grant_uri,
)
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]

from domain.social import Client, Identity, Provider
from providers.social.endpoints import Endpoints

_ALGORITHMS = ["RS256"]
_LEEWAY_SECONDS = 30
_KEYS_KEPT_SECONDS = 3600.0
# Who sends tokens with keys that nobody knows must not have us ask for them all the time.
_KEYS_ASKED_AGAIN_SECONDS = 30.0
# Apple takes one for half a year; it is made for each exchange.
_SECRET_SECONDS = 300
_LONGEST_NAME = 100
# OpenID Connect Core, section 2, and RFC 5321, section 4.5.3.1.3.
_LONGEST_SUBJECT = 255
_LONGEST_ADDRESS = 254


class SocialAway(Exception):
    """A provider does not answer, or nothing that can be read."""


class SocialRefused(Exception):
    """A provider does not vouch for who came back, or not to us."""


@dataclass(frozen=True)
class Verifier:
    """What is kept of a login while somebody is away at the provider: what proves that the code is
    ours (PKCE), and what proves that the answer is to our question (nonce).
    """

    code_verifier: str
    nonce: str


class SocialLogin:
    """A provider, as one operator's client. Raises ValueError for a key that is none."""

    def __init__(
        self, provider: Provider, client: Client, endpoints: Endpoints, http: httpx.AsyncClient
    ) -> None:
        self._provider = provider
        self._client = client
        self._endpoints = endpoints
        self._http = http
        self._keys: dict[str, jwt.PyJWK] = {}
        self._keys_asked = -_KEYS_KEPT_SECONDS
        try:
            self._secret()
        except (ValueError, TypeError, jwt.PyJWTError):
            # Not the cause: its words may hold some of the key.
            raise ValueError(f"{provider} has no private key in PEM, of P-256") from None

    def address(self, redirect_uri: str, state: str, verifier: Verifier) -> str:
        """Where somebody is sent to log in."""
        at = self._endpoints
        address: str = prepare_grant_uri(
            at.authorize,
            self._client.client_id,
            "code",
            redirect_uri,
            at.scope,
            state,
            code_challenge=create_s256_code_challenge(verifier.code_verifier),
            code_challenge_method="S256",
            nonce=verifier.nonce if at.keys else None,
            response_mode=at.response_mode,
        )
        return address

    async def identity(self, code: str, redirect_uri: str, verifier: Verifier) -> Identity:
        """Who has come back with a code. Raises SocialAway and SocialRefused."""
        answer = await self._ask(
            "POST",
            self._endpoints.token,
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "client_id": self._client.client_id,
                "client_secret": self._secret(),
                "code_verifier": verifier.code_verifier,
            },
        )
        if self._endpoints.userinfo:
            return await self._by_userinfo(str(answer.get("access_token", "")))
        return await self._by_id_token(str(answer.get("id_token", "")), verifier.nonce)

    async def _by_userinfo(self, access_token: str) -> Identity:
        said = await self._ask(
            "GET",
            self._endpoints.userinfo or "",
            headers={"Authorization": f"Bearer {access_token}"},
        )
        return self._identity(said.get("id"), said, said.get("first_name"), said.get("last_name"))

    async def _by_id_token(self, token: str, nonce: str) -> Identity:
        try:
            key = await self._key(str(jwt.get_unverified_header(token).get("kid")))
            said = jwt.decode(
                token,
                key,
                _ALGORITHMS,
                audience=self._client.client_id,
                issuer=self._endpoints.issuers,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
            )
        except jwt.InvalidTokenError as error:
            raise SocialRefused(f"its ID token is not good: {error}") from error
        if said["nonce"] != nonce:
            raise SocialRefused("its ID token answers somebody else's question")
        if said.get("azp", self._client.client_id) != self._client.client_id:
            raise SocialRefused("its ID token was given to another client")
        return self._identity(said["sub"], said, said.get("given_name"), said.get("family_name"))

    def _identity(
        self, subject: object, said: Mapping[str, Any], first_name: object, last_name: object
    ) -> Identity:
        if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
            raise SocialRefused("it does not say who it is")
        # Apple's is a text.
        verified = said.get("email_verified") in {True, "true"} or self._client.email_is_verified
        return Identity(
            provider=self._provider,
            subject=subject,
            email=_address(said.get("email")),
            email_is_verified=verified,
            first_name=clean(first_name),
            last_name=clean(last_name),
        )

    async def _key(self, kid: str) -> jwt.PyJWK:
        """The provider's key of that name, asked for again where it may be a new one."""
        age = time.monotonic() - self._keys_asked
        if age > _KEYS_KEPT_SECONDS or (kid not in self._keys and age > _KEYS_ASKED_AGAIN_SECONDS):
            answer = await self._ask("GET", self._endpoints.keys or "")
            try:
                read = jwt.PyJWKSet.from_dict(answer).keys
            except (jwt.PyJWKError, jwt.PyJWKSetError) as error:
                raise SocialAway("its keys cannot be read") from error
            self._keys = {key.key_id: key for key in read if key.key_id}
            self._keys_asked = time.monotonic()
        if kid not in self._keys:
            raise SocialRefused("its ID token is signed with no key of the provider's")
        return self._keys[kid]

    async def _ask(self, method: str, address: str, **what: Any) -> dict[str, Any]:
        try:
            response = await self._http.request(method, address, **what)
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            # Not the error's words: they may hold the code.
            raise SocialAway(f"{self._provider} does not answer: {type(error).__name__}") from None
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or not isinstance(answer, dict):
            raise SocialAway(f"{self._provider} answers {response.status_code}")
        if response.is_error:
            raise SocialRefused(f"{self._provider} says {_why(answer.get('error'))}")
        return answer

    def _secret(self) -> str:
        client = self._client
        if not client.private_key:
            return client.client_secret
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": client.team_id,
            "sub": client.client_id,
            "aud": self._endpoints.audience,
            "iat": now,
            "exp": now + _SECRET_SECONDS,
        }
        return jwt.encode(claims, client.private_key, "ES256", headers={"kid": client.key_id})


def clean(name: object) -> str:
    """A name as somebody else has it, as one that we can keep."""
    printable = "".join(c for c in name if c.isprintable()) if isinstance(name, str) else ""
    return printable.strip()[:_LONGEST_NAME]


def _address(said: object) -> str | None:
    if not isinstance(said, str) or len(said) > _LONGEST_ADDRESS:
        return None
    return said if "@" in said and said.isprintable() and " " not in said else None


def _why(error: object) -> str:
    """OAuth's word for it. Facebook says more, which may hold what was sent."""
    if isinstance(error, dict):
        return f"{error.get('type')} {error.get('code')}"[:100]
    return str(error)[:100]
