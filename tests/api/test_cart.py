"""A cart: one per customer, dishes of one chef, at the prices of this moment."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete
from sqlmodel import col

from domain.order_status import OrderStatus
from local.cast import Cast, cast, token
from local.people import Person, Unanswered
from schema.tables import MenuItem
from schema.tables.columns import now
from tests.api.kitchen_shelf import (
    Choices,
    new_dish,
    set_chef,
    set_dish,
    set_option,
    with_choices,
)

Cart = dict[str, Any]


async def add(play: Cast, dish: str | None = None, **changes: Any) -> Cart:
    """The customer puts a dish into the cart: the cast's, unless another is named."""
    asked = {"menuItemId": dish or str(play.world.dish_id), "quantity": 1, **changes}
    cart: Cart = await play.customer.post("/cart/items", **asked)
    return cart


async def refusal(asking: Any) -> Unanswered:
    with pytest.raises(Unanswered) as refused:
        await asking
    return refused.value


def lines(cart: Cart) -> list[tuple[str, int]]:
    return [(item["name"], item["quantity"]) for item in cart["items"]]


async def test_nobody_has_anything_in_his_cart_at_first(play: Cast) -> None:
    cart = await play.customer.get("/cart")

    assert (cart["chef"], cart["items"], cart["subtotalCents"]) == (None, [], 0)


async def test_the_same_dish_chosen_alike_adds_up_and_otherwise_is_another_line(
    play: Cast,
) -> None:
    offered = await with_choices(play)
    await add(play, options=[offered.small, offered.podi], quantity=2)
    await add(play, options=[offered.podi, offered.small])
    await add(play, options=[offered.large])

    cart = await add(play, options=[offered.large], specialInstructions="crisp, please")

    assert [item["quantity"] for item in cart["items"]] == [3, 1, 1]
    assert [item["priceCents"] for item in cart["items"]] == [1040, 1300, 1300]
    assert cart["subtotalCents"] == 3 * 1040 + 2 * 1300
    assert cart["chef"]["id"] == str(play.world.chef.id)
    assert cart["chef"]["isOpen"] is True


async def test_a_cart_is_there_on_another_device(play: Cast) -> None:
    cart = await add(play, quantity=2)
    device = Person(play.environment["API_URL"], play.customer.email)
    device.use_token(token(play.environment, play.world.customer))

    assert await device.get("/cart") == cart
    await device.leave()


async def test_what_two_devices_add_at_once_is_all_there(play: Cast) -> None:
    other = await new_dish(play)

    await asyncio.gather(
        *(add(play) for _ in range(10)), *(add(play, other, quantity=2) for _ in range(5))
    )

    cart = await play.customer.get("/cart")
    assert sorted(lines(cart)) == [("Idli", 10), ("Masala Dosa", 10)]


async def test_a_dish_of_another_chef_is_a_question_and_replaces_when_it_is_answered(
    play: Cast,
) -> None:
    await add(play)
    async with cast(play.environment, drivers=0) as others:
        theirs = str(others.world.dish_id)

        told = await refusal(add(play, theirs))

        assert (told.status, told.code) == (409, "another_chef")
        assert told.problem["current"]["id"] == str(play.world.chef.id)
        assert told.problem["wanted"]["id"] == str(others.world.chef.id)
        assert (await play.customer.get("/cart"))["chef"]["id"] == str(play.world.chef.id)
        cart = await add(play, theirs, replace=True)
        assert cart["chef"]["id"] == str(others.world.chef.id)
        assert len(cart["items"]) == 1


async def test_two_chefs_at_once_never_share_a_cart(play: Cast) -> None:
    async with cast(play.environment, drivers=0) as others:
        dishes = [str(play.world.dish_id), str(others.world.dish_id)] * 4

        answers = await asyncio.gather(
            *(add(play, dish) for dish in dishes), return_exceptions=True
        )

    cart = await play.customer.get("/cart")
    refused = [answer for answer in answers if isinstance(answer, Unanswered)]
    assert {told.code for told in refused} == {"another_chef"}
    assert (len(refused), len(cart["items"]), cart["items"][0]["quantity"]) == (4, 1, 4)


