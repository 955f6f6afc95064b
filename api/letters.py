"""Having letters sent, so that each is sent once whatever it is about is written down."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.dependencies import Services
from domain.challenges import Purpose
from schema.messages.letters import Letter
from schema.tables import Challenge
from schema.tables.columns import now

# A mail that only tells something is of use for so long.
NEWS = timedelta(days=2)


async def post(
    held: Services,
    session: AsyncSession,
    purpose: Purpose,
    *,
    to: tuple[UUID, str] | None,
    lasting: timedelta = NEWS,
) -> None:
    """Have a letter sent to a user's address or number, once this transaction is committed. To
    nobody, the same is done and nothing sent, so that nobody can tell by the time it takes.

    The workflow is there before the commit, and finds no row where that fails: no letter is lost,
    and where Temporal is away nothing has changed. Raises EngineBusy.
    """
    user_id, address = to or (None, "")
    row = Challenge(user_id=user_id, purpose=purpose, sent_to=address, expires_at=now() + lasting)
    session.add(row)
    await session.flush()
    await held.engine.letters.send(Letter(challenge_id=row.id, good_until=row.expires_at))
