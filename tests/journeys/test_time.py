"""What happens to whole orders when nobody does anything, with the time skipped."""

from datetime import timedelta

from domain.order_status import OrderStatus
from tests.journeys.conftest import TimelessPlay

S = OrderStatus


async def test_an_order_that_is_not_paid_for_expires(timeless_play: TimelessPlay) -> None:
    play = timeless_play.cast
    order = await play.place()

    await timeless_play.skip(timedelta(minutes=15, seconds=5))

    cancelled = await play.becomes(order, S.CANCELLED)
    assert (cancelled["cancelledBy"], cancelled["cancelReason"]) == ("deadline", "payment_expired")
    assert play.charged(order) == []


async def test_a_silent_chef_costs_nobody_anything(timeless_play: TimelessPlay) -> None:
    play = timeless_play.cast
    order = await play.bring(S.PAYMENT_CONFIRMED)

    await timeless_play.skip(timedelta(minutes=5, seconds=5))

    cancelled = await play.becomes(order, S.CANCELLED)
    assert cancelled["cancelReason"] == "chef_did_not_answer"
    await play.is_refunded(order, 2660)


async def test_without_a_driver_everything_is_given_back(timeless_play: TimelessPlay) -> None:
    play = timeless_play.cast
    order = await play.bring(S.READY_FOR_PICKUP)

    await timeless_play.skip(timedelta(minutes=30, seconds=30))

    cancelled = await play.becomes(order, S.CANCELLED)
    assert cancelled["cancelReason"] == "no_driver_found"
    await play.is_refunded(order, 2660)


async def test_a_scheduled_order_waits_for_its_day(timeless_play: TimelessPlay) -> None:
    play = timeless_play.cast
    now = await timeless_play.env.get_current_time()
    scheduled = (now + timedelta(hours=20)).isoformat()
    order = await play.bring(S.PAYMENT_CONFIRMED, scheduledFor=scheduled)

    await timeless_play.skip(timedelta(hours=18))
    waiting = await play.customer.get(f"/orders/{order['id']}")
    assert waiting["status"] == S.PAYMENT_CONFIRMED

    accepted = await play.chef_says(order, "accepted")
    assert accepted["estimatedDeliveryAt"][:16] == scheduled[:16]


async def test_a_payment_that_is_told_after_expiry_is_given_back(
    timeless_play: TimelessPlay,
) -> None:
    play = timeless_play.cast
    order = await play.place()
    await play.stripe_control("POST", "webhooks", paused=True)
    await play.wallet.pay(order["clientSecret"])

    await timeless_play.skip(timedelta(minutes=15, seconds=5))
    await play.becomes(order, S.CANCELLED)
    await play.stripe_control("DELETE", "webhooks")

    await play.is_refunded(order, 2660)
    assert await play.history(order) == ["pending", "cancelled"]
    assert play.refunded(order) == [2660]
