"""A cart becomes an order once, and is empty when it has."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.placing import CannotBePlaced, Obstacle
from domain.promo import DiscountType
from local.cast import Cast
from local.people import Unanswered
from schema.database import Database
from schema.messages.order import CartRef
from schema.queries import carts, orders, promos
from schema.tables import Cart, CartItem, IdempotencyKey, PromoCode
from schema.tables.columns import now
from tests.api.kitchen_shelf import new_dish, orders_of, set_chef, set_dish, stock_of, with_choices

Answer = dict[str, Any]


async def fill(play: Cast, **changes: Any) -> Answer:
    asked = {"menuItemId": str(play.world.dish_id), "quantity": 2, **changes}
    cart: Answer = await play.customer.post("/cart/items", **asked)
    return cart


async def check_out(play: Cast, key: str | None = None, **changes: Any) -> Answer:
    """The customer orders what is in the cart, for the seeds' golden total unless he says."""
    asked = {"deliveryAddress": play.world.address(), "expectedTotalCents": 2660, **changes}
    order: Answer = await play.customer.post("/cart/checkout", key=key, **asked)
    return order


async def refusal(play: Cast, **changes: Any) -> Unanswered:
    """What the customer is told of a cart that cannot be ordered; it stays, and there is none."""
    placed, before = await orders_of(play), await play.customer.get("/cart")
    with pytest.raises(Unanswered) as refused:
        await check_out(play, **changes)
    assert await orders_of(play) == placed
    assert await play.customer.get("/cart") == before
    return refused.value


async def test_a_cart_becomes_an_order_and_is_empty(play: Cast) -> None:
    offered = await with_choices(play)
    await fill(play, options=[offered.large], specialInstructions="crisp")
    told = {"deliveryAddress": play.world.address(), "tipCents": 300}
    quote = await play.customer.post("/cart/quote", **told)

    order = await check_out(play, tipCents=300, expectedTotalCents=quote["totalCents"])

    seen = await play.customer.get(f"/orders/{order['id']}")
    assert (seen["totalCents"], seen["tipCents"]) == (quote["totalCents"], 300)
    kept = seen["items"][0]
    assert (kept["priceCents"], kept["quantity"]) == (1300, 2)
    assert kept["specialInstructions"] == "crisp"
    assert [option["name"] for option in kept["options"]] == ["large"]
    cart = await play.customer.get("/cart")
    assert (cart["items"], cart["chef"]) == ([], None)


@pytest.mark.parametrize("keys", [[None] * 6, ["one"] * 6, list("abcdef")], ids=str)
async def test_whoever_sends_it_at_once_gets_the_same_order(
    play: Cast, keys: list[str | None]
) -> None:
    await fill(play)

    answers = await asyncio.gather(*(check_out(play, key=key) for key in keys))
    again = await check_out(play, key=keys[0])

    assert all(answer == again for answer in answers)
    assert await orders_of(play) == 1
    assert (await play.customer.get("/cart"))["items"] == []


async def test_who_lost_the_answer_gets_it_when_he_asks_again(play: Cast) -> None:
    await fill(play)
    async with httpx.AsyncClient(timeout=0.001) as http:
        with pytest.raises(httpx.TransportError):
            await http.post(
                f"{play.environment['API_URL']}/api/v1/cart/checkout",
                json={"deliveryAddress": play.world.address(), "expectedTotalCents": 2660},
                headers={"Authorization": play.customer.authorization},
            )

    first, second = await check_out(play), await check_out(play)

    assert first == second
    assert await orders_of(play) == 1


async def test_the_next_cart_is_the_next_order(play: Cast) -> None:
    await fill(play)
    first = await check_out(play)
    await fill(play)

    second = await check_out(play)

    assert first["id"] != second["id"]
    assert await orders_of(play) == 2


