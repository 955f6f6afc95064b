"""A worker dies when the database has heard of an offer or its answer, and Temporal has not."""

from typing import Any

import pytest
from temporalio import activity, client, worker
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.dispatch import DispatchActivities
from activities.orders import OrderActivities
from activities.searching import SearchActivities
from domain.order_status import OrderStatus
from local import world as worlds
from local.people import until
from schema.database import Database
from schema.messages.dispatch import AssignmentStatus
from settings import Settings
from tests.workflows.room import engine_room

S, A = OrderStatus, AssignmentStatus


class Losing(client.Interceptor, worker.Interceptor):
    """The first answer of each activity of a kind is lost, and what it did is not."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind
        self.lost = 0

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        return _Losing(next, self)

    def loses(self) -> bool:
        info = activity.info()
        loses = info.activity_type == self._kind and info.attempt == 1
        self.lost += loses
        return loses


class _Losing(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, losing: Losing) -> None:
        super().__init__(inner)
        self._losing = losing

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        answer = await self.next.execute_activity(input)
        if self._losing.loses():
            raise ConnectionError("the worker has died")
        return answer


@pytest.mark.parametrize(
    "kind",
    [
        DispatchActivities.plan_tick.__name__,
        DispatchActivities.decline_offer.__name__,
        SearchActivities.join_dispatch.__name__,
        SearchActivities.take_offer.__name__,
        OrderActivities.record_step.__name__,
    ],
)
async def test_what_was_done_before_the_worker_died_is_found_done(
    settings: Settings, database: Database, kind: str
) -> None:
    world = await worlds.settle(database, drivers=2)
    losing = Losing(kind)
    async with engine_room(
        settings, database, world, cached_workflows=1000, interceptors=[losing]
    ) as room:
        run = await room.begin()
        await run.pay()
        await run.accept(ready_in_minutes=2)
        await run.start()
        first = await run.offered()
        no, yes = sorted(world.drivers, key=lambda driver: driver.id != first.driver_id)
        await run.decline(no)
        await run.offered(yes)
        await run.take(yes)
        await run.ready()

        async def is_his() -> bool:
            return (await run.row()).status is S.ASSIGNED_TO_DRIVER

        await until(is_his)
        assert await run.assignments() == [(no.id, A.DECLINED), (yes.id, A.ACCEPTED)]
        await run.drive(yes)
        assert (await run.handle.result()).driver_id == yes.id
    assert losing.lost > 0
