"""Tips that are raised after paying: promised on the way, charged once, to the card that paid."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.ledger import Account
from domain.order_status import OrderStatus
from local.people import until
from providers.stripe import TIP
from schema.messages.money import TipCharged
from tests.books import booked_events, books
from tests.workflows.disputes import delivered
from tests.workflows.room import Room, Run
from workflows.order import OrderWorkflow

S = OrderStatus


async def refusal(run: Run, cents: int) -> str | None:
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await run.raise_tip(cents)
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause.type


def charged(run: Run) -> list[int]:
    """What Stripe took for the order, the first payment first, in cents."""
    customer = run.intent().customer
    intents = run.room.stripe.v1.payment_intents.list({"customer": str(customer)})
    return [
        intent.amount_received
        for intent in reversed(intents.data)
        if intent.status == "succeeded" and intent.metadata["order_id"] == str(run.placing.order.id)
    ]


async def tip_charges(run: Run) -> list[int]:
    return [charge.amount_cents for charge in await run.tip_charges()]


async def lose_the_card(run: Run) -> None:
    """The customer has his saved card forgotten."""
    await asyncio.to_thread(
        run.room.stripe.v1.payment_methods.detach, str(run.intent().payment_method)
    )


async def test_a_tip_raised_on_the_way_is_charged_when_the_order_is_delivered(room: Room) -> None:
    run = await room.begin()
    await run.cook()

    await run.raise_tip(200)
    await run.raise_tip(300)
    assert await refusal(run, 299) == "TipNotLowered"
    row = await run.row()
    assert (row.tip_cents, row.promised_tip_cents, charged(run)) == (0, 300, [2660])

    await run.deliver(room.world.drivers[0])
    await run.handle.result()

    row = await run.row()
    assert (row.tip_cents, row.promised_tip_cents, row.total_cents) == (300, None, 2960)
    assert row.driver_earning_cents == 800
    assert charged(run) == [2660, 300]
    assert await tip_charges(run) == [300]
    assert await books(room.database, run.placing.order.id) == {
        Account.STRIPE_CLEARING: 2960,
        Account.TAX_PAYABLE: -160,
        Account.PLATFORM_REVENUE: -399,
        f"chef:{room.world.chef.id}": -1601,
        f"driver:{room.world.drivers[0].id}": -800,
    }


async def test_a_tip_raised_after_delivery_is_charged_at_once(room: Room) -> None:
    run = await delivered(room)

    await run.raise_tip(300)
    await run.raise_tip(300)
    await run.raise_tip(500)
    assert await refusal(run, 100) == "TipNotLowered"

    row = await run.row()
    assert (row.tip_cents, row.total_cents, row.status) == (500, 3160, S.DELIVERED)
    assert charged(run) == [2660, 300, 200]
    assert (await booked_events(room.database, run.placing.order.id))[-2:] == ["tip", "tip"]


async def test_a_tip_a_day_after_delivery_is_too_late(room: Room) -> None:
    run = await delivered(room)
    await room.skip(timedelta(hours=25))

    assert await refusal(run, 300) == "TipLocked"
    assert charged(run) == [2660]


async def test_raises_at_once_come_to_the_highest_and_no_more(room: Room) -> None:
    run = await delivered(room)

    await asyncio.gather(
        *(run.raise_tip(cents) for cents in (100, 300, 500)), return_exceptions=True
    )

    row = await run.row()
    assert row.tip_cents == 500
    assert sum(charged(run)) == row.total_cents == 3160


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "server_error", "rate_limit"])
async def test_a_tip_whose_answer_was_lost_is_charged_once(room: Room, kind: str) -> None:
    run = await delivered(room)

    async with room.stripe_fault("POST /v1/payment_intents", kind, times=4):
        await run.raise_tip(300)

    assert charged(run) == [2660, 300]
    assert await tip_charges(run) == [300]
    assert (await run.row()).tip_cents == 300


async def test_a_tip_that_is_still_being_charged_is_not_charged_again(room: Room) -> None:
    run = await delivered(room)
    paid, intents = run.intent(), room.stripe.v1.payment_intents
    earlier = intents.create(
        {
            "amount": 300,
            "currency": "usd",
            "customer": str(paid.customer),
            "payment_method": str(paid.payment_method),
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "metadata": {"order_id": str(run.placing.order.id), "purpose": TIP},
        }
    )

    raising = asyncio.create_task(run.raise_tip(300))
    await asyncio.wait([raising], timeout=2)
    assert charged(run) == [2660]
    await asyncio.to_thread(intents.confirm, earlier.id, {"off_session": True})
    await raising

    assert charged(run) == [2660, 300]
    assert await tip_charges(run) == [300]


async def test_a_tip_whose_order_was_terminated_before_it_was_written_is_the_drivers(
    room: Room,
) -> None:
    run = await room.begin()
    await run.cook()
    await run.raise_tip(300)
    await run.take(room.world.drivers[0])
    async with room.stripe_fault("POST /v1/payment_intents", "drop_after", times=1000):
        await run.drive(room.world.drivers[0])
        await until(lambda: is_charged(run, 300))
        await run.handle.terminate()
    assert await tip_charges(run) == []

    fact = tip_fact(run)
    await run.tell_again(OrderWorkflow.tip_charged, fact)
    await run.handle.result()
    await run.tell_again(OrderWorkflow.tip_charged, fact)
    await run.handle.result()
    await run.raise_tip(300)

    row = await run.row()
    assert (row.tip_cents, row.promised_tip_cents, row.driver_earning_cents) == (300, None, 800)
    assert charged(run) == [2660, 300]
    assert await tip_charges(run) == [300]
    assert (await booked_events(room.database, run.placing.order.id)).count("tip") == 1


async def test_a_tip_that_only_stripe_tells_of_is_written_once_whoever_hears_first(
    room: Room,
) -> None:
    run = await delivered(room)
    fact = await run.tip_at_stripe(300)

    await run.tell_again(OrderWorkflow.tip_charged, fact)
    raising = asyncio.gather(run.raise_tip(500), run.raise_tip(500))
    await run.handle.signal(OrderWorkflow.tip_charged, fact)
    await raising

    assert charged(run) == [2660, 300, 200]
    assert await tip_charges(run) == [300, 200]
    assert (await run.row()).tip_cents == 500


async def test_a_tip_of_an_order_that_nobody_drove_is_left_to_people(room: Room) -> None:
    run = await room.begin()
    await run.pay()
    fact = await run.tip_at_stripe(300)

    await run.handle.signal(OrderWorkflow.tip_charged, fact)
    await run.ask(OrderWorkflow.reject, run.command(run.chef, "no rice"))
    await run.handle.result()

    assert await tip_charges(run) == []
    assert any("nobody has driven" in words for words in await run.told(room.world.admin))
    assert (await run.row()).status is S.CANCELLED


async def is_charged(run: Run, cents: int) -> bool:
    return cents in await asyncio.to_thread(charged, run)


def tip_fact(run: Run) -> TipCharged:
    """What Stripe's webhook says of the order's tip."""
    intents = run.room.stripe.v1.payment_intents.list({"customer": str(run.intent().customer)})
    (tip,) = (
        intent
        for intent in intents.data
        if intent.metadata.to_dict().get("purpose") == TIP
        and intent.metadata["order_id"] == str(run.placing.order.id)
    )
    return TipCharged(payment_intent_id=tip.id, amount_cents=tip.amount_received)


async def test_a_card_that_is_gone_changes_nothing(room: Room) -> None:
    run = await delivered(room)
    await lose_the_card(run)
    before = await run.row()

    assert await refusal(run, 300) == "TipRefused"

    assert await run.row() == before
    assert charged(run) == [2660]
    assert await tip_charges(run) == []


async def test_a_promised_tip_that_the_card_does_not_give_is_told_and_forgotten(
    room: Room,
) -> None:
    run = await room.begin()
    await run.cook()
    await run.raise_tip(300)
    await lose_the_card(run)

    await run.deliver(room.world.drivers[0])
    await run.handle.result()

    row = await run.row()
    assert (row.tip_cents, row.promised_tip_cents, row.status) == (0, None, S.DELIVERED)
    assert "did not take the tip" in (await run.told(room.world.customer))[-1]


async def test_a_cancelled_order_takes_no_tip_and_charges_none_that_was_promised(
    room: Room,
) -> None:
    run = await room.begin()
    await run.pay()
    await run.raise_tip(300)

    await run.ask(OrderWorkflow.reject, run.command(run.chef, "no rice"))
    await run.handle.result()

    assert await refusal(run, 500) == "TipLocked"
    assert charged(run) == [2660]
    assert run.given_back() == 2660


async def test_a_customer_is_one_at_stripe_whatever_he_orders(room: Room) -> None:
    first, second = await delivered(room), await room.begin()

    people: list[Any] = [first.intent().customer, second.intent().customer]
    assert people[0] == people[1] is not None
