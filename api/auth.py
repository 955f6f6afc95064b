"""Letting people in: password hashes, and short-lived JSON Web Tokens (seed 004, section 7.2)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import jwt
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher
from pydantic import BaseModel

from api.keys import ALGORITHM, keyring
from domain.permissions import permissions
from schema.queries import people
from schema.tables import Role
from settings import Settings

# argon2id for all that is new; the seeds' bcrypt is let in and hashed anew.
_passwords = PasswordHash((Argon2Hasher(), BcryptHasher()))
# Checked where there is no such user, so that the time to answer does not tell whether there is.
_NOBODYS_HASH = _passwords.hash("nobody's password")


class Principal(BaseModel):
    """Who is asking, by a token that was given to him at `issued_at`, a whole second, in a session
    that he logged in to at `logged_in_at`, as far as the token says.
    """

    user_id: UUID
    role: Role
    issued_at: datetime
    logged_in_at: datetime | None = None


class Checked(NamedTuple):
    """Whether a password was right; if so and the hash is of an older kind, a better one."""

    is_right: bool
    better_hash: str | None


def hash_password(password: str) -> str:
    """An argon2id hash."""
    return _passwords.hash(password)


async def hashed(password: str) -> str:
    """An argon2id hash, without holding up other requests: it is slow by design."""
    return await asyncio.to_thread(hash_password, password)


async def check_password(password: str, login: people.Login | None) -> Checked:
    """Whether a password is somebody's; of nobody, it takes as long."""
    known_hash = login.password_hash if login else _NOBODYS_HASH
    checked = await asyncio.to_thread(_checked, password, known_hash)
    return checked if login else Checked(is_right=False, better_hash=None)


def access_token(
    login: people.Login,
    settings: Settings,
    at: datetime | None = None,
    *,
    logged_in_at: datetime | None = None,
) -> str:
    """A token that says who its bearer is and what he may do, for a few minutes from `at` on, and
    when he logged in (OpenID Connect Core, section 2: auth_time).
    """
    now = at or datetime.now(UTC)
    ring = keyring(settings)
    claims: dict[str, Any] = {
        "sub": str(login.id),
        "email": login.email,
        "role": login.role.value,
        "permissions": permissions(login.role),
        "iat": now,
        "exp": now + timedelta(minutes=settings.access_token_minutes),
        "iss": settings.jwt_issuer,
    }
    if logged_in_at is not None:
        claims["auth_time"] = int(logged_in_at.timestamp())
    return jwt.encode(claims, ring.signing, ALGORITHM, headers={"kid": ring.kid})


def seconds_left(who: Principal, settings: Settings) -> int:
    """For how long the caller's token is good: one that is made of it lasts no longer."""
    end = who.issued_at + timedelta(minutes=settings.access_token_minutes)
    return max(0, int((end - datetime.now(UTC)).total_seconds()))


def principal(token: str, settings: Settings) -> Principal:
    """Who the bearer of a token is. Raises jwt.InvalidTokenError."""
    key = keyring(settings).accepted.get(jwt.get_unverified_header(token).get("kid", ""))
    if key is None:
        raise jwt.InvalidTokenError("signed with no key of ours")
    claims = jwt.decode(
        token,
        key,
        [ALGORITHM],
        issuer=settings.jwt_issuer,
        options={"require": ["sub", "role", "exp", "iat", "iss"]},
    )
    try:
        return Principal(
            user_id=claims["sub"],
            role=claims["role"],
            issued_at=claims["iat"],
            logged_in_at=claims.get("auth_time"),
        )
    except ValueError as error:
        raise jwt.InvalidTokenError("not one of our tokens") from error


def _checked(password: str, known_hash: str) -> Checked:
    try:
        return Checked(*_passwords.verify_and_update(password, known_hash))
    except UnknownHashError:
        # Whoever comes in another way has no password.
        _passwords.verify(password, _NOBODYS_HASH)
        return Checked(is_right=False, better_hash=None)
    except ValueError:
        # bcrypt takes 72 bytes: of a longer password, whoever made the hash had no more.
        is_right = _passwords.verify(password.encode()[:72], known_hash)
        return Checked(is_right, hash_password(password) if is_right else None)
