"""Every SQL statement about one-time links and codes, and the letters that bring them.

Whoever redeems one has the user's row locked (people.lock) first, as whoever makes others void has.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.challenges import MOST_GUESSES, Purpose
from domain.languages import Language
from schema.tables import Challenge, User


class Errand(NamedTuple):
    """A letter that is to be sent, in the language of its user; to nobody, if there is none."""

    purpose: Purpose
    user_id: UUID | None
    sent_to: str
    expires_at: datetime
    is_over: bool
    language: Language


class Redeemed(NamedTuple):
    """Whose a link was, and which address or number has been proven."""

    user_id: UUID
    sent_to: str


async def owner(session: AsyncSession, challenge_id: UUID) -> UUID | None:
    """Whose a challenge is."""
    return await session.scalar(
        select(col(Challenge.user_id)).where(col(Challenge.id) == challenge_id)
    )


async def redeem(
    session: AsyncSession, challenge_id: UUID, purpose: Purpose, at: datetime
) -> Redeemed | None:
    """Use a link; None if it was used, has expired or was made void."""
    found = await session.execute(
        update(Challenge)
        .where(
            col(Challenge.id) == challenge_id,
            col(Challenge.purpose) == purpose,
            col(Challenge.user_id).is_not(None),
            col(Challenge.used_at).is_(None),
            col(Challenge.expires_at) > at,
        )
        .values(used_at=at)
        .returning(col(Challenge.user_id), col(Challenge.sent_to))
        .execution_options(synchronize_session=False)
    )
    row = found.first()
    return None if row is None or row[0] is None else Redeemed(row[0], row[1])


async def to_guess(session: AsyncSession, user_id: UUID, at: datetime) -> UUID | None:
    """The code that a user may still type in."""
    return await session.scalar(
        select(col(Challenge.id))
        .where(
            col(Challenge.user_id) == user_id,
            col(Challenge.purpose) == Purpose.VERIFY_PHONE,
            col(Challenge.used_at).is_(None),
            col(Challenge.expires_at) > at,
            col(Challenge.attempts) < MOST_GUESSES,
        )
        .order_by(col(Challenge.id).desc())
        .limit(1)
    )


async def note_guess(
    session: AsyncSession, challenge_id: UUID, at: datetime, *, is_right: bool
) -> str:
    """Count a guess; a right one uses the code up. Answers with the number that it was sent to."""
    found = await session.execute(
        update(Challenge)
        .where(col(Challenge.id) == challenge_id)
        .values(attempts=col(Challenge.attempts) + 1, used_at=at if is_right else None)
        .returning(col(Challenge.sent_to))
        .execution_options(synchronize_session=False)
    )
    return found.scalar_one()


async def void(
    session: AsyncSession, user_id: UUID, purposes: Collection[Purpose], at: datetime
) -> None:
    """No link or code of these purposes that a user was sent is good any more."""
    await session.execute(
        update(Challenge)
        .where(
            col(Challenge.user_id) == user_id,
            col(Challenge.purpose).in_(purposes),
            col(Challenge.used_at).is_(None),
        )
        .values(used_at=at)
        .execution_options(synchronize_session=False)
    )


async def errand(session: AsyncSession, challenge_id: UUID) -> Errand | None:
    """What a letter has to say, and to whom."""
    found = await session.execute(
        select(
            col(Challenge.purpose),
            col(Challenge.user_id),
            col(Challenge.sent_to),
            col(Challenge.expires_at),
            col(Challenge.used_at).is_not(None) | col(Challenge.sent_at).is_not(None),
            func.coalesce(User.language, Language.EN),
        )
        .outerjoin(User, col(User.id) == col(Challenge.user_id))
        .where(col(Challenge.id) == challenge_id)
    )
    row = found.first()
    return None if row is None else Errand(*row)


async def note_sent(session: AsyncSession, challenge_id: UUID, at: datetime) -> None:
    """A letter is on its way."""
    await session.execute(
        update(Challenge).where(col(Challenge.id) == challenge_id).values(sent_at=at)
    )


async def forget(session: AsyncSession, before: datetime, limit: int) -> int:
    """Delete `limit` of those that expired before some moment; how many there were."""
    old = (
        select(col(Challenge.id))
        .where(col(Challenge.expires_at) < before)
        .order_by(col(Challenge.expires_at))
        .limit(limit)
    )
    gone = await session.execute(
        delete(Challenge).where(col(Challenge.id).in_(old)).returning(col(Challenge.id))
    )
    return len(gone.all())
