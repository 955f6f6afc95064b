"""What operators change by hand about a search: once, audited, and what is offered goes back."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis
from sqlalchemy import select, update
from sqlmodel import col

from activities.orders import OrderActivities
from activities.overrides import OverrideActivities
from activities.searching import Zones
from domain.order_status import OrderStatus
from local import world as worlds
from local.world import World
from providers.kitchen_pages import KitchenPages
from schema.database import Database
from schema.messages.dispatch import AssignmentStatus
from schema.messages.overrides import OverrideAction, Overriding
from schema.queries import offers, overrides, searches
from schema.queries.offers import NewOffer, NewStop, NotOffered
from schema.tables import AdminAction, DispatchSearch, DriverAssignment, Order
from schema.tables.columns import now
from tests.activities.announcing import announcer
from workflows.connection import connect
from workflows.zone import ZoneDispatchWorkflow

S, A, Do = OrderStatus, AssignmentStatus, OverrideAction


@dataclass
class Search:
    """An order that looks for a driver, and an operator."""

    database: Database
    world: World
    order_id: UUID
    activities: OverrideActivities

    async def override(self, action: OverrideAction, **values: object) -> bool:
        asked = {
            "order_id": self.order_id,
            "action": action,
            "key": str(uuid4()),
            "admin_id": self.world.admin.user_id,
            "reason": "why not",
            "at": now(),
        }
        return await self.activities.override_search(Overriding.model_validate(asked | values))

    async def hold(self, minutes: int = 10, **values: object) -> bool:
        until = now() + timedelta(minutes=minutes)
        return await self.override(Do.HOLD, held_until=until, **values)

    async def offer(self, rank: int, *also: UUID, at: datetime | None = None) -> UUID:
        """Offer the order, and others with it, to one of the drivers."""
        moment = at or now()
        stops = [NewStop(order_id, 1.0, moment, moment) for order_id in (self.order_id, *also)]
        driver = self.world.drivers[rank].id
        lasts = timedelta(seconds=30)
        async with self.database.write() as session:
            return await offers.offer(
                session, NewOffer(driver, stops, {}, moment, moment + lasts), capacity=3
            )

    async def statuses(self) -> list[tuple[UUID, AssignmentStatus]]:
        async with self.database.read() as session:
            found = await session.execute(
                select(col(DriverAssignment.order_id), col(DriverAssignment.status)).order_by(
                    col(DriverAssignment.id)
                )
            )
            mine = {self.order_id}
            return [(row[0], row[1]) for row in found if row[0] in mine]

    async def row(self) -> DispatchSearch:
        async with self.database.read() as session:
            return (
                await session.scalars(
                    select(DispatchSearch).where(col(DispatchSearch.order_id) == self.order_id)
                )
            ).one()

    async def actions(self) -> list[tuple[str, str]]:
        async with self.database.read() as session:
            found = await session.scalars(
                select(AdminAction)
                .where(col(AdminAction.target_id) == self.order_id)
                .order_by(col(AdminAction.id))
            )
            return [(action.action_type, action.details["reason"]) for action in found]


Looks = Callable[[World], Awaitable[Search]]


@pytest.fixture
async def looks(environment: Mapping[str, str], database: Database, redis: Redis) -> Looks:
    """Have an order of a world look for a driver, in zones of which nobody takes care."""
    client = await connect(environment)
    zones = Zones(client, ZoneDispatchWorkflow.run, ZoneDispatchWorkflow.join, "nobodys")
    activities = OverrideActivities(database, zones)

    async def look(world: World) -> Search:
        return await _looking(database, redis, world, activities)

    return look


async def _looking(
    database: Database, redis: Redis, world: World, activities: OverrideActivities
) -> Search:
    """An order of this world whose food is being cooked."""
    order = await OrderActivities(
        database, announcer(database, redis), KitchenPages(redis)
    ).begin_order(world.placing())
    async with database.write() as session:
        await session.execute(
            update(Order).where(col(Order.id) == order.id).values(status=S.PREPARING)
        )
        await searches.join(session, order.id, [f"nowhere-{order.id}"], now())
    return Search(database, world, order.id, activities)


@pytest.fixture
async def search(database: Database, looks: Looks) -> Search:
    return await looks(await worlds.settle(database, drivers=2))


async def test_nobody_is_asked_for_an_order_that_is_held_until_its_time_is_over(
    search: Search,
) -> None:
    assert await search.hold(minutes=10)

    with pytest.raises(NotOffered):
        await search.offer(0)
    assert (await search.row()).hold_reason == "why not"

    await search.offer(0, at=now() + timedelta(minutes=11))


async def test_a_hold_takes_a_live_offer_back_with_all_its_orders_and_its_driver_may_be_asked_again(
    search: Search, looks: Looks
) -> None:
    other = await looks(search.world)
    await search.offer(0, other.order_id)

    assert await search.hold()

    assert [status for _, status in await search.statuses()] == [A.WITHDRAWN]
    assert [status for _, status in await other.statuses()] == [A.WITHDRAWN]
    assert await search.override(Do.RELEASE)
    await search.offer(0, other.order_id, at=now() + timedelta(seconds=1))


async def test_a_release_ends_a_hold_as_if_its_time_were_over(search: Search) -> None:
    await search.hold()
    moment = now()

    assert await search.override(Do.RELEASE, at=moment, reason="it is cooked")

    row = await search.row()
    assert (row.held_until, row.hold_reason) == (moment, None)
    assert await search.actions() == [
        ("order_held", "why not"),
        ("order_released", "it is cooked"),
    ]


async def test_a_preferred_driver_keeps_his_offer_and_another_does_not(search: Search) -> None:
    first, second = (driver.id for driver in search.world.drivers)
    await search.offer(0)

    assert await search.override(Do.PREFER, preferred_driver_id=first)
    assert [status for _, status in await search.statuses()] == [A.OFFERED]

    assert await search.override(Do.PREFER, preferred_driver_id=second)
    assert [status for _, status in await search.statuses()] == [A.WITHDRAWN]
    assert (await search.row()).preferred_driver_id == second

    await search.offer(1)
    assert await search.override(Do.PREFER, preferred_driver_id=None)
    assert (await search.row()).preferred_driver_id is None
    assert [status for _, status in await search.statuses()] == [A.WITHDRAWN, A.OFFERED]


async def test_the_same_request_is_recorded_and_done_once(search: Search) -> None:
    key = str(uuid4())
    assert await search.hold(key=key)
    assert await search.override(Do.RELEASE)

    # As after a workflow task that was lost.
    assert await search.hold(key=key)

    held_until = (await search.row()).held_until
    assert held_until is not None
    assert held_until <= now()
    assert [action for action, _ in await search.actions()] == ["order_held", "order_released"]


@pytest.mark.parametrize("change", [{"status": S.DELIVERED}, {"status": S.ACCEPTED}, {"driver": 0}])
async def test_what_looks_for_no_driver_is_left_alone(
    search: Search, change: dict[str, object]
) -> None:
    values = {"driver_id": search.world.drivers[0].id} if "driver" in change else change
    async with search.database.write() as session:
        await session.execute(
            update(Order).where(col(Order.id) == search.order_id).values(**values)
        )

    assert not await search.hold()

    assert (await search.row()).held_until is None
    assert await search.actions() == []
    async with search.database.read() as session:
        assert await overrides.search_of(session, search.order_id) is None
