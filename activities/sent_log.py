"""Forgetting what was sent long ago, to people and to partners."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession
from temporalio import activity

from schema.database import Database
from schema.messages.locations import Forgetting
from schema.queries import delivery_log, webhook_deliveries

# So that no transaction is long, however much there is.
_AT_ONCE = 5_000


class SentLog:
    """Keeps what was sent no longer than anybody asks for it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def forget_webhooks(self, what: Forgetting) -> int:
        """Delete messages to partners that were written before a moment and are not tried any more;
        answers with how many this attempt has deleted.
        """
        return await self._forget(webhook_deliveries.forget, what.before)

    @activity.defn
    async def forget_deliveries(self, what: Forgetting) -> int:
        """Delete what became of messages to people that were written before a moment and are not
        tried any more; the messages stay. Answers with how many this attempt has deleted.
        """
        return await self._forget(delivery_log.forget, what.before)

    async def _forget(
        self, some: Callable[[AsyncSession, datetime, int], Awaitable[int]], before: datetime
    ) -> int:
        forgotten, gone = 0, _AT_ONCE
        while gone == _AT_ONCE:
            async with self._database.write() as session:
                gone = await some(session, before, _AT_ONCE)
            forgotten += gone
        return forgotten