async def test_two_devices_that_order_otherwise_get_one_order(play: Cast) -> None:
    await fill(play)

    answers = await asyncio.gather(
        check_out(play),
        check_out(play, tipCents=300, expectedTotalCents=2960),
        return_exceptions=True,
    )

    refused = [answer for answer in answers if isinstance(answer, Unanswered)]
    assert len(refused) == 1
    assert (refused[0].status, refused[0].code) in {(409, "cart_changed"), (409, "cart_empty")}
    assert await orders_of(play) == 1


async def test_an_empty_cart_cannot_be_ordered(play: Cast) -> None:
    assert (await refusal(play)).code == "cart_empty"
    with pytest.raises(Unanswered) as refused:
        await play.customer.post("/cart/quote", deliveryAddress=play.world.address())
    assert refused.value.code == "cart_empty"


async def test_a_total_has_to_be_expected(play: Cast) -> None:
    await fill(play)

    told = await refusal(play, expectedTotalCents=None)

    assert (told.status, told.code) == (422, "invalid_request")


async def test_a_price_that_changed_is_shown_and_nothing_is_placed(play: Cast) -> None:
    await fill(play)
    await set_dish(play, price_cents=1200)

    told = await refusal(play)

    assert (told.status, told.code) == (409, "price_changed")
    now_cents = told.problem["quote"]["totalCents"]
    assert (await check_out(play, expectedTotalCents=now_cents))["totalCents"] == now_cents


async def test_a_cart_that_cannot_be_ordered_stays_and_can_be_tried_again(play: Cast) -> None:
    await fill(play)
    for change, undo, code in (
        ({"is_online": False}, {"is_online": True}, "chef_not_accepting"),
        ({"minimum_order_cents": 9999}, {"minimum_order_cents": 0}, "below_minimum"),
    ):
        await set_chef(play, **change)
        assert (await refusal(play)).code == code
        await set_chef(play, **undo)
    assert (await refusal(play, promoCode="NO-SUCH-CODE")).code == "promo_unknown"
    await set_dish(play, stock=1)
    told = await refusal(play, key="mine")
    assert (told.code, told.problem["left"]) == ("sold_out", 1)
    await set_dish(play, stock=2)

    await check_out(play, key="mine")

    assert (await stock_of(play), await orders_of(play)) == (0, 1)


async def test_a_cart_whose_promo_code_was_taken_at_the_last_moment_can_be_tried_again(
    play: Cast,
) -> None:
    code = f"LAST-{uuid4().hex.upper()}"
    async with play.database.write() as session:
        row = PromoCode(
            code=code,
            discount_type=DiscountType.FIXED,
            discount_value=500,
            currency="usd",
            max_uses=1,
        )
        await promos.create(session, row)
    await fill(play)
    # One of the two is refused when it is written, or before.
    answers = await asyncio.gather(
        check_out(play, promoCode=code, expectedTotalCents=2160),
        play.place(promoCode=code),
        return_exceptions=True,
    )

    if isinstance(answers[0], Unanswered):
        assert answers[0].code == "promo_used_up"
        assert (await play.customer.get("/cart"))["items"]
        assert isinstance(answers[1], dict)
        await play.customer.put(f"/orders/{answers[1]['id']}/cancel")
        await check_out(play, promoCode=code, expectedTotalCents=2160)
    assert (await play.customer.get("/cart"))["items"] == []


async def test_a_key_that_was_used_for_another_order_is_refused(play: Cast) -> None:
    await play.customer.post("/orders", key="mine", **play.world.basket())
    await fill(play)

    told = await refusal(play, key="mine")

    assert (told.status, told.code) == (422, "idempotency_key_reused")


async def test_a_gone_dish_has_to_be_taken_out_first(play: Cast) -> None:
    other = await new_dish(play)
    await fill(play)
    cart = await fill(play, menuItemId=other)
    await set_dish(play, UUID(other), deleted_at=now())

    assert (await refusal(play)).code == "unknown_menu_item"

    await play.customer.ask("DELETE", f"/cart/items/{cart['items'][1]['id']}")
    await check_out(play)


