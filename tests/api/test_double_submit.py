"""Every POST that takes an Idempotency-Key, sent twice at once and once more, acts once and answers
the same; so do those that need no key to be known again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlmodel import SQLModel, col

from domain.order_status import OrderStatus
from local.cast import Cast
from schema.tables import Cart, CartItem, Order, RefundRequest, Review
from tests.api.delivered import delivered
from tests.api.operations import operations, parameters

Answer = dict[str, Any]
Submit = Callable[[], Awaitable[Answer]]


async def _order(play: Cast) -> Submit:
    return lambda: play.customer.post("/orders", key="twice", **play.world.basket())


async def _cart(play: Cast) -> Submit:
    await play.customer.post("/cart/items", menuItemId=str(play.world.dish_id), quantity=2)
    told = {"deliveryAddress": play.world.address(), "expectedTotalCents": 2660}
    return lambda: play.customer.post("/cart/checkout", key="twice", **told)


async def _cart_without_a_key(play: Cast) -> Submit:
    await play.customer.post("/cart/items", menuItemId=str(play.world.dish_id), quantity=2)
    told = {"deliveryAddress": play.world.address(), "expectedTotalCents": 2660}
    return lambda: play.customer.post("/cart/checkout", **told)


async def _complaint(play: Cast) -> Submit:
    order = await play.bring(OrderStatus.DELIVERED)
    words = {"reason": "missing_item", "words": "There was only one."}
    return lambda: play.customer.post(f"/orders/{order['id']}/complaint", key="twice", **words)


async def _refund(play: Cast) -> Submit:
    order = await play.bring(OrderStatus.DELIVERED)
    given = {"amountCents": 500, "bearer": "platform", "reason": "The app was down."}
    return lambda: play.admin.post(f"/admin/orders/{order['id']}/refund", key="twice", **given)


async def _review(play: Cast) -> Submit:
    order_id = await delivered(play)
    said = {"chef": {"rating": 5}}
    return lambda: play.customer.post(f"/orders/{order_id}/review", **said)


async def _reorder(play: Cast) -> Submit:
    order_id = await delivered(play)
    return lambda: play.customer.post(f"/orders/{order_id}/reorder")


async def orders(play: Cast) -> int:
    return await _rows(play, Order, col(Order.customer_id))


async def requests(play: Cast) -> int:
    own = await _rows(play, RefundRequest, col(RefundRequest.asked_by))
    return own + await _rows(play, RefundRequest, col(RefundRequest.asked_by), of=play.world.admin)


async def reviews(play: Cast) -> int:
    return await _rows(play, Review, col(Review.reviewer_id))


async def lines(play: Cast) -> int:
    async with play.database.read() as session:
        found = await session.scalar(
            select(func.sum(col(CartItem.quantity)))
            .join(Cart, col(Cart.id) == col(CartItem.cart_id))
            .where(col(Cart.customer_id) == play.world.customer.user_id)
        )
    return (found or 0) // 2


async def _rows(play: Cast, table: type[SQLModel], owner: Any, of: Any = None) -> int:
    user_id: UUID = (of or play.world.customer).user_id
    async with play.database.read() as session:
        found = await session.scalar(
            select(func.count()).select_from(table).where(owner == user_id)
        )
    return found or 0


Case = tuple[Callable[[Cast], Awaitable[Submit]], Callable[[Cast], Awaitable[int]]]

KEYED = [
    name
    for name, operation in operations().items()
    if operation.method == "POST" and "Idempotency-Key" in parameters(operation)
]

WITH_A_KEY: Mapping[str, Case] = {
    "POST /api/v1/orders": (_order, orders),
    "POST /api/v1/cart/checkout": (_cart, orders),
    "POST /api/v1/orders/{order_id}/complaint": (_complaint, requests),
    "POST /api/v1/admin/orders/{order_id}/refund": (_refund, requests),
}

WITHOUT_A_KEY: Mapping[str, Case] = {
    "cart": (_cart_without_a_key, orders),
    "review": (_review, reviews),
    "reorder": (_reorder, lines),
}


@pytest.mark.parametrize("name", KEYED)
async def test_with_the_same_key_it_takes_effect_once_and_is_answered_the_same(
    play: Cast, name: str
) -> None:
    assert name in WITH_A_KEY, "it takes a key, and nobody has tried it"
    prepare, count = WITH_A_KEY[name]
    submit = await prepare(play)
    before = await count(play)

    first, second = await asyncio.gather(submit(), submit())
    assert await count(play) == before + 1
    third = await submit()

    assert await count(play) == before + 1
    assert first == second == third


@pytest.mark.parametrize("case", WITHOUT_A_KEY)
async def test_what_needs_no_key_takes_effect_once(play: Cast, case: str) -> None:
    prepare, count = WITHOUT_A_KEY[case]
    submit = await prepare(play)
    before = await count(play)

    first, second = await asyncio.gather(submit(), submit())
    third = await submit()

    assert await count(play) == before + 1
    for answer in (second, third):
        assert answer.get("id") == first.get("id")
