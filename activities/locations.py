"""Forgetting where drivers were."""

from temporalio import activity

from schema.database import Database
from schema.messages.locations import Forgetting
from schema.queries import locations

# So that no transaction is long, however much there is.
_AT_ONCE = 5_000


class LocationActivities:
    """Keeps the history of drivers' positions short."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def forget_locations(self, what: Forgetting) -> int:
        """Delete what is too old; answers with how many positions this attempt has deleted."""
        forgotten = 0
        while True:
            async with self._database.write() as session:
                gone = await locations.forget(session, what.before, _AT_ONCE)
            forgotten += gone
            if gone < _AT_ONCE:
                return forgotten