async def test_a_claim_of_an_order_that_was_never_written_does_not_stand_in_the_way(
    play: Cast,
) -> None:
    await fill(play)
    await check_out(play)
    await fill(play)
    async with play.database.write() as session:
        # As if the process had died between the claim and the start of the order.
        known = (
            await session.scalars(
                select(IdempotencyKey).where(
                    col(IdempotencyKey.customer_id) == play.world.customer.user_id
                )
            )
        ).one()
        cart = (
            await session.scalars(
                select(Cart).where(col(Cart.customer_id) == play.world.customer.user_id)
            )
        ).one()
        prefix, cart_id, _, digest = known.key.split(":")
        session.add(
            IdempotencyKey(
                customer_id=known.customer_id,
                key=f"{prefix}:{cart_id}:{cart.version}:{digest}",
                request_digest=known.request_digest,
                order_id=(chosen := uuid7()),
            )
        )

    assert (await check_out(play))["id"] == str(chosen)


async def test_the_cart_goes_with_the_order_or_not_at_all(play: Cast) -> None:
    await fill(play)
    database = play.database
    ref = await _ref(database, play)
    placing = play.world.placing().model_copy(update={"cart": ref})

    async def begin_and_die() -> None:
        async with database.write() as session:
            await orders.begin(session, placing)
            raise RuntimeError("the process dies right here")

    with pytest.raises(RuntimeError):
        await begin_and_die()
    assert (await orders_of(play), await _lines(database, ref)) == (0, 1)

    async with database.write() as session:
        await orders.begin(session, placing)
    async with database.write() as session:
        await orders.begin(session, placing)
    assert (await orders_of(play), await _lines(database, ref)) == (1, 0)

    other = play.world.placing().model_copy(update={"cart": ref})
    with pytest.raises(CannotBePlaced) as refused:
        async with database.write() as session:
            await orders.begin(session, other)
    assert refused.value.why is Obstacle.CART_CHANGED
    assert await orders_of(play) == 1


async def _ref(database: Database, play: Cast) -> CartRef:
    async with database.read() as session:
        cart, _ = await carts.find(session, play.world.customer.user_id)
    assert cart is not None
    return CartRef(id=cart.id, version=cart.version)


async def _lines(database: Database, ref: CartRef) -> int:
    async with database.read() as session:
        found = await session.scalar(
            select(func.count()).select_from(CartItem).where(col(CartItem.cart_id) == ref.id)
        )
    return found or 0


async def test_a_cart_goes_to_an_address_that_its_customer_keeps(play: Cast) -> None:
    await fill(play)
    home = await play.customer.post("/users/me/addresses", label="Home", **play.world.address())
    away = {**play.world.address(), "label": "Work", "line1": "2 Other Street"}
    other = await play.customer.post("/users/me/addresses", **away)

    quote = await play.customer.post("/cart/quote")
    order = await check_out(play, deliveryAddress=None, addressId=other["id"])

    seen = await play.customer.get(f"/orders/{order['id']}")
    assert home["isDefault"]
    assert quote["totalCents"] == order["totalCents"]
    assert seen["deliveryAddress"]["line1"] == "2 Other Street"
    await play.customer.ask("DELETE", f"/users/me/addresses/{other['id']}")
    again = await check_out(play, deliveryAddress=None, addressId=other["id"])
    assert again["id"] == order["id"]


async def test_a_cart_without_an_address_goes_nowhere(play: Cast) -> None:
    await fill(play)

    assert (await refusal(play, deliveryAddress=None)).code == "address_needed"
    unknown = await refusal(play, deliveryAddress=None, addressId=str(uuid4()))
    assert (unknown.status, unknown.code) == (422, "unknown_address")
    assert (await refusal(play, addressId=str(uuid4()))).code == "two_addresses"
