"""Operators hold an order, release it, or prefer a driver for it: dispatch does as they say."""

from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlmodel import col

from domain.order_status import OrderStatus
from schema.messages.order import Command, Terms
from schema.messages.overrides import Hold, Override, OverrideAction, Overriding, Prefer
from schema.queries import overrides
from schema.tables import AdminAction
from tests.workflows.room import Room, Run, moment
from workflows.order import OrderWorkflow

S = OrderStatus
MINUTE = timedelta(minutes=1)
# Not in step with anything else: see tests.workflows.room.
TERMS = Terms(dispatch_give_up=timedelta(seconds=243), dispatch_alert=timedelta(seconds=181))
LONG = timedelta(seconds=487)


async def ready(room: Room) -> Run:
    run = await room.begin(TERMS)
    await run.cook()
    return run


def asked(run: Run, **more: object) -> dict[str, object]:
    """What every request by hand says."""
    admin = run.room.world.admin.user_id
    return {"admin_id": admin, "key": str(uuid4()), "reason": "because", **more}


async def hold(run: Run, lasts: timedelta, key: str | None = None) -> None:
    words = asked(run, lasts=lasts)
    await run.ask(OrderWorkflow.operator_hold, Hold.model_validate(words), key or str(uuid4()))


async def release(run: Run) -> None:
    words = Override.model_validate(asked(run))
    await run.ask(OrderWorkflow.operator_release, words, str(uuid4()))


async def prefer(run: Run, driver_id: UUID | None) -> None:
    words = Prefer.model_validate(asked(run, driver_id=driver_id))
    await run.ask(OrderWorkflow.operator_prefer, words, str(uuid4()))


async def actions(run: Run) -> list[str]:
    async with run.room.database.read() as session:
        found = await session.scalars(
            select(col(AdminAction.action_type))
            .where(col(AdminAction.target_id) == run.placing.order.id)
            .order_by(col(AdminAction.id))
        )
        return list(found)


async def test_an_order_that_is_held_is_neither_offered_nor_given_up_and_goes_on_by_itself(
    room: Room,
) -> None:
    run = await ready(room)
    await run.offered()

    await hold(run, LONG)

    assert await run.offer() is None
    asked_before = len(await run.assignments())
    await room.skip(LONG - 2 * MINUTE)
    assert (await run.status()).status is S.READY_FOR_PICKUP
    assert "Kept back" in (await run.status()).waiting_for
    assert len(await run.assignments()) == asked_before
    assert not [words for words in await run.told(room.world.admin) if "no driver" in words]

    await room.skip(3 * MINUTE)

    assert len(await run.assignments()) > asked_before
    assert (await run.status()).status is S.READY_FOR_PICKUP


async def test_an_order_that_is_released_is_looked_for_anew(room: Room) -> None:
    run = await ready(room)
    await room.skip(TERMS.dispatch_give_up - MINUTE)
    await hold(run, timedelta(hours=1))
    await room.skip(2 * MINUTE)

    await release(run)

    await room.skip(TERMS.dispatch_give_up - MINUTE)
    assert (await run.status()).status is S.READY_FOR_PICKUP
    await room.skip(2 * MINUTE)
    assert (await run.handle.result()).status is S.CANCELLED


async def test_a_preferred_driver_is_asked_and_nobody_else_until_he_declines(room: Room) -> None:
    first, second = room.world.drivers
    run = await ready(room)
    await run.offered(first)

    await prefer(run, second.id)

    await run.offered(second)
    await run.decline(second)
    await run.offered(first)
    await run.deliver(first)


async def test_an_order_with_a_driver_is_not_held(room: Room) -> None:
    run = await ready(room)
    await run.offered()
    await run.take(room.world.drivers[0])

    words = Hold.model_validate(asked(run, lasts=LONG))
    refusal = await run.refusal(OrderWorkflow.operator_hold, words)

    assert refusal.type == "NotLookingForADriver"
    assert await actions(run) == []


async def test_a_hold_whose_workflow_task_was_lost_is_recorded_once_when_it_is_asked_again(
    room: Room,
) -> None:
    run = await ready(room)
    words = Hold.model_validate(asked(run, lasts=LONG))
    now = await moment(room.env)
    async with room.database.write() as session:
        await overrides.override(
            session,
            Overriding(
                order_id=run.placing.order.id,
                action=OverrideAction.HOLD,
                key=words.key,
                admin_id=words.admin_id,
                reason=words.reason,
                at=now,
                held_until=now + LONG,
            ),
        )

    await run.ask(OrderWorkflow.operator_hold, words)

    assert await actions(run) == ["order_held"]
    await room.skip(LONG - 2 * MINUTE)
    assert (await run.status()).status is S.READY_FOR_PICKUP


async def test_a_driver_who_is_taken_off_an_order_leaves_his_bonus_and_is_not_asked_again(
    room: Room,
) -> None:
    first, second = room.world.drivers
    run = await ready(room)
    await run.offered()
    await run.take(first)

    await run.ask(
        OrderWorkflow.operator_unassign, Command(by=run.admin, reason="his car broke down")
    )

    await run.offered(second)
    assert (await run.row()).driver_bonus_cents == 0
    await run.deliver(second)
    assert (await run.handle.result()).driver_id == second.id
    assert await actions(run) == ["order_ready_for_pickup"]
