"""The steps of an order are told to whom they concern: each once, in their order, whatever is away
and whoever dies.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from redis.asyncio import Redis

from activities.announce import Announcer
from activities.orders import OrderActivities
from domain.live import Happening
from domain.order_status import Actor, OrderStatus
from domain.tracking import Fix
from local import world as worlds
from local.ports import any_free
from local.world import World
from providers.kitchen_pages import KitchenPages
from providers.live import Live
from providers.redis import connect_redis
from schema import live_events
from schema.database import Database
from schema.live_events import Carried
from schema.messages.live import ADMINS, LiveEvent
from schema.messages.order import Changes, Order, Recorded, Transition, Who
from schema.queries import orders
from schema.tables.columns import now
from tests.activities.announcing import announcer
from tests.told import told_of

S, H = OrderStatus, Happening
MINUTE = timedelta(minutes=1)


@dataclass
class Walk:
    """An order that goes its way, its steps announced or not."""

    database: Database
    redis: Redis
    world: World
    order: Order
    announcer: Announcer
    deaf: Announcer
    steps: list[Transition] = field(default_factory=list)

    def next(self, to: OrderStatus, **values: object) -> Transition:
        was = self.steps[-1].to if self.steps else S.PENDING
        step = Transition(
            order_id=self.order.id,
            sequence=len(self.steps) + 2,
            was=was,
            to=to,
            by=Who(role=Actor.STRIPE),
            at=now(),
            **values,  # type: ignore[arg-type]
        )
        self.steps.append(step)
        return step

    async def commit(self, to: OrderStatus, **values: object) -> Transition:
        """A step is written, and its process dies."""
        step = self.next(to, **values)
        async with self.database.write() as session:
            await orders.record(session, step)
        return step

    async def take(self, to: OrderStatus, *, away: bool = False, **values: object) -> Recorded:
        """A step is written and announced; Redis may be away."""
        step = self.next(to, **values)
        activities = OrderActivities(
            self.database, self.deaf if away else self.announcer, KitchenPages(self.redis)
        )
        return await activities.record_step(step)

    async def told(self) -> list[LiveEvent]:
        return [told.event for told in await told_of(self.redis, self.order.id)]

    async def statuses(self) -> list[str]:
        """The keys of the steps that were told."""
        return [event.key for event in await self.told() if event.happening is H.STATUS]

    async def since(self, known: int) -> list[tuple[Happening, set[str]]]:
        """What was told after so many events, and to whom."""
        who = {
            str(self.world.customer.user_id): "customer",
            str(self.world.chef.user_id): "chef",
            **{str(one.user_id): f"driver {n}" for n, one in enumerate(self.world.drivers)},
            ADMINS: ADMINS,
        }
        return [
            (event.happening, {who[to] for to in event.to}) for event in (await self.told())[known:]
        ]


@pytest.fixture
async def deaf(database: Database) -> AsyncIterator[Announcer]:
    """One whom Redis does not answer."""
    nowhere = connect_redis(f"redis://127.0.0.1:{any_free()}/0")
    yield announcer(database, nowhere)
    await nowhere.aclose()


async def begin(database: Database, redis: Redis, world: World, deaf: Announcer) -> Walk:
    """A new order, at a Redis that has been there for a while."""
    early = LiveEvent(happening=H.ALERT, order_id=None, key="up", to=(ADMINS,), at=now(), data={})
    await Live(redis).tell(early)
    async with database.write() as session:
        order = await orders.begin(session, world.placing())
    return Walk(database, redis, world, order, announcer(database, redis), deaf)


@pytest.fixture
async def walk(database: Database, redis: Redis, deaf: Announcer) -> Walk:
    return await begin(database, redis, await worlds.settle(database, drivers=2), deaf)


def expected(minutes: int) -> Changes:
    return Changes(estimated_delivery_at=now() + minutes * MINUTE)


async def test_each_step_is_told_to_whom_it_concerns(walk: Walk) -> None:
    first, second = (driver.id for driver in walk.world.drivers)
    story = [
        (S.PAYMENT_CONFIRMED, Changes(captured_cents=2660)),
        (S.ACCEPTED, expected(40)),
        (S.PREPARING, Changes()),
        (S.READY_FOR_PICKUP, Changes()),
        (S.ASSIGNED_TO_DRIVER, Changes(driver_id=first)),
        (S.READY_FOR_PICKUP, expected(50)),
        (S.ASSIGNED_TO_DRIVER, Changes(driver_id=second)),
        (S.PICKED_UP, expected(45)),
        (S.IN_TRANSIT, Changes()),
        (S.DELIVERED, Changes()),
    ]
    told = []
    for status, changes in story:
        known = len(await walk.told())
        await walk.take(status, changes=changes)
        told.append(await walk.since(known))

    buyer_and_seller = {"customer", "chef", ADMINS}
    with_first, with_second = buyer_and_seller | {"driver 0"}, buyer_and_seller | {"driver 1"}
    assert told == [
        [(H.STATUS, buyer_and_seller), (H.NEW_ORDER, {"chef"})],
        [(H.STATUS, buyer_and_seller), (H.ETA, buyer_and_seller)],
        [(H.STATUS, buyer_and_seller)],
        [(H.STATUS, buyer_and_seller)],
        [(H.STATUS, with_first), (H.ASSIGNED, {"driver 0"})],
        # He hears that he has lost it, and no more after that.
        [(H.STATUS, with_first), (H.ETA, buyer_and_seller)],
        [(H.STATUS, with_second), (H.ASSIGNED, {"driver 1"})],
        [(H.STATUS, with_second), (H.ETA, with_second)],
        [(H.STATUS, with_second)],
        [(H.STATUS, with_second)],
    ]


async def test_a_chef_does_not_hear_of_what_was_never_paid(walk: Walk) -> None:
    await walk.take(S.CANCELLED, reason="payment_expired")

    assert await walk.since(0) == [(H.STATUS, {"customer", ADMINS})]
    (event,) = await walk.told()
    assert event.data == {"status": "cancelled", "reason": "payment_expired"}


async def test_a_chef_is_told_what_to_cook_and_by_when_to_answer(walk: Walk) -> None:
    await walk.take(S.PAYMENT_CONFIRMED)

    paid, new = await walk.told()
    assert paid.data == {"status": "payment_confirmed"}
    respond_by = (walk.steps[0].at + 5 * MINUTE).isoformat().replace("+00:00", "Z")
    assert new.data == {
        "orderNumber": walk.order.number or new.data["orderNumber"],
        "items": [{"menuItemId": str(walk.world.dish_id), "name": "Masala Dosa", "quantity": 2}],
        "totalCents": 2660,
        "currency": "usd",
        "respondBy": respond_by,
    }


async def test_a_driver_is_told_where_and_when(walk: Walk) -> None:
    for status in (S.PAYMENT_CONFIRMED, S.ACCEPTED, S.PREPARING, S.READY_FOR_PICKUP):
        await walk.take(status)
    await walk.take(S.ASSIGNED_TO_DRIVER, changes=Changes(driver_id=walk.world.drivers[0].id))

    event = (await walk.told())[-1]
    assert event.data.keys() == {
        "orderNumber",
        "deliveryId",
        "kitchenName",
        "estimatedPickupAt",
        "estimatedDeliveryAt",
    }
    assert event.data["kitchenName"] == "Test Kitchen"
    assert event.key == f"assigned:{event.data['deliveryId']}"


async def test_a_step_whose_process_died_is_told_before_the_next(walk: Walk) -> None:
    await walk.take(S.PAYMENT_CONFIRMED)
    await walk.commit(S.ACCEPTED, changes=expected(40))
    await walk.commit(S.PREPARING)
    await walk.take(S.READY_FOR_PICKUP)

    assert [event.key for event in await walk.told()] == [
        "step:2",
        "new",
        "step:3",
        "eta:step:3",
        "step:4",
        "step:5",
    ]


async def test_an_order_that_died_as_it_was_paid_is_new_to_its_chef_with_the_next_step(
    walk: Walk,
) -> None:
    await walk.commit(S.PAYMENT_CONFIRMED)
    await walk.take(S.CANCELLED)

    assert [event.key for event in await walk.told()] == ["step:2", "new", "step:3"]


Fate = Literal["told", "away", "died"]
_PATH = (S.PAYMENT_CONFIRMED, S.ACCEPTED, S.PREPARING, S.READY_FOR_PICKUP, S.CANCELLED)


@given(
    fates=st.lists(
        st.tuples(st.sampled_from(["told", "away", "died"]), st.lists(st.integers(0, 4))),
        min_size=len(_PATH),
        max_size=len(_PATH),
    )
)
@effort(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_every_step_is_told_once_and_in_order_whatever_happens(
    walk: Walk, fates: list[tuple[Fate, list[int]]]
) -> None:
    """Each step is announced, or Redis is away, or its process dies; then some of those until then
    are announced at once, as by activities that come late or twice. In the end all of those that
    are owed are announced.
    """
    each = await begin(walk.database, walk.redis, walk.world, walk.deaf)
    owed: list[Transition] = []
    for status, (fate, others) in zip(_PATH, fates, strict=True):
        if fate == "died":
            await each.commit(status)
        else:
            recorded = await each.take(status, away=fate == "away")
            assert recorded.announced is (fate == "told")
            owed += [] if recorded.announced else [recorded.transition]
        again = [each.steps[number] for number in others if number < len(each.steps)]
        await asyncio.gather(*(each.announcer.announce(step) for step in again))
    await asyncio.gather(*(each.announcer.announce(step) for step in [*owed, each.steps[-1]]))

    told = await told_of(each.redis, each.order.id)
    assert [one.event.key for one in told] == [
        "step:2",
        "new",
        *(f"step:{number}" for number in range(3, 7)),
    ]
    assert all((one.sequence or 0) < (later.sequence or 0) for one, later in pairwise(told))


async def test_when_redis_has_lost_its_memory_only_news_is_told(walk: Walk) -> None:
    for status in (S.PAYMENT_CONFIRMED, S.ACCEPTED):
        await walk.take(status)
    late = (await walk.take(S.PREPARING, away=True)).transition
    reached = (await told_of(walk.redis, walk.order.id))[-1].sequence
    await walk.redis.flushdb()

    await walk.take(S.READY_FOR_PICKUP)
    # The order is further by now.
    await walk.announcer.announce(late)
    await walk.take(S.CANCELLED)

    told = await told_of(walk.redis, walk.order.id)
    assert [one.event.key for one in told] == ["step:5", "step:6"]
    assert reached is not None
    assert told[0].sequence is not None
    assert told[0].sequence > reached
    missed = await Live(walk.redis).missed(walk.order.id, reached)
    assert missed.resync


async def test_a_position_that_comes_after_the_next_step_is_told_to_nobody(walk: Walk) -> None:
    live = Live(walk.redis)
    await walk.take(S.PAYMENT_CONFIRMED)
    carried = Carried(
        order_id=walk.order.id,
        status=S.IN_TRANSIT,
        sequence=2,
        customer_id=walk.world.customer.user_id,
        chef_user_id=walk.world.chef.user_id,
        assignment_id=None,
        picked_up_at=None,
        estimated_delivery_at=now(),
    )
    here = live_events.position(Fix(walk.world.door, now()), carried)

    await live.tell_all([here])
    seen = await live.missed(walk.order.id, None)
    await walk.take(S.ACCEPTED)
    await live.tell_all([here])
    after = await live.missed(walk.order.id, None)

    assert [one.event.happening for one in seen.told] == [H.POSITION]
    assert after.told == []
    assert after.sequence == seen.sequence + 1


async def test_what_is_of_no_order_is_told_once_too(redis: Redis) -> None:
    live = Live(redis)
    alert = LiveEvent(happening=H.ALERT, order_id=None, key="one", to=(ADMINS,), at=now(), data={})
    other = alert.model_copy(update={"key": "other"})

    for _ in range(2):
        await live.tell_all([alert, other])
    await live.tell(alert)

    assert await redis.xlen("live") == 2
