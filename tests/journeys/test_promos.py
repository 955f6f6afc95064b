"""Whole orders with a promo code: the platform pays for it, and a use for nothing is given back."""

from uuid import uuid4

import pytest

from domain.order_status import OrderStatus
from local.cast import Cast
from local.people import Unanswered
from schema.tables import Order

S = OrderStatus


async def last_use(play: Cast) -> str:
    """A code of five dollars that one order may use."""
    made = await play.admin.post(
        "/admin/promo-codes",
        code=f"J-{uuid4().hex}",
        discountType="fixed",
        discountValue=500,
        maxUses=1,
        reason="a journey",
    )
    return str(made["code"])


async def uses(play: Cast, code: str) -> int:
    page = await play.admin.get("/admin/promo-codes", limit=100)
    return next(int(made["uses"]) for made in page["data"] if made["code"] == code)


async def test_an_order_with_a_code_from_quote_to_door(play: Cast) -> None:
    code = await last_use(play)
    quote = await play.customer.post("/orders/quote", **play.world.basket(promoCode=code))

    order = await play.bring(S.DELIVERED, promoCode=code)

    assert order["totalCents"] == quote["totalCents"] == 2160
    assert play.charged(order) == [2160]
    assert await uses(play, code) == 1
    async with play.database.read() as session:
        row = await session.get(Order, order["id"])
    assert row is not None
    # As without the code: the discount is the platform's expense.
    assert (row.chef_earning_cents, row.driver_earning_cents) == (1601, 500)
    assert row.platform_fee_cents - row.discount_cents == 399 - 500
    with pytest.raises(Unanswered) as refused:
        await play.place(promoCode=code)
    assert refused.value.code == "promo_used_up"


@pytest.mark.parametrize("status", [S.PENDING, S.PAYMENT_CONFIRMED, S.ACCEPTED])
async def test_an_order_that_is_cancelled_before_cooking_gives_money_and_code_back(
    play: Cast, status: S
) -> None:
    code = await last_use(play)
    order = await play.bring(status, promoCode=code)
    assert await uses(play, code) == 1

    for _ in range(2):
        await play.customer.put(f"/orders/{order['id']}/cancel", reason="changed my mind")

    await play.is_refunded(order, 0 if status is S.PENDING else 2160)
    assert await uses(play, code) == 0
    again = await play.place(promoCode=code)
    assert (again["discountCents"], await uses(play, code)) == (500, 1)


async def test_an_order_that_is_cancelled_while_cooking_has_used_its_code(play: Cast) -> None:
    code = await last_use(play)
    order = await play.bring(S.PREPARING, promoCode=code)

    answer = await play.customer.put(f"/orders/{order['id']}/cancel")

    # What the food cost him, 2000 + 160 - 500, is kept; the delivery goes back.
    assert answer["refundCents"] == 500
    await play.is_refunded(order, 500)
    assert await uses(play, code) == 1


async def test_a_chef_who_rejects_the_order_gives_the_code_back(play: Cast) -> None:
    code = await last_use(play)
    order = await play.bring(S.PAYMENT_CONFIRMED, promoCode=code)

    await play.chef_says(order, "rejected", reason="out of rice")

    await play.is_refunded(order, 2160)
    assert await uses(play, code) == 0
