"""A suspension ends or gives away the open orders that have not come too far, whatever dies."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import col
from temporalio import activity
from temporalio import client as temporal
from temporalio import worker as temporal_worker
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import WorkflowIDReusePolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Replayer
from uuid_utils.compat import uuid7

from domain.order_status import Actor, OrderStatus
from local import world as worlds
from local.people import until
from local.world import Somebody
from schema.database import Database
from schema.messages.dispatch import AssignmentStatus, OperatorAssign
from schema.messages.suspensions import SuspensionStart
from schema.queries import admin, suspensions
from schema.tables import AdminAction
from schema.tables.columns import now
from settings import Settings
from tests.workflows.room import Room, Run, engine_room
from workflows.options import ORDERS_QUEUE
from workflows.order import OrderWorkflow
from workflows.suspension import LOOKS_FOR, SuspensionWorkflow, suspension_id

S = OrderStatus
WHY = "chargebacks on three cards"


class Dying(temporal.Interceptor, temporal_worker.Interceptor):
    """Has an attempt at an activity die when its effect is there and nobody has heard of it."""

    def __init__(self) -> None:
        super().__init__()
        self.dies_of: Counter[str] = Counter()
        self.died: Counter[str] = Counter()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        return _Mortal(next, self)


class _Mortal(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, dying: Dying) -> None:
        super().__init__(inner)
        self._dying = dying

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        done = await self.next.execute_activity(input)
        kind = activity.info().activity_type
        if self._dying.died[kind] < self._dying.dies_of[kind]:
            self._dying.died[kind] += 1
            raise RuntimeError("the process died here")
        return done


@pytest.fixture
def dying() -> Dying:
    return Dying()


@pytest.fixture
async def room(settings: Settings, database: Database, dying: Dying) -> AsyncIterator[Room]:
    """One with a cache: here workflows start each other (tests.workflows.conftest)."""
    world = await worlds.settle(database, drivers=2)
    async with engine_room(
        settings, database, world, cached_workflows=1000, interceptors=[dying]
    ) as equipped:
        yield equipped


async def suspend(room: Room, who: Somebody) -> None:
    """Write a suspension down, as the facade does."""
    async with room.database.write() as session:
        await suspensions.change_user(session, who.user_id, suspensions.suspended(WHY, now(), None))
        await admin.act(
            session,
            key=str(uuid7()),
            admin_id=room.world.admin.user_id,
            action=suspensions.SUSPENDED,
            target=("user", who.user_id),
            details={},
            at=now(),
            reason=WHY,
        )


async def reinstate(room: Room, who: Somebody) -> None:
    async with room.database.write() as session:
        await suspensions.change_user(session, who.user_id, suspensions.reinstated())


async def tell(room: Room, who: Somebody) -> WorkflowHandle[Any, Any]:
    """Set it going, as the facade does."""
    return await room.client.start_workflow(
        SuspensionWorkflow.run,
        SuspensionStart(user_id=who.user_id),
        id=suspension_id(who.user_id),
        task_queue=ORDERS_QUEUE,
        start_signal=SuspensionWorkflow.look.__name__,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )


async def paid(room: Room) -> Run:
    run = await room.begin()
    await run.pay()
    return run


async def accepted(room: Room) -> Run:
    run = await paid(room)
    await run.accept()
    return run


async def cooking(room: Room) -> Run:
    run = await accepted(room)
    await run.start()
    return run


async def has_failed(handle: WorkflowHandle[Any, Any]) -> None:
    """Wait until the server knows that an attempt failed: while one is under way in a run that is
    terminated, it does not skip time any more.
    """

    async def is_known() -> bool:
        pending = (await handle.describe()).raw_description.pending_activities
        return any(tried.HasField("last_failure") for tried in pending)

    await until(is_known)


async def deeds(run: Run) -> list[tuple[UUID, str, str | None]]:
    async with run.room.database.read() as session:
        found = await session.execute(
            select(
                col(AdminAction.admin_id), col(AdminAction.action_type), col(AdminAction.reason)
            ).where(col(AdminAction.target_id) == run.placing.order.id)
        )
        return [(row[0], row[1], row[2]) for row in found]


async def test_what_no_chef_has_accepted_of_a_suspended_customers_is_cancelled_and_refunded(
    room: Room,
) -> None:
    unpaid, waiting, taken = await room.begin(), await paid(room), await accepted(room)
    customer, operator = room.world.customer, room.world.admin.user_id

    await suspend(room, customer)
    handle = await tell(room, customer)
    await handle.result()

    for run in (unpaid, waiting):
        row = await run.row()
        assert (row.status, row.cancelled_by) == (S.CANCELLED, Actor.ADMIN)
        assert row.cancel_reason == "customer_suspended"
        assert (row.kept_cents, row.chef_earning_cents) == (0, 0)
        assert await deeds(run) == [(operator, "order_cancelled", "customer_suspended")]
    assert (await taken.row()).status is S.ACCEPTED

    async def has_it_back() -> bool:
        return waiting.given_back() == waiting.placing.order.price.total_cents

    await until(has_it_back)
    assert taken.given_back() == unpaid.given_back() == 0


async def test_what_a_suspended_chef_does_not_cook_yet_is_cancelled_by_his_fault(
    room: Room,
) -> None:
    waiting, taken, in_the_pan = await paid(room), await accepted(room), await cooking(room)

    await suspend(room, room.world.chef)
    await (await tell(room, room.world.chef)).result()

    for run in (waiting, taken):
        row = await run.row()
        assert (row.status, row.cancel_reason) == (S.CANCELLED, "chef_suspended")
        assert (row.kept_cents, row.chef_earning_cents) == (0, 0)
    assert (await in_the_pan.row()).status is S.PREPARING


async def given_to(run: Run, driver: Somebody) -> None:
    by_hand = OperatorAssign(by=run.admin, driver_id=driver.id, reason="he is near")
    await run.ask(OrderWorkflow.operator_assign, by_hand)


async def test_what_a_suspended_driver_has_not_picked_up_is_looked_for_another(
    room: Room,
) -> None:
    driver = room.world.drivers[0]
    await room.off_duty()
    carried, assigned, early = await room.begin(), await room.begin(), await cooking(room)
    for run in (carried, assigned):
        await run.cook()
    for run in (carried, assigned, early):
        await given_to(run, driver)
    await carried.drive(driver, to=S.PICKED_UP)

    await suspend(room, driver)
    await (await tell(room, driver)).result()

    for run, status in ((assigned, S.READY_FOR_PICKUP), (early, S.PREPARING)):
        row = await run.row()
        assert (row.status, row.driver_id) == (status, None)
        assert await run.assignments() == [(driver.id, AssignmentStatus.CANCELLED)]
    assert ((await carried.row()).status, (await carried.row()).driver_id) == (
        S.PICKED_UP,
        driver.id,
    )


async def test_attempts_that_die_when_their_work_is_done_have_one_effect(
    room: Room, dying: Dying
) -> None:
    runs = [await paid(room) for _ in range(3)]
    dying.dies_of["deal_with_order"] = 2

    await suspend(room, room.world.customer)
    await (await tell(room, room.world.customer)).result()

    assert dying.died["deal_with_order"] == 2
    for run in runs:
        assert (await run.row()).status is S.CANCELLED
        assert (await run.trace()).count(S.CANCELLED) == 1
        assert len(await deeds(run)) == 1


async def test_a_run_that_is_ended_in_the_middle_goes_on_when_it_is_told_again(
    room: Room, dying: Dying
) -> None:
    runs = [await paid(room) for _ in range(3)]
    # The first order is dealt with, and from then on nothing is heard of it.
    dying.dies_of["deal_with_order"] = 1_000
    await suspend(room, room.world.customer)
    handle = await tell(room, room.world.customer)
    await runs[0].becomes(S.CANCELLED)
    await has_failed(handle)
    await handle.terminate("killed")
    assert [(await run.row()).status for run in runs[1:]] == [S.PAYMENT_CONFIRMED] * 2
    dying.dies_of.clear()

    again = await tell(room, room.world.customer)
    # Before any time passes, in which the orders would be given up.
    for run in runs:
        await run.becomes(S.CANCELLED)
    await again.result()

    assert [(await run.row()).status for run in runs] == [S.CANCELLED] * 3
    assert [len(await deeds(run)) for run in runs] == [1, 1, 1]


async def test_an_order_whose_run_is_gone_is_taken_up_for_it(room: Room) -> None:
    run = await paid(room)
    # Asked, and so not in the middle of a task: the server that skips time would wait for its end.
    await run.status()
    await run.handle.terminate("killed")

    await suspend(room, room.world.customer)
    handle = await tell(room, room.world.customer)
    # Before any time passes, in which the order would be given up.
    await run.becomes(S.CANCELLED)
    await handle.result()


async def test_a_suspension_that_is_written_after_the_run_has_begun_is_seen(room: Room) -> None:
    run = await paid(room)
    handle = await tell(room, room.world.customer)
    await room.skip(timedelta(seconds=31))
    assert (await run.row()).status is S.PAYMENT_CONFIRMED

    await suspend(room, room.world.customer)
    await room.skip(timedelta(seconds=31))

    await run.becomes(S.CANCELLED)
    await handle.result()


async def test_an_order_that_was_being_placed_meanwhile_is_seen(room: Room) -> None:
    await suspend(room, room.world.customer)
    handle = await tell(room, room.world.customer)
    await room.skip(timedelta(seconds=31))

    late = await room.begin()
    await handle.result()

    assert (await late.row()).status is S.CANCELLED


async def test_where_nobody_is_suspended_after_all_the_run_ends_and_nothing_changes(
    room: Room,
) -> None:
    run = await paid(room)
    began = await room.env.get_current_time()

    await (await tell(room, room.world.customer)).result()

    assert await room.env.get_current_time() - began >= LOOKS_FOR
    assert (await run.row()).status is S.PAYMENT_CONFIRMED


async def test_a_reinstatement_stops_what_has_not_happened_yet(room: Room, dying: Dying) -> None:
    runs = [await paid(room) for _ in range(2)]
    dying.dies_of["deal_with_order"] = 1_000
    await suspend(room, room.world.customer)
    handle = await tell(room, room.world.customer)
    await runs[0].becomes(S.CANCELLED)

    await reinstate(room, room.world.customer)
    dying.dies_of.clear()
    await handle.result()

    assert (await runs[1].row()).status is S.PAYMENT_CONFIRMED


async def test_its_history_replays(room: Room) -> None:
    await paid(room)
    await suspend(room, room.world.customer)
    handle = await tell(room, room.world.customer)
    await handle.result()
    assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED

    replayer = Replayer(workflows=[SuspensionWorkflow], data_converter=pydantic_data_converter)
    await replayer.replay_workflow(await handle.fetch_history())
