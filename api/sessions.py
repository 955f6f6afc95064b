"""How people stay logged in: an access token for minutes, and a refresh token that is exchanged
once for the next two (seed 000, authentication flow).

The refresh tokens that came from one login are a family. One that comes twice ends its family:
either time it may have been a thief, and he cannot be told from his victim.
"""

import asyncio
import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from api.auth import access_token
from api.dependencies import Services
from api.errors import Problem
from api.views import LoginOut, UserOut
from domain.logins import made_at
from schema.queries import people, sessions
from schema.queries.people import Login
from schema.tables import RefreshToken


def ended() -> Problem:
    """A refresh token that is unknown, expired, used or of a family that has ended."""
    return Problem(HTTPStatus.UNAUTHORIZED, "session_ended", "log in again")


class Opened(NamedTuple):
    """What a session goes on with, once the transaction that made it is committed."""

    login: Login
    refresh_token: str
    at: datetime
    logged_in_at: datetime


async def begin(
    held: Services, session: AsyncSession, login: Login, family_id: UUID | None = None
) -> Opened:
    """Write a session down, of an old family or a new one, of a user whose row is locked
    (people.locked_login). `logged_in` makes the answer of it, after the commit.
    """
    at = await _once_good(held, login.id)
    token = secrets.token_urlsafe(32)
    family_id = family_id or uuid7()
    session.add(
        RefreshToken(
            user_id=login.id,
            family_id=family_id,
            digest=_digest(token),
            expires_at=at + timedelta(days=held.settings.refresh_token_days),
        )
    )
    await session.flush()
    return Opened(login, token, at, made_at(family_id))


def logged_in(held: Services, opened: Opened) -> LoginOut:
    """A session, for the client."""
    login, settings = opened.login, held.settings
    return LoginOut(
        access_token=access_token(login, settings, opened.at, logged_in_at=opened.logged_in_at),
        expires_in=settings.access_token_minutes * 60,
        refresh_token=opened.refresh_token,
        refresh_expires_in=settings.refresh_token_days * 24 * 3600,
        user=UserOut(
            id=login.id,
            email=login.email,
            role=login.role,
            first_name=login.first_name,
            last_name=login.last_name,
        ),
    )


async def refresh(held: Services, token: str) -> LoginOut:
    """The next two tokens; a token that was used before ends its family.

    Raises Problem `session_ended`.
    """
    async with held.database.write() as session:
        opened = await _exchanged(held, session, _digest(token))
    if opened is None:
        raise ended()
    return logged_in(held, opened)


async def log_out(held: Services, token: str, *, everywhere: bool) -> None:
    """End a token's family, or all of its user's. A token that says nothing is as good as ended."""
    async with held.database.write() as session:
        known = await sessions.token(session, _digest(token))
        if known is None or known.is_over:
            return
        await people.lock(session, known.user_id)
        if everywhere:
            await end_all(held, session, known.user_id)
        else:
            await sessions.end_family(session, known.family_id, datetime.now(UTC))


async def end_all(held: Services, session: AsyncSession, user_id: UUID) -> None:
    """Log a user out everywhere, as part of a transaction: no refresh token of his is good once it
    is committed, and no access token from now on (where Redis is away, not before it expires).
    """
    await people.lock(session, user_id)
    await sessions.end_all(session, user_id, datetime.now(UTC))
    await held.shut_outs.shut_out(user_id)


async def _exchanged(held: Services, session: AsyncSession, digest: str) -> Opened | None:
    known = await sessions.token(session, digest)
    if known is None:
        return None
    login = await people.locked_login(session, known.user_id)
    # Of two at once, the second sees here what the first has done.
    known = await sessions.token(session, digest)
    now = datetime.now(UTC)
    if login is None or known is None or known.is_over or known.expires_at <= now:
        return None
    if known.is_used:
        await sessions.end_family(session, known.family_id, now)
        await held.shut_outs.shut_out(known.user_id)
        return None
    await sessions.note_use(session, known.id, now)
    return await begin(held, session, login, known.family_id)


async def _once_good(held: Services, user_id: UUID) -> datetime:
    """Now, or (within a second of the end of all sessions) as soon as new tokens are good."""
    now = datetime.now(UTC)
    good_from = await held.shut_outs.good_from(user_id)
    if good_from is None or good_from <= now:
        return now
    # By another machine's clock it could be longer.
    await asyncio.sleep(min((good_from - now).total_seconds(), 2.0))
    return max(good_from, datetime.now(UTC))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
