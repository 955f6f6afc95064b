"""Forgetting what partners were sent long ago."""

from temporalio import activity

from schema.database import Database
from schema.messages.locations import Forgetting
from schema.queries import webhook_deliveries

# So that no transaction is long, however much there is.
_AT_ONCE = 5_000


class WebhookLog:
    """Keeps what was sent to partners no longer than anybody asks for it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def forget_webhooks(self, what: Forgetting) -> int:
        """Delete messages that were written before a moment and are not tried any more; answers
        with how many this attempt has deleted.
        """
        forgotten, gone = 0, _AT_ONCE
        while gone == _AT_ONCE:
            async with self._database.write() as session:
                gone = await webhook_deliveries.forget(session, what.before, _AT_ONCE)
            forgotten += gone
        return forgotten
