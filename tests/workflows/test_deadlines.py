"""Every deadline, with the time skipped: nothing before it, the right thing at it."""

from datetime import timedelta

import pytest

from domain.order_status import Actor, OrderStatus
from schema.messages.dispatch import AssignmentStatus
from schema.messages.money import PaymentFailed
from schema.messages.order import Terms
from tests.workflows.room import Room, Run, moment
from workflows.order import OrderWorkflow

S = OrderStatus
SECOND = timedelta(seconds=1)
TERMS = Terms()


async def test_an_unpaid_order_is_cancelled_after_fifteen_minutes(room: Room) -> None:
    run = await room.begin()

    await room.skip(TERMS.payment_deadline - 5 * SECOND)
    assert (await run.status()).status is S.PENDING

    assert (await run.handle.result()).status is S.CANCELLED
    row = await run.row()
    assert (row.cancelled_by, row.cancel_reason) == (Actor.DEADLINE, "payment_expired")
    assert run.intent().status == "canceled"


async def test_three_refused_cards_end_an_order_and_two_do_not(room: Room) -> None:
    run = await room.begin()

    await refuse(run, "evt_1")
    await refuse(run, "evt_2")
    await refuse(run, "evt_2")  # the same event again
    assert (await run.status()).status is S.PENDING
    await refuse(run, "evt_3")

    assert (await run.handle.result()).status is S.CANCELLED
    row = await run.row()
    assert (row.cancelled_by, row.cancel_reason) == (Actor.STRIPE, "payment_failed: lost_card")


async def test_a_silent_chef_is_reminded_at_half_time_then_the_order_is_cancelled(
    room: Room,
) -> None:
    run = await room.begin()
    await run.pay()

    await room.skip(TERMS.chef_response / 2 - 5 * SECOND)
    assert len(await run.told(room.world.chef)) == 1
    await room.skip(10 * SECOND)
    assert "still waiting for your answer" in (await run.told(room.world.chef))[1]
    assert (await run.status()).status is S.PAYMENT_CONFIRMED

    assert (await run.handle.result()).status is S.CANCELLED
    row = await run.row()
    assert (row.cancelled_by, row.cancel_reason) == (Actor.DEADLINE, "chef_did_not_answer")
    assert row.cancelled_at is not None
    assert row.paid_at is not None
    assert timedelta(minutes=5) <= row.cancelled_at - row.paid_at <= timedelta(minutes=5, seconds=9)
    assert run.given_back() == 2660


async def test_a_chef_may_answer_until_the_last_moment(room: Room) -> None:
    run = await room.begin()
    await run.pay()
    await room.skip(TERMS.chef_response - 5 * SECOND)

    assert (await run.accept()).status is S.ACCEPTED
    await room.skip(20 * SECOND)
    assert (await run.status()).status is S.ACCEPTED


async def test_late_food_alarms_ops_and_cancels_nothing(room: Room) -> None:
    run = await room.begin()
    await run.pay()
    await run.accept(ready_in_minutes=30)
    await run.start()

    await room.skip(timedelta(minutes=29))
    assert await run.told(room.world.admin) == []
    await room.skip(timedelta(minutes=2))
    assert "has not finished" in (await run.told(room.world.admin))[0]
    await room.skip(timedelta(hours=2))
    assert (await run.status()).status is S.PREPARING
    assert len(await run.told(room.world.admin)) == 1
    assert (await run.ready()).status is S.READY_FOR_PICKUP


async def test_an_offer_lasts_thirty_seconds_then_the_next_driver_is_asked(room: Room) -> None:
    first, second = room.world.drivers
    run = await room.begin()
    await run.cook()
    offer = await run.offered()
    assert offer.driver_id == first.id

    await room.skip(room.offer_lasts - 5 * SECOND)
    assert await run.offer() == offer
    await room.skip(10 * SECOND)

    assert (await run.offered()).driver_id == second.id
    assert await run.assignments() == [
        (first.id, AssignmentStatus.EXPIRED),
        (second.id, AssignmentStatus.OFFERED),
    ]


