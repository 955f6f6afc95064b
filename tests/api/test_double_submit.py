"""Every POST that takes an Idempotency-Key, sent twice at once and once more, acts once and answers
the same; so do those that need no key to be known again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlmodel import SQLModel, col

from domain.order_status import OrderStatus
from local.cast import Cast
from local.people import Unanswered
from schema.tables import Cart, CartItem, Order, OrderMessage, RefundRequest, Review
from tests.api.delivered import delivered
from tests.api.operations import operations, parameters

_SIZE = {"name": "Size", "minChoices": 1, "options": [{"name": "large", "priceCents": 300}]}

# How far money is on its way back when it is asked for again: that goes on meanwhile.
_GOES_ON = {"status", "stripeRefundId"}

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


async def _dish_in_cart(play: Cast) -> Submit:
    wanted = {"menuItemId": str(play.world.dish_id), "quantity": 2}
    return lambda: play.customer.post("/cart/items", key="twice", **wanted)


async def _message(play: Cast) -> Submit:
    order = await play.bring(OrderStatus.PAYMENT_CONFIRMED)
    said = {"text": "No nuts, please."}
    return lambda: play.customer.post(f"/orders/{order['id']}/messages", key="twice", **said)


async def _message_with_its_own_key(play: Cast) -> Submit:
    order = await play.bring(OrderStatus.PAYMENT_CONFIRMED)
    said = {"text": "No nuts, please.", "clientKey": "twice"}
    return lambda: play.customer.post(f"/orders/{order['id']}/messages", **said)


async def _menu(play: Cast) -> Submit:
    return lambda: play.chef.post("/chef/menus", key="twice", name="Sunday")


async def _dish(play: Cast) -> Submit:
    said = {"name": "Idli", "priceCents": 600, "optionGroups": [_SIZE]}
    return lambda: play.chef.post("/chef/menu", key="twice", **said)


async def _setting(play: Cast) -> Submit:
    said = {"values": {"refunds": {"smallCents": 1500}}, "reason": "as it was"}
    return lambda: play.admin.post("/admin/markets/austin/settings", key="twice", **said)


async def _till(play: Cast) -> Submit:
    said = {"url": "http://127.0.0.1:9/hook", "eventTypes": ["order.dispute_closed"]}
    return lambda: play.chef.post("/chef/webhooks", key="twice", **said)


async def _warehouse(play: Cast) -> Submit:
    said = {"url": "http://127.0.0.1:9/hook", "eventTypes": ["order.dispute_closed"]}
    about = {"chefId": str(play.world.chef.id), "reason": "agreed"}
    return lambda: play.admin.post("/admin/webhooks", key="twice", **said, **about)


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


async def messages(play: Cast) -> int:
    return await _rows(play, OrderMessage, col(OrderMessage.sender_id))


async def menus(play: Cast) -> int:
    return len(await play.chef.get("/chef/menus"))


async def webhooks(play: Cast) -> int:
    return int((await play.chef.get("/chef/webhooks"))["total"])


async def dishes(play: Cast) -> int:
    return sum(len(menu["items"]) for menu in await play.chef.get("/chef/menus"))


async def settings(play: Cast) -> int:
    found = await play.admin.get("/admin/markets/austin/settings")
    deeds = await play.admin.get("/admin/audit", adminId=str(play.world.admin.user_id))
    assert deeds["total"] <= 1
    return int(found["total"])


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


def _lasting(answer: Answer) -> Answer:
    return {name: value for name, value in answer.items() if name not in _GOES_ON}


Case = tuple[Callable[[Cast], Awaitable[Submit]], Callable[[Cast], Awaitable[int]]]

KEYED = [
    name
    for name, operation in operations().items()
    if operation.method == "POST" and "Idempotency-Key" in parameters(operation)
]

WITH_A_KEY: Mapping[str, Case] = {
    "POST /api/v1/orders": (_order, orders),
    "POST /api/v1/cart/checkout": (_cart, orders),
    "POST /api/v1/cart/items": (_dish_in_cart, lines),
    "POST /api/v1/chef/menus": (_menu, menus),
    "POST /api/v1/chef/menu": (_dish, dishes),
    "POST /api/v1/chef/webhooks": (_till, webhooks),
    "POST /api/v1/admin/webhooks": (_warehouse, webhooks),
    "POST /api/v1/admin/markets/{market}/settings": (_setting, settings),
    "POST /api/v1/orders/{order_id}/messages": (_message, messages),
    "POST /api/v1/orders/{order_id}/complaint": (_complaint, requests),
    "POST /api/v1/admin/orders/{order_id}/refund": (_refund, requests),
}

WITHOUT_A_KEY: Mapping[str, Case] = {
    "cart": (_cart_without_a_key, orders),
    "review": (_review, reviews),
    "reorder": (_reorder, lines),
    "message": (_message_with_its_own_key, messages),
}

# Of what takes a key, the same with another body.
OTHERWISE: Mapping[str, Callable[[Cast], Awaitable[Answer]]] = {
    "POST /api/v1/cart/items": lambda play: play.customer.post(
        "/cart/items", key="twice", menuItemId=str(play.world.dish_id), quantity=3
    ),
    "POST /api/v1/chef/menus": lambda play: play.chef.post(
        "/chef/menus", key="twice", name="Monday"
    ),
    "POST /api/v1/chef/menu": lambda play: play.chef.post(
        "/chef/menu", key="twice", name="Vada", priceCents=600
    ),
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
    assert _lasting(first) == _lasting(second) == _lasting(third)


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


@pytest.mark.parametrize("name", OTHERWISE)
async def test_a_key_that_stands_for_something_else_is_refused_and_makes_nothing(
    play: Cast, name: str
) -> None:
    prepare, count = WITH_A_KEY[name]
    await (await prepare(play))()
    before = await count(play)

    with pytest.raises(Unanswered) as refused:
        await OTHERWISE[name](play)

    assert (refused.value.status, refused.value.code) == (422, "idempotency_key_reused")
    assert await count(play) == before


async def test_a_request_that_was_refused_leaves_its_key_free(play: Cast) -> None:
    dish = {"name": "Idli", "priceCents": 600, "menuId": str(uuid4())}
    with pytest.raises(Unanswered) as refused:
        await play.chef.post("/chef/menu", key="again", **dish)
    assert refused.value.code == "unknown_menu"
    menu = (await play.chef.get("/chef/menus"))[0]

    made = await play.chef.post("/chef/menu", key="again", **{**dish, "menuId": menu["id"]})

    assert made["menuId"] == menu["id"]
