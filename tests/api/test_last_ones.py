"""Of twenty customers who want the last portion, or the last use of a promo code, at once, one gets
it. The others are told so, and nothing of them is left: no order, no money, no lost cart.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlmodel import SQLModel, col
from uuid_utils.compat import uuid7

from local.cast import Cast, token
from local.people import Person, Unanswered
from local.world import Somebody
from schema.tables import (
    IdempotencyKey,
    Order,
    Payment,
    PromoCode,
    PromoRedemption,
    Role,
    User,
    UserProfile,
)
from tests.api.kitchen_shelf import set_dish, stock_of

CUSTOMERS = 20

Answer = dict[str, Any]


@dataclass(frozen=True)
class Rival:
    """A customer who wants what the others want."""

    user_id: UUID
    person: Person


@asynccontextmanager
async def rivals(play: Cast) -> AsyncIterator[list[Rival]]:
    """Twenty customers of the cast's kitchen."""
    users = [
        User(email=f"customer-{uuid7()}@example.com", role=Role.CUSTOMER, is_verified=True)
        for _ in range(CUSTOMERS)
    ]
    async with play.database.write() as session:
        session.add_all(users)
        await session.flush()
        session.add_all(
            UserProfile(user_id=user.id, first_name="Rival", last_name="Test") for user in users
        )
    wanting = []
    for user in users:
        person = Person(play.environment["API_URL"], user.email)
        person.use_token(token(play.environment, Somebody(user.id, user.email, user.id)))
        wanting.append(Rival(user.id, person))
    yield wanting
    for rival in wanting:
        await rival.person.leave()


async def _by_basket(play: Cast, rival: Rival, terms: Answer) -> Answer:
    basket = play.world.basket(items=_one(play), **terms)
    order: Answer = await rival.person.post("/orders", key=str(uuid4()), **basket)
    return order


async def _by_cart(play: Cast, rival: Rival, terms: Answer) -> Answer:
    wanted = {"deliveryAddress": play.world.address(), **terms}
    order: Answer = await rival.person.post("/cart/checkout", key=str(uuid4()), **wanted)
    return order


Ask = Callable[[Cast, Rival, Answer], Awaitable[Answer]]
WAYS: dict[str, Ask] = {"a basket": _by_basket, "a cart": _by_cart}


async def race(play: Cast, wanting: list[Rival], ask: Ask, **terms: str) -> list[Answer | str]:
    """What everybody is answered who was shown the same price: the order, or the 409's code."""
    for rival in wanting:
        await rival.person.post("/cart/items", **_one(play)[0])
    place = {"deliveryAddress": play.world.address(), **terms}
    quote = await wanting[0].person.post("/cart/quote", **place)
    shown = {**terms, "expectedTotalCents": quote["totalCents"]}
    answers = await asyncio.gather(
        *(ask(play, rival, shown) for rival in wanting), return_exceptions=True
    )
    told: list[Answer | str] = []
    for answer in answers:
        if isinstance(answer, Unanswered):
            assert answer.status == 409
            told.append(answer.code)
        else:
            assert isinstance(answer, dict), answer
            told.append(answer)
    return told


async def nothing_is_left(play: Cast, losers: list[Rival]) -> None:
    """Whoever got nothing has no order, no key that stands for one, no payment, and his cart."""
    ids = [rival.user_id for rival in losers]
    tables: list[tuple[type[SQLModel], Any]] = [
        (Order, col(Order.customer_id)),
        (PromoRedemption, col(PromoRedemption.customer_id)),
    ]
    async with play.database.read() as session:
        for table, owner in tables:
            left = await session.scalar(
                select(func.count()).select_from(table).where(owner.in_(ids))
            )
            assert left == 0, table
        # What a key stands for was never written.
        claimed = select(col(IdempotencyKey.order_id)).where(
            col(IdempotencyKey.customer_id).in_(ids)
        )
        assert not (
            await session.scalars(
                select(col(Payment.order_id)).where(col(Payment.order_id).in_(claimed))
            )
        ).all()
        known_to_stripe = await session.scalars(
            select(col(User.stripe_customer_id)).where(
                col(User.id).in_(ids), col(User.stripe_customer_id).is_not(None)
            )
        )
    for customer in known_to_stripe:
        assert play.stripe.v1.payment_intents.list({"customer": str(customer)}).data == []
    for rival in losers:
        assert [item["quantity"] for item in (await rival.person.get("/cart"))["items"]] == [1]


async def is_paid_once(play: Cast, winner: Rival, order: Answer) -> None:
    """Whoever got it has the only order, and is charged for it, once."""
    await play.wallet.pay(order["clientSecret"])
    assert play.charged(order) == [order["totalCents"]]
    assert (await winner.person.get("/orders"))["total"] == 1


@pytest.mark.parametrize("way", WAYS)
async def test_the_last_portion_is_one_customers(play: Cast, way: str) -> None:
    await set_dish(play, stock=1)
    async with rivals(play) as wanting:
        told = await race(play, wanting, WAYS[way])

        assert sorted(map(_kind, told)) == ["order"] + ["sold_out"] * (CUSTOMERS - 1)
        assert await stock_of(play) == 0
        won = [_kind(answer) for answer in told].index("order")
        order = told[won]
        assert isinstance(order, dict)
        await nothing_is_left(play, wanting[:won] + wanting[won + 1 :])
        await is_paid_once(play, wanting[won], order)
        assert await stock_of(play) == 0


@pytest.mark.parametrize("way", WAYS)
async def test_the_last_use_of_a_promo_code_is_one_customers(play: Cast, way: str) -> None:
    terms = {"discountType": "fixed", "discountValue": 200, "maxUses": 1, "reason": "a test"}
    made = await play.admin.post("/admin/promo-codes", code=f"LAST-{uuid4().hex}", **terms)
    code = str(made["code"])
    async with rivals(play) as wanting:
        told = await race(play, wanting, WAYS[way], promoCode=code)

        assert sorted(map(_kind, told)) == ["order"] + ["promo_used_up"] * (CUSTOMERS - 1)
        won = [_kind(answer) for answer in told].index("order")
        order = told[won]
        assert isinstance(order, dict)
        assert (order["promoCode"], order["discountCents"]) == (code, 200)
        await nothing_is_left(play, wanting[:won] + wanting[won + 1 :])
        await is_paid_once(play, wanting[won], order)
        assert await _uses(play, code) == (1, 1)


async def _uses(play: Cast, code: str) -> tuple[int, int]:
    """What the counter says, and how many redemptions there are."""
    async with play.database.read() as session:
        found = await session.execute(
            select(col(PromoCode.uses), func.count(col(PromoRedemption.id)))
            .outerjoin(PromoRedemption, col(PromoRedemption.promo_code_id) == col(PromoCode.id))
            .where(col(PromoCode.code) == code)
            .group_by(col(PromoCode.id))
        )
        counter, redeemed = found.one()
    return int(counter), int(redeemed)


def _one(play: Cast) -> list[dict[str, Any]]:
    return [{"menuItemId": str(play.world.dish_id), "quantity": 1}]


def _kind(answer: Answer | str) -> str:
    return answer if isinstance(answer, str) else "order"
