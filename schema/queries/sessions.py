"""Every SQL statement about how people stay logged in.

Whoever changes anything here has the user's row locked (people.locked_login), so that a family
cannot grow while it is being ended.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from schema.tables import RefreshToken


class Held(NamedTuple):
    """A refresh token as it stands."""

    id: UUID
    user_id: UUID
    family_id: UUID
    expires_at: datetime
    is_used: bool
    is_over: bool


async def token(session: AsyncSession, digest: str) -> Held | None:
    """The refresh token of a digest, if one was ever given."""
    found = await session.execute(
        select(
            col(RefreshToken.id),
            col(RefreshToken.user_id),
            col(RefreshToken.family_id),
            col(RefreshToken.expires_at),
            col(RefreshToken.used_at).is_not(None),
            col(RefreshToken.ended_at).is_not(None),
        ).where(col(RefreshToken.digest) == digest)
    )
    row = found.first()
    return None if row is None else Held(*row)


async def note_use(session: AsyncSession, token_id: UUID, at: datetime) -> None:
    """A refresh token is exchanged: it is not good again."""
    await session.execute(
        update(RefreshToken).where(col(RefreshToken.id) == token_id).values(used_at=at)
    )


async def end_family(session: AsyncSession, family_id: UUID, at: datetime) -> None:
    """No token of a family is good any more."""
    await _end(session, at, col(RefreshToken.family_id) == family_id)


async def end_all(session: AsyncSession, user_id: UUID, at: datetime) -> None:
    """No refresh token of a user's is good any more."""
    await _end(session, at, col(RefreshToken.user_id) == user_id)


async def forget(session: AsyncSession, before: datetime, limit: int) -> int:
    """Delete `limit` of the tokens that expired before some moment; how many there were."""
    old = (
        select(col(RefreshToken.id))
        .where(col(RefreshToken.expires_at) < before)
        .order_by(col(RefreshToken.expires_at))
        .limit(limit)
    )
    gone = await session.execute(
        delete(RefreshToken).where(col(RefreshToken.id).in_(old)).returning(col(RefreshToken.id))
    )
    return len(gone.all())


async def _end(session: AsyncSession, at: datetime, which: ColumnElement[bool]) -> None:
    await session.execute(
        update(RefreshToken)
        .where(which, col(RefreshToken.ended_at).is_(None))
        .values(ended_at=at)
        .execution_options(synchronize_session=False)
    )
