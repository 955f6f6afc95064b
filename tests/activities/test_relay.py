"""What transactions write down to be passed on is passed on, in its order, and once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import UUID, uuid4

from redis.asyncio import Redis

from activities.relay import Drain, LiveDrain, Relay
from domain.live import Happening
from local.people import until
from providers.live import Live
from schema.database import Database
from schema.messages.live import ADMINS, LiveEvent
from schema.queries import outbox
from schema.tables import LiveOutbox
from schema.tables.columns import now

PATIENCE_SECONDS = 30


@asynccontextmanager
async def _relaying(database: Database, *drains: Drain) -> AsyncIterator[None]:
    task = asyncio.create_task(Relay(database, drains).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _event(order_id: UUID, key: str) -> LiveEvent:
    return LiveEvent(
        happening=Happening.ETA, order_id=order_id, key=key, to=(ADMINS,), at=now(), data={}
    )


async def _heard(live: Live, after: str, order_id: UUID, count: int) -> list[str]:
    """The keys of an order's first events."""
    keys: list[str] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(keys) < count:
            heard = await live.hear(after, timedelta(milliseconds=100))
            after = heard.after
            keys += [told.event.key for told in heard.told if told.event.order_id == order_id]
    return keys


async def test_what_is_committed_is_told_in_its_order(database: Database, redis: Redis) -> None:
    live, order_id = Live(redis), uuid4()
    keys = [str(number) for number in range(10)]
    async with _relaying(database, LiveDrain(database, live)):
        for key in keys:
            async with database.write() as session:
                await outbox.put(session, _event(order_id, key))

        assert await _heard(live, "0-0", order_id, len(keys)) == keys


async def test_what_was_rolled_back_is_not_told(database: Database, redis: Redis) -> None:
    live, order_id = Live(redis), uuid4()
    async with _relaying(database, LiveDrain(database, live)):
        async with database.write() as session:
            await outbox.put(session, _event(order_id, "never"))
            await session.rollback()
        async with database.write() as session:
            await outbox.put(session, _event(order_id, "kept"))

        assert await _heard(live, "0-0", order_id, 1) == ["kept"]


async def test_what_was_told_before_the_teller_died_is_told_once(
    database: Database, redis: Redis
) -> None:
    live, order_id = Live(redis), uuid4()
    told = _event(order_id, "told")
    await live.tell(told)
    async with database.write() as session:
        await outbox.put(session, told, _event(order_id, "next"))

    async with _relaying(database, LiveDrain(database, live)):
        assert await _heard(live, "0-0", order_id, 2) == ["told", "next"]


async def test_one_drain_that_fails_or_hangs_does_not_hold_up_the_others(
    database: Database, redis: Redis
) -> None:
    async def failing() -> bool:
        raise OSError("away")

    async def hanging() -> bool:
        await asyncio.Event().wait()
        return False

    live, order_id = Live(redis), uuid4()
    async with _relaying(database, failing, hanging, LiveDrain(database, live)):
        async with database.write() as session:
            await outbox.put(session, _event(order_id, "told"))

        assert await _heard(live, "0-0", order_id, 1) == ["told"]


async def test_what_nobody_can_read_holds_nothing_up(database: Database, redis: Redis) -> None:
    live, order_id = Live(redis), uuid4()
    async with database.write() as session:
        nonsense = LiveOutbox(event={"happening": "of another time"})
        session.add(nonsense)
        await session.flush()
        await outbox.put(session, _event(order_id, "told"))

    async with _relaying(database, LiveDrain(database, live)):
        assert await _heard(live, "0-0", order_id, 1) == ["told"]
        await until(lambda: _is_gone(database, nonsense.id))


async def _is_gone(database: Database, row_id: UUID) -> bool:
    async with database.read() as session:
        return await session.get(LiveOutbox, row_id) is None