async def test_lines_are_changed_and_taken_out(play: Cast) -> None:
    offered = await with_choices(play)
    await add(play, options=[offered.small])
    cart = await add(play, options=[offered.large], quantity=2)
    small, large = [item["id"] for item in cart["items"]]

    cart = await play.customer.put(f"/cart/items/{large}", quantity=5)
    assert [item["quantity"] for item in cart["items"]] == [1, 5]
    cart = await play.customer.put(f"/cart/items/{large}", options=[offered.small])
    assert [(item["id"], item["quantity"]) for item in cart["items"]] == [(small, 6)]
    cart = await play.customer.put(f"/cart/items/{small}", specialInstructions="hot")
    assert cart["items"][0]["specialInstructions"] == "hot"
    assert (await refusal(play.customer.put(f"/cart/items/{large}", quantity=1))).status == 404
    told = await refusal(play.customer.put(f"/cart/items/{small}", options=[str(uuid4())]))
    assert (told.status, told.code) == (422, "unknown_option")
    cart = await play.customer.ask("DELETE", f"/cart/items/{small}")
    assert (cart["items"], cart["chef"]) == ([], None)


async def test_a_cart_is_emptied(play: Cast) -> None:
    await add(play)

    assert (await play.customer.ask("DELETE", "/cart"))["items"] == []
    assert (await play.customer.ask("DELETE", "/cart"))["items"] == []


async def test_what_cannot_be_ordered_does_not_come_in(play: Cast) -> None:
    offered = await with_choices(play)
    off = await new_dish(play, is_available=False)
    cases: list[tuple[Any, int, str]] = [
        ({"dish": str(uuid4())}, 422, "unknown_menu_item"),
        ({"dish": off}, 422, "menu_item_unavailable"),
        ({"options": []}, 422, "too_few_options"),
        ({"options": [offered.small, offered.large]}, 422, "too_many_options"),
        ({"options": [offered.small], "quantity": 100}, 422, "invalid_request"),
        ({"options": [offered.small], "specialInstructions": "\x00"}, 422, "invalid_request"),
    ]
    for changes, status, code in cases:
        told = await refusal(add(play, **changes))
        assert (told.status, told.code) == (status, code), changes
    assert (await play.customer.get("/cart"))["items"] == []


async def test_a_cart_holds_so_many_of_a_dish_and_so_many_dishes(play: Cast) -> None:
    await add(play, quantity=99)
    assert (await refusal(add(play))).code == "too_many_of_a_dish"
    for number in range(49):
        await add(play, specialInstructions=f"number {number}")

    told = await refusal(add(play, specialInstructions="one more"))

    assert (told.status, told.code) == (409, "cart_full")
    cart = await play.customer.get("/cart")
    assert (len(cart["items"]), cart["items"][0]["quantity"]) == (50, 99)


async def test_a_cart_is_priced_anew_whenever_it_is_looked_at(play: Cast) -> None:
    offered = await with_choices(play)
    await add(play, options=[offered.large], quantity=2)
    await set_dish(play, price_cents=1100)
    await set_option(play, offered.large, price_cents=200)

    item = (await play.customer.get("/cart"))["items"][0]

    assert (item["priceCents"], item["priceWasCents"], item["problems"]) == (1300, 1300, [])
    await set_dish(play, price_cents=1200)
    item = (await play.customer.get("/cart"))["items"][0]
    assert (item["priceCents"], item["priceWasCents"]) == (1400, 1300)


async def _gone(play: Cast, _: Choices) -> None:
    await set_dish(play, deleted_at=now())


async def _deleted(play: Cast, _: Choices) -> None:
    dish = await new_dish(play)
    await add(play, dish)
    async with play.database.write() as session:
        await session.execute(delete(MenuItem).where(col(MenuItem.id) == UUID(dish)))
    await set_dish(play, deleted_at=now())


async def _off(play: Cast, _: Choices) -> None:
    await set_dish(play, is_available=False)


async def _sold_out(play: Cast, _: Choices) -> None:
    await set_dish(play, stock=1)


async def _option_off(play: Cast, offered: Choices) -> None:
    await set_option(play, offered.large, is_available=False)


