"""What may be ordered: each reason against it has its own code, and nothing is left behind."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.geo import Point
from local.cast import Cast, cast
from local.people import Unanswered
from schema.tables import Chef, MenuItem, Order, Verification

NUL = "\x00"


async def orders_of(play: Cast) -> int:
    async with play.database.read() as session:
        found = await session.scalar(
            select(func.count())
            .select_from(Order)
            .where(col(Order.customer_id) == play.world.customer.user_id)
        )
        return found or 0


async def refusal(play: Cast, **changes: object) -> Unanswered:
    """What a customer is told of an order that may not be; and there is none."""
    with pytest.raises(Unanswered) as refused:
        await play.place(**changes)
    assert await orders_of(play) == 0
    return refused.value


async def change_chef(play: Cast, **values: object) -> None:
    async with play.database.write() as session:
        await session.execute(
            update(Chef).where(col(Chef.id) == play.world.chef.id).values(**values)
        )


def item(play: Cast, **changes: object) -> list[dict[str, Any]]:
    return [{"menuItemId": str(play.world.dish_id), "quantity": 1, **changes}]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"items": []}, "items"),
        ({"items": None}, "items"),
        ({"chefId": "not an id"}, "chefId"),
        ({"tipCents": -1}, "tipCents"),
        ({"tipCents": 1.5}, "tipCents"),
        ({"tipCents": 10**9}, "tipCents"),
        ({"instructions": NUL}, "instructions"),
        ({"instructions": "x" * 501}, "instructions"),
        ({"scheduledFor": "tomorrow"}, "scheduledFor"),
        ({"scheduledFor": "2026-01-31T12:00:00"}, "scheduledFor"),
        ({"deliveryAddress": {"line1": "1 Main St"}}, "deliveryAddress.city"),
        ({"surprise": True}, "surprise"),
    ],
    ids=str,
)
async def test_a_body_that_is_wrong_is_told_the_field(
    play: Cast, changes: dict[str, object], field: str
) -> None:
    told = await refusal(play, **changes)

    assert (told.status, told.code) == (422, "invalid_request")
    assert field in [error["field"] for error in told.problem["errors"]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": 0}, "items.0.quantity"),
        ({"quantity": 100}, "items.0.quantity"),
        ({"quantity": "many"}, "items.0.quantity"),
        ({"specialInstructions": NUL}, "items.0.specialInstructions"),
    ],
    ids=str,
)
async def test_a_dish_that_is_wrong_is_told_the_field(
    play: Cast, change: dict[str, object], field: str
) -> None:
    told = await refusal(play, items=item(play, **change))

    assert told.status == 422
    assert [error["field"] for error in told.problem["errors"]] == [field]


async def test_there_is_no_such_chef(play: Cast) -> None:
    assert (await refusal(play, chefId=str(uuid7()))).code == "not_found"


async def test_a_chef_who_is_not_let_in_is_no_chef(play: Cast) -> None:
    await change_chef(play, verification_status=Verification.SUSPENDED)

    assert (await refusal(play)).status == 404


async def test_a_chef_who_takes_no_orders(play: Cast) -> None:
    await play.chef.put("/chef/availability", acceptingOrders=False)

    told = await refusal(play)

    assert (told.status, told.code) == (409, "chef_not_accepting")


async def test_a_kitchen_that_is_closed(play: Cast) -> None:
    await change_chef(play, operating_hours={})

    told = await refusal(play)

    assert (told.status, told.code) == (409, "chef_closed")


async def test_a_dish_of_another_kitchen(play: Cast) -> None:
    told = await refusal(play, items=[{"menuItemId": str(uuid7()), "quantity": 1}])

    assert (told.status, told.code) == (422, "unknown_menu_item")
    assert told.problem["errors"][0]["field"] == "items.0.menuItemId"


async def test_a_dish_that_is_off_today(play: Cast) -> None:
    async with play.database.write() as session:
        await session.execute(
            update(MenuItem)
            .where(col(MenuItem.id) == play.world.dish_id)
            .values(is_available=False)
        )

    assert (await refusal(play)).code == "menu_item_unavailable"


async def test_a_basket_below_the_minimum(play: Cast) -> None:
    await change_chef(play, minimum_order_cents=2001)

    assert (await refusal(play)).code == "below_minimum"


async def test_a_basket_beyond_what_a_card_takes(play: Cast) -> None:
    async with play.database.write() as session:
        await session.execute(
            update(MenuItem)
            .where(col(MenuItem.id) == play.world.dish_id)
            .values(price_cents=2_000_000)
        )

    told = await refusal(play, items=item(play, quantity=50))

    assert (told.status, told.code) == (422, "order_too_large")


async def test_an_address_beyond_the_chefs_radius(play: Cast) -> None:
    away = Point(play.world.kitchen.latitude + 0.1, play.world.kitchen.longitude)

    told = await refusal(play, deliveryAddress=play.world.address(away))

    assert (told.status, told.code) == (422, "outside_delivery_radius")
    assert "delivers within 10 km; this address is 11.1 km away" in told.problem["detail"]


async def test_half_a_position(play: Cast) -> None:
    address = {**play.world.address(), "longitude": None}

    assert (await refusal(play, deliveryAddress=address)).code == "half_a_position"


@pytest.mark.parametrize(
    ("ahead", "code"),
    [
        (timedelta(minutes=-5), "scheduled_too_soon"),
        (timedelta(minutes=10), "scheduled_too_soon"),
        (timedelta(days=15), "scheduled_too_late"),
    ],
    ids=str,
)
async def test_a_time_that_cannot_be_met(play: Cast, ahead: timedelta, code: str) -> None:
    when = (datetime.now(UTC) + ahead).isoformat()

    assert (await refusal(play, scheduledFor=when)).code == code


async def test_the_same_key_again_is_the_same_order(play: Cast) -> None:
    basket = play.world.basket()

    answers = await asyncio.gather(
        *(play.customer.post("/orders", key="basket-1", **basket) for _ in range(5))
    )
    again = await play.customer.post("/orders", key="basket-1", **basket)

    assert all(answer == again for answer in answers)
    assert await orders_of(play) == 1


async def test_the_same_key_long_after_is_still_the_same_order(play: Cast) -> None:
    basket = play.world.basket()
    order = await play.customer.post("/orders", key="basket-1", **basket)
    await play.customer.put(f"/orders/{order['id']}/cancel")

    assert await play.customer.post("/orders", key="basket-1", **basket) == order


async def test_the_same_key_for_another_basket_is_refused(play: Cast) -> None:
    await play.customer.post("/orders", key="basket-1", **play.world.basket())

    with pytest.raises(Unanswered) as refused:
        await play.customer.post("/orders", key="basket-1", **play.world.basket(tipCents=5))

    assert (refused.value.status, refused.value.code) == (422, "idempotency_key_reused")
    assert await orders_of(play) == 1


async def test_another_customers_key_is_another_key(play: Cast) -> None:
    await play.customer.post("/orders", key="basket-1", **play.world.basket())

    async with cast(play.environment) as others:
        theirs = await others.customer.post("/orders", key="basket-1", **others.world.basket())

    assert theirs["id"]


async def test_without_a_key_each_request_is_an_order(play: Cast) -> None:
    basket = play.world.basket()

    first = await play.customer.post("/orders", **basket)
    second = await play.customer.post("/orders", **basket)

    assert first["id"] != second["id"]
    assert await orders_of(play) == 2


async def test_an_address_in_words_is_looked_up(play: Cast) -> None:
    # The world's kitchen moves to Austin, where the maps are.
    await change_chef(play, latitude=30.2672, longitude=-97.7431)
    words = {
        "line1": "123 Main St",
        "city": "Austin",
        "state": "TX",
        "postalCode": "78701",
        "country": "US",
    }

    order = await play.place(deliveryAddress=words)

    seen = await play.customer.get(f"/orders/{order['id']}")
    assert seen["deliveryAddress"]["latitude"] == pytest.approx(30.2672, abs=1e-4)
    assert seen["deliveryAddress"]["longitude"] == pytest.approx(-97.7431, abs=1e-4)


async def test_an_address_that_no_map_knows(play: Cast) -> None:
    words = {"line1": "1 Nowhere Ln", "city": "Atlantis", "state": "XX", "postalCode": "00000"}

    told = await refusal(play, deliveryAddress=words)

    assert (told.status, told.code) == (422, "address_not_found")
