"""Nobody takes an order, so the platform adds a bonus: whoever takes it then earns it."""

from datetime import timedelta

import pytest

from domain.cancellation import Fault
from domain.ledger import Account, payable
from domain.order_status import OrderStatus
from domain.payees import PayeeKind
from schema.messages.dispatch import ZoneOrder
from schema.messages.order import OperatorCancel
from tests.books import books
from tests.workflows.room import Room, Run
from workflows.order import OrderWorkflow
from workflows.zone import ZoneDispatchWorkflow

S = OrderStatus


async def with_bonus(room: Room) -> tuple[Run, int]:
    """An order that a driver has taken after all, and his bonus."""
    await room.off_duty()
    run = await room.begin()
    await run.cook()
    # All circles are tried in vain.
    await room.skip(timedelta(minutes=4))
    await room.on_duty()
    await room.zone(run.placing).signal(
        ZoneDispatchWorkflow.join, ZoneOrder(order_id=run.placing.order.id)
    )
    await run.take(room.world.drivers[0])
    return run, room.settings.dispatch_bonus_cents


async def test_a_bonus_reaches_the_driver_when_the_order_is_delivered(room: Room) -> None:
    run, bonus = await with_bonus(room)
    assert (await run.row()).driver_bonus_cents == bonus > 0

    await run.drive(room.world.drivers[0])
    await run.handle.result()

    booked = await books(room.database, run.placing.order.id)
    assert booked[Account.DRIVER_BONUSES] == bonus
    assert booked[payable(PayeeKind.DRIVER, room.world.drivers[0].id)] == -500 - bonus


@pytest.mark.parametrize("fault", [Fault.PLATFORM, Fault.DRIVER])
async def test_a_bonus_is_earned_with_the_way_when_the_order_is_cancelled(
    room: Room, fault: Fault
) -> None:
    run, bonus = await with_bonus(room)
    await run.drive(room.world.drivers[0], to=S.PICKED_UP)

    cancel = OperatorCancel(by=run.admin, reason="lost", fault=fault)
    await run.ask(OrderWorkflow.operator_cancel, cancel)
    await run.handle.result()

    booked = await books(room.database, run.placing.order.id)
    assert booked.get(Account.DRIVER_BONUSES, 0) == (0 if fault is Fault.DRIVER else bonus)


async def test_an_order_that_is_taken_at_once_has_no_bonus(room: Room) -> None:
    run = await room.begin()
    await run.cook()
    await run.deliver(room.world.drivers[0])
    await run.handle.result()

    assert (await run.row()).driver_bonus_cents == 0
    assert Account.DRIVER_BONUSES not in await books(room.database, run.placing.order.id)
