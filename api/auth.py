"""Letting people in: argon2 password hashes and short-lived JSON Web Tokens."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from pwdlib import PasswordHash
from pydantic import BaseModel

from schema.database import Database
from schema.queries import people
from schema.tables import Role
from settings import Settings

ALGORITHM = "HS256"

_passwords = PasswordHash.recommended()
# Checked where there is no such user, so that the time to answer does not tell whether there is.
_NOBODYS_HASH = _passwords.hash("nobody's password")


class Principal(BaseModel):
    """Who is asking."""

    user_id: UUID
    role: Role


def hash_password(password: str) -> str:
    """An argon2id hash."""
    return _passwords.hash(password)


async def log_in(database: Database, email: str, password: str) -> people.Login | None:
    """The user with this address and password, if there is one."""
    async with database.read() as session:
        login = await people.login(session, email)
    known_hash = login.password_hash if login else _NOBODYS_HASH
    # Argon2 is slow by design: in a thread, it does not hold up other requests.
    matches = await asyncio.to_thread(_passwords.verify, password, known_hash)
    return login if matches else None


def access_token(login: people.Login, settings: Settings) -> str:
    """A token that says who its bearer is, for a few minutes."""
    now = datetime.now(UTC)
    claims: dict[str, Any] = {
        "sub": str(login.id),
        "email": login.email,
        "role": login.role.value,
        "iat": now,
        "exp": now + timedelta(minutes=settings.access_token_minutes),
        "iss": settings.jwt_issuer,
    }
    return jwt.encode(claims, settings.jwt_secret.get_secret_value(), ALGORITHM)


def principal(token: str, settings: Settings) -> Principal:
    """Who the bearer of a token is. Raises jwt.InvalidTokenError."""
    claims = jwt.decode(
        token,
        settings.jwt_secret.get_secret_value(),
        [ALGORITHM],
        issuer=settings.jwt_issuer,
        options={"require": ["sub", "role", "exp", "iat", "iss"]},
    )
    try:
        return Principal(user_id=claims["sub"], role=claims["role"])
    except ValueError as error:
        raise jwt.InvalidTokenError("not one of our tokens") from error
