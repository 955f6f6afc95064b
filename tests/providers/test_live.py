"""What is told through Redis: once by its key, with numbers that grow whatever happens to Redis."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from domain.live import Happening
from providers import live as lives
from providers.live import Live
from schema.messages.live import LiveEvent

H = Happening
AT_ONCE = timedelta(milliseconds=1)


def event(order_id: UUID | None, key: str, happening: Happening = H.STATUS) -> LiveEvent:
    return LiveEvent(
        happening=happening,
        order_id=order_id,
        key=key,
        to=("admins",),
        at=datetime(2026, 1, 31, 18, tzinfo=UTC),
        data={"key": key},
    )


async def keys(live: Live, order_id: UUID, after: int | None) -> list[str]:
    return [one.event.key for one in (await live.missed(order_id, after)).told]


async def test_what_is_told_twice_is_told_once(redis: Redis) -> None:
    live, order_id = Live(redis), uuid4()
    begin = await live.now()

    assert await live.tell(event(order_id, "step:1"), first=True) == 1
    assert await live.tell(event(order_id, "step:2")) == 2
    assert await live.tell(event(order_id, "step:1")) == 1

    heard = await live.hear(begin, AT_ONCE)
    assert [(told.sequence, told.event.key) for told in heard.told] == [
        (1, "step:1"),
        (2, "step:2"),
    ]
    assert (await live.hear(heard.after, AT_ONCE)).told == []


async def test_whoever_was_away_gets_what_he_missed_and_where_the_driver_was_last(
    redis: Redis,
) -> None:
    live, order_id = Live(redis), uuid4()
    await live.tell(event(order_id, "step:1"), first=True)
    for number in range(3):
        await live.tell(event(order_id, f"position:{number}", H.POSITION))
    await live.tell(event(order_id, "message:1", H.MESSAGE))

    missed = await live.missed(order_id, 1)

    assert [told.sequence for told in missed.told] == [4, 5]
    assert [told.event.key for told in missed.told] == ["position:2", "message:1"]
    assert (missed.sequence, missed.resync) == (5, False)
    assert await keys(live, order_id, 5) == []
    assert not (await live.missed(order_id, None)).resync


async def test_whoever_was_away_for_too_long_is_told_so(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lives, "_KEPT_EVENTS", 3)
    live, order_id = Live(redis), uuid4()
    for number in range(6):
        await live.tell(event(order_id, f"message:{number}", H.MESSAGE), first=True)

    assert (await live.missed(order_id, 2)).resync
    assert not (await live.missed(order_id, 4)).resync
    assert await keys(live, order_id, 4) == ["message:4", "message:5"]


async def test_numbers_grow_although_redis_has_forgotten_them(redis: Redis) -> None:
    live, order_id = Live(redis), uuid4()
    before = [await live.tell(event(order_id, f"step:{n}"), first=n == 0) for n in range(4)]

    await redis.flushdb()

    assert (await live.missed(order_id, 4)).resync
    after = await live.tell(event(order_id, "step:4"))
    assert after is not None
    assert after > max(number or 0 for number in before) + 1_000_000
    assert (await live.missed(order_id, 4)).resync
    assert not (await live.missed(order_id, after)).resync


async def test_what_a_newer_version_tells_does_not_keep_the_rest_from_being_heard(
    redis: Redis,
) -> None:
    live, order_id = Live(redis), uuid4()
    begin = await live.now()
    unknown = event(order_id, "x").model_dump_json(by_alias=True)
    unknown = unknown.replace(H.STATUS.value, "order:of_the_future")
    await redis.xadd("live", {"event": unknown, "sequence": 1})
    good_from = datetime(2026, 1, 31, 18, tzinfo=UTC)
    await live.end_sessions(order_id, good_from)
    await live.tell(event(None, "alert", H.ALERT))

    heard = await live.hear(begin, AT_ONCE)

    assert [(told.sequence, told.event.key) for told in heard.told] == [(None, "alert")]
    assert heard.ended == [(order_id, good_from)]


async def milliseconds(redis: Redis) -> int:
    seconds, more = await redis.time()
    return int(seconds) * 1000 + int(more) // 1000


async def test_it_is_known_when_something_may_have_been_missed(redis: Redis) -> None:
    live, order_id = Live(redis), uuid4()
    begin = await live.now()
    await live.tell(event(order_id, "step:1"), first=True)
    heard = await live.hear(begin, AT_ONCE)
    assert not await live.has_forgotten(heard.after)

    await redis.flushdb()
    assert await live.has_forgotten(heard.after)
    # Redis numbers what is told by its clock.
    while await milliseconds(redis) <= int(heard.after.partition("-")[0]):
        pass
    await live.tell(event(order_id, "step:2"))
    assert await live.has_forgotten(heard.after)