async def test_without_a_driver_ops_hears_of_it_and_then_everything_is_given_back(
    room: Room,
) -> None:
    run = await room.begin()
    await run.cook()

    await room.skip(TERMS.dispatch_alert - 5 * SECOND)
    assert await run.told(room.world.admin) == []
    await room.skip(10 * SECOND)
    assert "No driver has taken" in (await run.told(room.world.admin))[0]
    assert (await run.status()).status is S.READY_FOR_PICKUP

    assert (await run.handle.result()).status is S.CANCELLED
    row = await run.row()
    assert (row.cancelled_by, row.cancel_reason) == (Actor.DISPATCH, "no_driver_found")
    assert row.prepared_at is not None
    assert row.cancelled_at is not None
    waited = row.cancelled_at - row.prepared_at
    assert TERMS.dispatch_give_up <= waited <= TERMS.dispatch_give_up + 9 * SECOND
    assert run.given_back() == 2660
    # Cooked and nobody came: the platform's loss, not the chef's.
    assert (row.kept_cents, row.chef_earning_cents, row.driver_earning_cents) == (0, 1601, 0)


async def test_ops_hears_of_a_slow_search_once_whoever_says_no_meanwhile(room: Room) -> None:
    driver = room.world.drivers[0]
    run = await room.begin(terms=TERMS.model_copy(update={"dispatch_alert": 25 * SECOND}))
    await run.cook()
    await run.offered()
    await room.skip(5 * SECOND)
    await run.decline(driver)

    await room.skip(5 * timedelta(minutes=1))

    told = await run.told(room.world.admin)
    assert len(told) == 1
    assert "No driver has taken" in told[0]


async def test_a_driver_who_does_not_come_alarms_ops(room: Room) -> None:
    run = await room.begin()
    await run.cook()
    await run.take(room.world.drivers[0])

    await room.skip(TERMS.pickup_overdue - 5 * SECOND)
    assert await run.told(room.world.admin) == []
    await room.skip(10 * SECOND)
    assert "has not picked up" in (await run.told(room.world.admin))[0]
    assert (await run.status()).status is S.ASSIGNED_TO_DRIVER


@pytest.mark.parametrize("on_the_way", [S.PICKED_UP, S.IN_TRANSIT])
async def test_a_driver_who_does_not_arrive_alarms_ops(room: Room, on_the_way: S) -> None:
    driver = room.world.drivers[0]
    run = await room.begin()
    await run.cook()
    await run.take(driver)
    await run.drive(driver, to=on_the_way)
    expected = (await run.row()).estimated_delivery_at
    assert expected is not None

    due = expected + TERMS.delivery_overdue
    await room.skip(due - await moment(room.env) - 5 * SECOND)
    assert await run.told(room.world.admin) == []
    await room.skip(10 * SECOND)
    assert "has not delivered" in (await run.told(room.world.admin))[0]
    assert (await run.status()).status is on_the_way


async def test_a_scheduled_order_does_not_press_the_chef_before_it_matters(room: Room) -> None:
    scheduled = await moment(room.env) + timedelta(hours=24)
    placing = room.world.placing(scheduled_for=scheduled, prep_minutes=30)
    run = await room.begin(placing=placing)
    await run.pay()

    await room.skip(timedelta(hours=22, minutes=30))
    assert (await run.status()).status is S.PAYMENT_CONFIRMED
    assert len(await run.told(room.world.chef)) == 1

    assert (await run.handle.result()).status is S.CANCELLED
    row = await run.row()
    assert row.cancelled_at is not None
    # Thirty minutes to cook, fifteen to spare, some to travel: then it is too late to begin.
    left = scheduled - row.cancelled_at
    assert timedelta(minutes=45) <= left <= timedelta(minutes=65)


async def test_a_scheduled_order_is_promised_for_its_time(room: Room) -> None:
    scheduled = await moment(room.env) + timedelta(hours=5)
    run = await room.begin(placing=room.world.placing(scheduled_for=scheduled))
    await run.pay()

    accepted = await run.accept(ready_in_minutes=20)

    assert accepted.estimated_delivery_at == scheduled


async def test_a_refund_that_does_not_arrive_in_a_week_alarms_ops(room: Room) -> None:
    run = await room.begin()
    await run.pay("pm_card_pendingRefund")
    await run.ask(OrderWorkflow.reject, run.command(run.chef))

    await room.skip(TERMS.refund_overdue - timedelta(hours=1))
    assert await run.told(room.world.admin) == []
    await room.skip(timedelta(hours=2))
    assert "still on its way" in (await run.told(room.world.admin))[0]
    assert (await run.handle.result()).status is S.CANCELLED


async def refuse(run: Run, event_id: str) -> None:
    await run.handle.signal(
        OrderWorkflow.payment_failed,
        PaymentFailed(event_id=event_id, payment_intent_id=run.intent_id, reason="lost_card"),
    )
