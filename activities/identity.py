"""Forgetting how people stayed logged in, and what they were sent."""

from temporalio import activity

from schema.database import Database
from schema.messages.locations import Forgetting
from schema.queries import challenges, sessions

# So that no transaction is long, however much there is.
_AT_ONCE = 5_000


class IdentityActivities:
    """Keeps refresh tokens, links and codes no longer than they are of use."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def forget_expired(self, what: Forgetting) -> int:
        """Delete what expired before a moment; answers with how much this attempt has deleted."""
        forgotten = 0
        for forget in (sessions.forget, challenges.forget):
            gone = _AT_ONCE
            while gone == _AT_ONCE:
                async with self._database.write() as session:
                    gone = await forget(session, what.before, _AT_ONCE)
                forgotten += gone
        return forgotten
