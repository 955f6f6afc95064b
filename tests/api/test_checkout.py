"""Ordering with options, of dishes that run out, from kitchens that fill up, at the price shown."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from api.bodies import OrderBody
from api.placing import _digest
from domain.order_status import OrderStatus
from local.cast import Cast
from local.people import Unanswered
from schema.tables import Chef
from tests.api.kitchen_shelf import (
    orders_of,
    set_chef,
    set_dish,
    set_option,
    stock_of,
    with_choices,
)


def item(play: Cast, *options: str, quantity: int = 1) -> list[dict[str, Any]]:
    return [{"menuItemId": str(play.world.dish_id), "quantity": quantity, "options": list(options)}]


async def refusal(play: Cast, **changes: object) -> Unanswered:
    before = await orders_of(play)
    with pytest.raises(Unanswered) as refused:
        await play.place(**changes)
    assert await orders_of(play) == before
    return refused.value


async def test_options_are_priced_kept_and_shown(play: Cast) -> None:
    offered = await with_choices(play)
    items = item(play, offered.podi, offered.large, quantity=2)

    quote = await play.customer.post("/orders/quote", **play.world.basket(items=items))
    order = await play.place(items=items)

    assert quote["lines"][0]["label"] == "Masala Dosa (large, podi)"
    assert quote["lines"][0]["amountCents"] == 2680
    assert (order["subtotalCents"], order["totalCents"]) == (2680, quote["totalCents"])
    kept = (await play.customer.get(f"/orders/{order['id']}"))["items"][0]
    assert (kept["priceCents"], kept["quantity"]) == (1340, 2)
    assert kept["options"] == [
        {"id": offered.large, "group": "Size", "name": "large", "priceCents": 300},
        {"id": offered.podi, "group": "Extras", "name": "podi", "priceCents": 40},
    ]
    await set_option(play, offered.large, price_cents=999, name="huge")
    assert (await play.customer.get(f"/orders/{order['id']}"))["items"][0] == kept


async def test_each_mistake_with_options_has_its_code_and_field(play: Cast) -> None:
    offered = await with_choices(play)
    await set_option(play, offered.ghee, is_available=False)

    for options, code in (
        ([], "too_few_options"),
        ([offered.small, offered.large], "too_many_options"),
        ([offered.small, offered.small], "option_chosen_twice"),
        ([offered.small, str(uuid4())], "unknown_option"),
        ([offered.small, offered.ghee], "option_unavailable"),
    ):
        told = await refusal(play, items=item(play, *options))
        assert (told.status, told.code) == (422, code)
        assert [e["field"] for e in told.problem["errors"]] == ["items.0.options"]


async def test_a_dish_of_which_too_little_is_left_is_refused_with_what_there_is(
    play: Cast,
) -> None:
    await set_dish(play, stock=3)
    both = item(play, quantity=2) + item(play, quantity=2)

    told = await refusal(play, items=both)

    assert (told.status, told.code) == (409, "sold_out")
    assert (told.problem["menuItemId"], told.problem["left"]) == (str(play.world.dish_id), 3)
    assert await stock_of(play) == 3


async def test_of_all_who_order_the_last_portion_one_has_it_and_the_others_are_told(
    play: Cast,
) -> None:
    await set_dish(play, stock=1)

    answers = await asyncio.gather(
        *(play.place(items=item(play)) for _ in range(5)), return_exceptions=True
    )

    refused = [answer for answer in answers if isinstance(answer, Unanswered)]
    assert len(refused) == 4
    for told in refused:
        assert (told.status, told.code, told.problem["left"]) == (409, "sold_out", 0)
        assert told.problem["name"] == "Masala Dosa"
    assert (await stock_of(play), await orders_of(play)) == (0, 1)


async def test_a_portion_of_an_order_that_is_cancelled_can_be_had_again(play: Cast) -> None:
    await set_dish(play, stock=2)
    first = await play.place()
    assert (await refusal(play)).code == "sold_out"

    await play.customer.put(f"/orders/{first['id']}/cancel")

    assert await stock_of(play) == 2
    await play.place()


async def test_a_kitchen_that_has_its_hands_full_takes_no_more(play: Cast) -> None:
    await set_chef(play, capacity=1)
    answers = await asyncio.gather(*(play.place() for _ in range(4)), return_exceptions=True)

    placed = [answer for answer in answers if isinstance(answer, dict)]
    refused = [answer for answer in answers if isinstance(answer, Unanswered)]
    assert (len(placed), len(refused)) == (1, 3)
    assert {(told.status, told.code) for told in refused} == {(409, "kitchen_full")}
    assert (await refusal(play)).code == "kitchen_full"

    await play.customer.put(f"/orders/{placed[0]['id']}/cancel")
    await play.place()


async def test_a_chef_who_is_not_there_takes_no_orders(play: Cast) -> None:
    await set_chef(play, is_online=False)

    told = await refusal(play)

    assert (told.status, told.code) == (409, "chef_not_accepting")


async def test_a_price_that_changed_meanwhile_is_shown_before_paying(play: Cast) -> None:
    quote = await play.customer.post("/orders/quote", **play.world.basket())
    await set_dish(play, price_cents=1100)

    told = await refusal(play, expectedTotalCents=quote["totalCents"])

    assert (told.status, told.code) == (409, "price_changed")
    now = told.problem["quote"]
    assert now["subtotalCents"] == 2200
    order = await play.place(expectedTotalCents=now["totalCents"])
    assert order["totalCents"] == now["totalCents"]


async def test_a_delivered_order_counts_for_its_chef(play: Cast) -> None:
    await play.bring(OrderStatus.DELIVERED)

    async with play.database.read() as session:
        chef = await session.get(Chef, play.world.chef.id)
    assert chef is not None
    assert chef.total_orders == 1


def test_a_key_of_before_there_were_options_still_holds() -> None:
    told = {
        "chefId": "0198c0de-0000-7000-8000-000000000001",
        "items": [{"menuItemId": "0198c0de-0000-7000-8000-0000000000a1", "quantity": 2}],
        "deliveryAddress": {
            "line1": "1 Test Street",
            "city": "Testville",
            "state": "TX",
            "postalCode": "78701",
        },
    }

    def digest(**changes: Any) -> str:
        return _digest(OrderBody.model_validate(told | changes))

    was = "edc471cdde0f7685beeb917871a7a1816cd6f02b73914458cd0f68d9c415ba75"
    assert digest() == was
    assert digest(items=[{**told["items"][0], "options": []}]) == was  # type: ignore[index]
    chosen = [{**told["items"][0], "options": [str(uuid4())]}]  # type: ignore[index]
    assert digest(items=chosen) != was
    assert digest(expectedTotalCents=2660) != was
