"""What listeners learn when Redis is away, and once it is back."""

import time
from collections.abc import Mapping
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.live import Happening
from local.cast import Cast
from local.people import until
from tests.api.listening import Gateway, ear, gateway, token_of
from tests.valkeys import valkey

H = Happening


async def test_listeners_look_again_once_redis_is_back_and_hear_what_comes_then(
    environment: Mapping[str, str], play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await play.place()
    customer = play.world.customer.user_id
    async with AsyncExitStack() as held:
        first, port = held.enter_context(valkey())
        at = await held.enter_async_context(
            gateway(environment, monkeypatch, f"redis://127.0.0.1:{port}/0")
        )
        listening = await held.enter_async_context(ear(at, token_of(play.customer)))
        await listening.follow(order)
        before = await at.tell(H.STATUS, order["id"], customer, what="before")
        await listening.hears(H.STATUS)
        first.kill()
        first.wait()
        away = await listening.follow(order, sequence=before)
        # Whoever comes meanwhile is let in all the same.
        another = await held.enter_async_context(ear(at, token_of(play.customer)))
        held.enter_context(valkey(port))
        for one in (listening, another):
            assert await one.hears("resync") == {}
        await until_told(at, order["id"], customer)
        await listening.hears(H.MESSAGE)
        after = await listening.follow(order, sequence=before)
        for one in (listening, another):
            await one.socket.disconnect()

    assert (away["ok"], away["resync"]) == (True, True)
    assert (after["ok"], after["resync"]) == (True, False)


async def test_whose_session_ended_while_nothing_was_heard_is_hung_up_on_afterwards(
    environment: Mapping[str, str],
    play: Cast,
    redis: Redis,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with (
        gateway(environment, monkeypatch, redis_url) as at,
        ear(at, token_of(play.chef)) as chef,
        ear(at, token_of(play.customer)) as customer,
    ):
        # As it is where Redis forgot what this process would have heard.
        await redis.set(f"shut-out:{play.world.chef.user_id}", int(time.time()) + 60)
        await redis.delete("live")
        listening = [one for one in await redis.client_list() if one["cmd"] == "xread"]
        for one in listening:
            await redis.client_kill_filter(_id=one["id"])

        assert (await chef.hears("session:ended"))["code"] == "session_ended"
        await customer.hears("resync")
        assert (await customer.ask("unsubscribe:order", orderId=str(play.world.chef.id)))["ok"]

    assert listening


async def until_told(at: Gateway, *what: object) -> None:
    """Tell something, as soon as it can be."""

    async def told() -> bool:
        try:
            return await at.tell(H.MESSAGE, *what, text="after") > 0
        except RedisError:
            return False

    await until(told)
