"""A menu that is kept tells the portions that are left as orders take them and give them back."""

from typing import Any

from domain.order_status import OrderStatus
from local.cast import Cast
from tests.api.kitchen_shelf import set_dish


async def dish(play: Cast) -> dict[str, Any]:
    menus = await play.customer.get(f"/chefs/{play.world.chef.id}/menu")
    found: dict[str, Any] = next(
        item for menu in menus for item in menu["items"] if item["id"] == str(play.world.dish_id)
    )
    return found


async def test_the_last_portion_is_gone_from_the_menu_and_back_when_its_order_is_cancelled(
    play: Cast,
) -> None:
    await set_dish(play, stock=1)
    for _ in range(2):
        assert (await dish(play))["isAvailable"]

    order = await play.place(items=[{"menuItemId": str(play.world.dish_id), "quantity": 1}])
    assert not (await dish(play))["isAvailable"]

    await play.customer.put(f"/orders/{order['id']}/cancel", reason="not hungry")
    await play.becomes(order, OrderStatus.CANCELLED)
    assert (await dish(play))["isAvailable"]


async def test_a_menu_is_kept_while_orders_take_what_nobody_counts(play: Cast) -> None:
    assert (await dish(play))["name"]
    # Past everybody who would say so.
    await set_dish(play, name="Another dish")

    await play.place()

    assert (await dish(play))["name"] != "Another dish"
