"""Promo codes at the facade: each reason against one has its code and leaves nothing behind; a
quote says what the order then costs.
"""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text, update
from sqlmodel import col

from domain.geo import Point
from domain.order_status import OrderStatus
from local.cast import Cast, cast
from local.people import Unanswered
from schema.tables import MenuItem, PromoCode
from tests.databases import waited_for

S = OrderStatus

_WRITTEN = """
    SELECT (SELECT count(*) FROM orders WHERE customer_id = :id),
           (SELECT count(*) FROM promo_redemptions WHERE customer_id = :id),
           (SELECT count(*) FROM idempotency_keys WHERE customer_id = :id)
"""


async def make(play: Cast, **terms: object) -> str:
    """A code of ten percent, unless `terms` say otherwise."""
    body = {"discountType": "percent", "discountValue": 1000, "reason": "a test", **terms}
    made = await play.admin.post("/admin/promo-codes", **{"code": f"T-{uuid4().hex}", **body})
    return str(made["code"])


async def change(play: Cast, code: str, **values: object) -> None:
    """Give a code terms that no operator could."""
    async with play.database.write() as session:
        await session.execute(update(PromoCode).where(col(PromoCode.code) == code).values(**values))


async def uses(play: Cast, code: str) -> int:
    """How many uses are held, as the counter and the redemptions say alike."""
    async with play.database.read() as session:
        found = await session.execute(
            text(
                "SELECT p.uses, count(r.id) FILTER (WHERE r.returned_at IS NULL)"
                " FROM promo_codes p LEFT JOIN promo_redemptions r ON r.promo_code_id = p.id"
                " WHERE p.code = :code GROUP BY p.id"
            ),
            {"code": code},
        )
        counted, held = found.one()
    assert counted == held
    return int(counted)


async def written(play: Cast) -> tuple[int, int, int]:
    """How many orders, redemptions and keys the customer has."""
    async with play.database.read() as session:
        found = await session.execute(text(_WRITTEN), {"id": play.world.customer.user_id})
        orders, redemptions, keys = found.one()
    return orders, redemptions, keys


async def refusal(play: Cast, code: str) -> str:
    """Why an order with a code is refused; and there is none."""
    before = await written(play), await uses_if_any(play, code)
    with pytest.raises(Unanswered) as refused:
        await play.place(promoCode=code)
    assert refused.value.status == 409
    assert (await written(play), await uses_if_any(play, code)) == before
    return refused.value.code


async def uses_if_any(play: Cast, code: str) -> int | None:
    async with play.database.read() as session:
        row = await session.execute(
            text("SELECT uses FROM promo_codes WHERE code = :code"), {"code": code.upper()}
        )
        found = row.first()
    return found[0] if found else None


async def quote(play: Cast, **changes: object) -> dict[str, Any]:
    told: dict[str, Any] = await play.customer.post("/orders/quote", **play.world.basket(**changes))
    assert sum(line["amountCents"] for line in told["lines"]) == told["totalCents"]
    return told


def cents(priced: dict[str, Any]) -> dict[str, int]:
    return {
        name: value
        for name, value in priced.items()
        if name.endswith("Cents") and name not in {"refundedCents", "promisedTipCents"}
    }


async def test_an_order_with_a_code_costs_less_and_says_why(play: Cast) -> None:
    code = await make(play)

    order = await play.place(promoCode=f"  {code.lower()} ")

    assert (order["promoCode"], order["discountCents"], order["totalCents"]) == (code, 200, 2460)
    seen = await play.customer.get(f"/orders/{order['id']}")
    assert (seen["promoCode"], seen["discountCents"], seen["totalCents"]) == (code, 200, 2460)
    assert await uses(play, code) == 1
    assert play.stripe.v1.payment_intents.retrieve(play.intent_id(order)).amount == 2460


async def test_an_order_without_a_code_says_so(play: Cast) -> None:
    order = await play.place()

    assert (order["promoCode"], order["discountCents"]) == (None, 0)


async def test_the_same_key_again_uses_the_code_once(play: Cast) -> None:
    code = await make(play, maxUses=1, maxUsesPerCustomer=1)
    basket = play.world.basket(promoCode=code)

    answers = await asyncio.gather(
        *(play.customer.post("/orders", key="basket-1", **basket) for _ in range(8))
    )
    again = await play.customer.post("/orders", key="basket-1", **basket)

    assert all(answer == again for answer in answers)
    assert await uses(play, code) == 1
    assert await written(play) == (1, 1, 1)


async def test_the_same_key_with_another_code_is_another_request(play: Cast) -> None:
    first, second = await make(play), await make(play)
    await play.customer.post("/orders", key="basket-1", **play.world.basket(promoCode=first))

    with pytest.raises(Unanswered) as refused:
        await play.customer.post("/orders", key="basket-1", **play.world.basket(promoCode=second))

    assert refused.value.code == "idempotency_key_reused"
    assert await uses(play, second) == 0


NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"is_active": False}, "promo_inactive"),
        ({"starts_at": NOW + timedelta(days=1)}, "promo_not_started"),
        ({"expires_at": NOW - timedelta(days=1)}, "promo_expired"),
        ({"market": "berlin"}, "promo_wrong_market"),
        ({"currency": "eur"}, "promo_wrong_currency"),
        ({"min_order_cents": 2001}, "promo_below_minimum"),
        ({"max_uses": 7, "uses": 7}, "promo_used_up"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_code_that_does_not_apply_is_refused_with_its_reason(
    play: Cast, terms: dict[str, object], reason: str
) -> None:
    code = await make(play)
    await change(play, code, **terms)

    assert await refusal(play, code) == reason

    told = await quote(play, promoCode=code)
    assert told["totalCents"] == 2660
    assert (told["promo"]["applied"], told["promo"]["reason"]) == (False, reason)


async def test_a_code_that_nobody_made_is_refused(play: Cast) -> None:
    assert await refusal(play, "nobodys code") == "promo_unknown"

    told = await quote(play, promoCode="nobodys code")
    assert told["promo"] == {
        "applied": False,
        "code": "NOBODYS CODE",
        "reason": "promo_unknown",
        "explanation": "there is no such promo code",
    }


async def test_a_code_that_the_customer_has_used_is_his_no_more_and_others_may(play: Cast) -> None:
    code = await make(play, maxUsesPerCustomer=1)
    await play.place(promoCode=code)

    assert await refusal(play, code) == "promo_used_by_you"

    async with cast(play.environment) as others:
        assert (await others.place(promoCode=code))["discountCents"] == 200
    assert await uses(play, code) == 2


async def test_customers_race_for_the_last_use_and_exactly_one_gets_it(play: Cast) -> None:
    code = await make(play, maxUses=1)
    async with AsyncExitStack() as stage:
        racing = [await stage.enter_async_context(cast(play.environment)) for _ in range(6)]

        answers = await asyncio.gather(
            *(one.place(promoCode=code) for one in racing), return_exceptions=True
        )

        placed = [answer for answer in answers if isinstance(answer, dict)]
        refused = [answer for answer in answers if isinstance(answer, Unanswered)]
        assert (len(placed), len(refused)) == (1, 5)
        assert {(told.status, told.code) for told in refused} == {(409, "promo_used_up")}
        assert await uses(play, code) == 1
        assert sum([(await written(one))[0] for one in racing]) == 1


async def test_a_code_that_is_used_up_between_look_and_write_is_refused_just_the_same(
    play: Cast,
) -> None:
    code = await make(play, maxUses=1)
    basket = play.world.basket(promoCode=code)
    async with play.database.write() as session:
        # Somebody else is about to take the last use, and has not committed it.
        await session.execute(update(PromoCode).where(col(PromoCode.code) == code).values(uses=1))
        late = asyncio.create_task(play.customer.post("/orders", key="basket-1", **basket))
        await waited_for(session, play.database)

    for asked in (late, play.customer.post("/orders", key="basket-1", **basket)):
        with pytest.raises(Unanswered) as refused:
            await asked
        assert (refused.value.status, refused.value.code) == (409, "promo_used_up")
    # The key stands for an order that never came to be.
    assert await written(play) == (0, 0, 1)


@pytest.mark.parametrize("code", ["", "  ", "x" * 41, "NUL\x00", 7, ["WELCOME10"]], ids=repr)
async def test_a_code_that_cannot_be_one_is_told_the_field(play: Cast, code: object) -> None:
    for path in ("/orders", "/orders/quote"):
        with pytest.raises(Unanswered) as refused:
            await play.customer.post(path, **play.world.basket(promoCode=code))

        assert (refused.value.status, refused.value.code) == (422, "invalid_request")
        assert refused.value.problem["errors"][0]["field"] == "promoCode"
    assert await written(play) == (0, 0, 0)


async def test_a_quote_is_what_the_order_costs_and_writes_nothing(play: Cast) -> None:
    code = await make(play, maxUses=1)
    # Beyond the 5 km that the base fee covers.
    door = Point(play.world.kitchen.latitude + 0.06, play.world.kitchen.longitude)
    wanted = {"promoCode": code, "tipCents": 333, "deliveryAddress": play.world.address(door)}

    first = await quote(play, **wanted)
    again = await quote(play, **wanted)

    assert await written(play) == (0, 0, 0)
    assert await uses(play, code) == 0
    order = await play.place(**wanted)
    assert cents(order) == cents(first) == cents(again)
    assert order["totalCents"] == 2000 + 160 + 650 + 333 - 200
    seen = await play.customer.get(f"/orders/{order['id']}")
    assert cents(seen) == cents(first)


async def test_each_line_of_a_quote_is_explained(play: Cast) -> None:
    code = await make(play, maxDiscountCents=150)

    told = await quote(play, promoCode=code, tipCents=100)

    assert [(line["code"], line["amountCents"]) for line in told["lines"]] == [
        ("dish", 2000),
        ("delivery", 500),
        ("service_fee", 0),
        ("tax", 160),
        ("tip", 100),
        ("discount", -150),
    ]
    assert all(line["label"] and line["explanation"] for line in told["lines"])
    assert told["promo"]["explanation"] == "10 % off the food, 150 cents at most"


async def test_a_quote_without_a_code_has_no_word_of_one(play: Cast) -> None:
    told = await quote(play)

    assert told["promo"] is None
    assert "discount" not in [line["code"] for line in told["lines"]]


async def test_what_cannot_be_ordered_is_not_quoted(play: Cast) -> None:
    await play.chef.put("/chef/availability", acceptingOrders=False)

    with pytest.raises(Unanswered) as refused:
        await quote(play)

    assert (refused.value.status, refused.value.code) == (409, "chef_not_accepting")


async def test_a_code_takes_the_food_at_most(play: Cast) -> None:
    code = await make(play, discountType="fixed", discountValue=5_000)

    told = await quote(play, promoCode=code)

    assert (told["discountCents"], told["totalCents"]) == (2000, 660)


async def test_a_dish_that_becomes_dearer_after_the_quote_is_priced_anew(play: Cast) -> None:
    code = await make(play)
    before = await quote(play, promoCode=code)
    async with play.database.write() as session:
        await session.execute(
            update(MenuItem).where(col(MenuItem.id) == play.world.dish_id).values(price_cents=1500)
        )

    after = await quote(play, promoCode=code)

    assert (before["discountCents"], after["discountCents"]) == (200, 300)
    assert (await play.place(promoCode=code))["totalCents"] == after["totalCents"]
