"""Asking how a payment stands, where Stripe's own word is late."""

import httpx
import pytest

from domain.order_status import OrderStatus
from local.cast import Cast, cast
from local.people import Unanswered

S = OrderStatus


@pytest.fixture
async def silent(play: Cast) -> Cast:
    """Stripe takes payments and says nothing by itself."""
    await play.stripe_control("POST", "webhooks", paused=True)
    return play


async def test_an_order_goes_on_though_the_webhook_has_not_come(silent: Cast) -> None:
    play, order = silent, await silent.place()
    await play.wallet.pay(order["clientSecret"])

    first = await play.customer.post("/payments/confirm", orderId=order["id"])

    assert (first["orderId"], first["amountCents"]) == (order["id"], 2660)
    await play.becomes(order, S.PAYMENT_CONFIRMED)
    again = await play.customer.post("/payments/confirm", orderId=order["id"])
    assert (again["status"], again["capturedCents"]) == ("captured", 2660)
    await play.stripe_control("DELETE", "webhooks")
    await play.chef_says(order, "accepted")
    assert await play.history(order) == ["pending", "payment_confirmed", "accepted"]
    assert play.charged(order) == [2660]


async def test_a_payment_that_nobody_has_made_is_none_yet(silent: Cast) -> None:
    order = await silent.place()

    seen = await silent.customer.post("/payments/confirm", orderId=order["id"])

    assert (seen["status"], seen["capturedCents"]) == ("open", 0)
    assert await silent.history(order) == ["pending"]


async def test_nobody_asks_about_the_payment_of_somebody_else(play: Cast) -> None:
    order = await play.place()
    async with cast(play.environment, drivers=0) as others:
        with pytest.raises(Unanswered) as refused:
            await others.customer.post("/payments/confirm", orderId=order["id"])
    assert refused.value.status == 404


async def test_while_stripe_is_away_one_asks_again(play: Cast) -> None:
    order = await play.place()
    intent = f"GET /v1/payment_intents/{play.intent_id(order)}"
    await play.stripe_control("POST", "faults", match=intent, kind="server_error", times=20)

    async with httpx.AsyncClient(base_url=play.environment["API_URL"], timeout=60) as http:
        answer = await http.post(
            "/api/v1/payments/confirm",
            json={"orderId": order["id"]},
            headers={"Authorization": play.customer.authorization},
        )

    assert (answer.status_code, answer.json()["code"]) == (503, "temporarily_unavailable")
