"""One order, all the way."""

from domain.ledger import Account, payable
from domain.order_status import OrderStatus
from domain.payees import PayeeKind
from schema.messages.order import StatusView
from tests.books import booked_events, books
from tests.workflows.room import Room

S = OrderStatus


async def test_an_order_is_placed_paid_cooked_and_delivered(room: Room) -> None:
    first, second = room.world.drivers
    run = await room.begin()
    assert run.placed.status is S.PENDING
    assert run.placed.price.total_cents == 2660

    await run.pay()
    accepted = await run.accept(ready_in_minutes=25)
    assert accepted.status is S.ACCEPTED
    await run.start()
    await run.ready()
    await run.decline(first)
    assigned = await run.take(second)
    assert assigned.driver_id == second.id
    await run.drive(second)

    outcome: StatusView = await run.handle.result()
    assert outcome.status is S.DELIVERED
    assert await run.trace() == [
        S.PENDING,
        S.PAYMENT_CONFIRMED,
        S.ACCEPTED,
        S.PREPARING,
        S.READY_FOR_PICKUP,
        S.ASSIGNED_TO_DRIVER,
        S.PICKED_UP,
        S.IN_TRANSIT,
        S.DELIVERED,
    ]
    row = await run.row()
    assert (row.status, row.sequence) == (S.DELIVERED, 9)
    assert row.proof == {"note": "at the door"}
    assert (row.chef_earning_cents, row.driver_earning_cents) == (1601, 500)
    order = run.placing.order
    assert await booked_events(room.database, order.id) == ["capture", "earned"]
    assert await books(room.database, order.id) == {
        Account.STRIPE_CLEARING: 2660,
        Account.TAX_PAYABLE: -160,
        Account.PLATFORM_REVENUE: -399,
        payable(PayeeKind.CHEF, order.chef_id): -1601,
        payable(PayeeKind.DRIVER, second.id): -500,
    }