@pytest.mark.parametrize(
    ("happens", "problem"),
    [
        (_gone, "gone"),
        (_deleted, "gone"),
        (_off, "unavailable"),
        (_sold_out, "sold_out"),
        (_option_off, "option_gone"),
    ],
    ids=["gone", "deleted", "off", "sold-out", "option-off"],
)
async def test_what_cannot_be_ordered_any_more_stays_as_a_problem(
    play: Cast, happens: Any, problem: str
) -> None:
    offered = await with_choices(play)
    await add(play, options=[offered.large], quantity=2)

    await happens(play, offered)

    cart = await play.customer.get("/cart")
    assert all(item["problems"] == [problem] for item in cart["items"])
    assert cart["items"][0]["name"] == "Masala Dosa"
    assert cart["subtotalCents"] == 0
    for item in cart["items"]:
        cart = await play.customer.ask("DELETE", f"/cart/items/{item['id']}")
    assert cart["items"] == []


async def test_a_cart_says_whether_its_kitchen_takes_orders(play: Cast) -> None:
    await add(play)

    for change in ({"is_online": False}, {"accepting_orders": False}, {"operating_hours": {}}):
        await set_chef(play, **change)
        assert (await play.customer.get("/cart"))["chef"]["isOpen"] is False


async def test_an_order_is_put_into_the_cart_again_with_what_has_changed(play: Cast) -> None:
    offered = await with_choices(play)
    other = await new_dish(play)
    items = [
        {"menuItemId": str(play.world.dish_id), "quantity": 2, "options": [offered.large]},
        {"menuItemId": other, "quantity": 1},
    ]
    order = await play.place(items=items)
    await set_dish(play, price_cents=1200)
    await set_dish(play, UUID(other), deleted_at=now())

    first, second = await asyncio.gather(
        *(play.customer.post(f"/orders/{order['id']}/reorder") for _ in range(2))
    )

    assert first["items"] == second["items"]
    dosa, idli = first["items"]
    assert (dosa["priceCents"], dosa["priceWasCents"], dosa["quantity"]) == (1500, 1300, 2)
    assert [option["name"] for option in dosa["options"]] == ["large"]
    assert (idli["name"], idli["priceCents"], idli["problems"]) == ("Idli", None, ["gone"])
    assert first["subtotalCents"] == 3000


async def test_an_order_of_another_chef_asks_before_it_replaces(play: Cast) -> None:
    order = await play.place()
    async with cast(play.environment, drivers=0) as others:
        await add(play, str(others.world.dish_id))

        told = await refusal(play.customer.post(f"/orders/{order['id']}/reorder"))

        assert (told.status, told.code) == (409, "another_chef")
        cart = await play.customer.post(f"/orders/{order['id']}/reorder", replace=True)
        assert (cart["chef"]["id"], len(cart["items"])) == (str(play.world.chef.id), 1)


async def test_orders_are_found_by_chef_day_and_number(play: Cast) -> None:
    placed = [await play.place() for _ in range(2)]
    today = f"{now():%Y-%m-%d}"

    async def found(**query: str) -> set[str]:
        page = await play.customer.get("/orders", **query)
        return {order["id"] for order in page["data"]}

    both = {order["id"] for order in placed}
    assert await found(chefId=str(play.world.chef.id), begin=today, end=today) == both
    assert await found(chefId=str(uuid4())) == set()
    assert await found(end="2026-01-01") == set()
    number = placed[0]["orderNumber"]
    assert await found(number=number[4:].lower()) == {placed[0]["id"]}
    assert await found(number="%") == set()


async def test_a_lost_client_secret_is_told_again_until_the_order_is_paid_for(play: Cast) -> None:
    order = await play.place()

    first, second = await asyncio.gather(
        *(play.customer.post("/payments/intent", orderId=order["id"]) for _ in range(2))
    )

    assert first == second
    assert first["clientSecret"] == order["clientSecret"]
    assert (first["amountCents"], first["status"]) == (order["totalCents"], "open")
    await play.pay({**order, "clientSecret": first["clientSecret"]})
    seen = await play.customer.get(f"/payments/{first['id']}")
    assert (seen["status"], seen["capturedCents"]) == ("captured", order["totalCents"])
    told = await refusal(play.customer.post("/payments/intent", orderId=order["id"]))
    assert (told.status, told.code) == (409, "nothing_to_pay")
    assert told.problem["currentStatus"] == OrderStatus.PAYMENT_CONFIRMED
    async with cast(play.environment, drivers=0) as others:
        for asking in (
            others.customer.post("/payments/intent", orderId=order["id"]),
            others.customer.get(f"/payments/{first['id']}"),
        ):
            assert (await refusal(asking)).status == 404
