"""Uses of a promo code are counted exactly, however many orders want the last ones at once."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.order_status import Actor, OrderStatus
from domain.pricing import Rates, price
from domain.promo import Basket, DiscountType, Reason
from local import world as worlds
from local.world import World
from schema.database import Database
from schema.messages.order import Placing, Transition, Who
from schema.queries import orders, promos
from schema.queries.promos import NotRedeemed
from schema.tables import Order, PromoCode, PromoRedemption
from schema.tables.columns import now

S = OrderStatus
LATER = datetime(2026, 1, 31, 18, tzinfo=UTC)
MakeCode = Callable[..., Awaitable[PromoCode]]


@pytest.fixture
def make_code(database: Database) -> MakeCode:
    async def make(**terms: Any) -> PromoCode:
        given = {
            "code": f"CODE-{uuid7().hex.upper()}",
            "discount_type": DiscountType.FIXED,
            "discount_value": 500,
            "currency": "usd",
            **terms,
        }
        row = PromoCode(**given)
        async with database.write() as session:
            assert await promos.create(session, row)
        return row

    return make


def placing(world: World, code: PromoCode, **changes: object) -> Placing:
    plain = world.placing()
    bill = price([(1000, 2)], Rates(), 2.0, discount_cents=500)
    order = plain.order.model_copy(update={"promo_code": code.code, "price": bill, **changes})
    return plain.model_copy(update={"order": order})


async def begin(database: Database, placed: Placing) -> Reason | None:
    """Why an order could not be written, or None when it is."""
    try:
        async with database.write() as session:
            await orders.begin(session, placed)
    except NotRedeemed as refused:
        return refused.verdict.reason
    return None


async def cancel(database: Database, placed: Placing, was: S = S.PENDING) -> None:
    async with database.write() as session:
        sequence = (await _row(database, placed.order.id)).sequence
        await orders.record(
            session,
            Transition(
                order_id=placed.order.id,
                sequence=sequence + 1,
                was=was,
                to=S.CANCELLED,
                by=Who(role=Actor.CUSTOMER, id=placed.order.customer_id),
                at=now(),
            ),
        )


async def bring(database: Database, placed: Placing, *statuses: S) -> None:
    was = S.PENDING
    for sequence, to in enumerate(statuses, start=2):
        async with database.write() as session:
            await orders.record(
                session,
                Transition(
                    order_id=placed.order.id,
                    sequence=sequence,
                    was=was,
                    to=to,
                    by=Who(role=Actor.CHEF),
                    at=now(),
                ),
            )
        was = to


async def uses(database: Database, code: PromoCode) -> tuple[int, int, int]:
    """What the counter says, how many redemptions stand, and how many were given back."""
    async with database.read() as session:
        counter = await session.scalar(
            select(col(PromoCode.uses)).where(col(PromoCode.id) == code.id)
        )
        redeemed, returned = (
            await session.execute(
                select(func.count(), func.count(col(PromoRedemption.returned_at))).where(
                    col(PromoRedemption.promo_code_id) == code.id
                )
            )
        ).one()
    return counter or 0, redeemed - returned, returned


async def _row(database: Database, order_id: UUID) -> Order:
    async with database.read() as session:
        row = await session.get(Order, order_id)
        assert row is not None
        return row


async def written(database: Database, placings: list[Placing]) -> int:
    async with database.read() as session:
        found = await session.scalar(
            select(func.count())
            .select_from(Order)
            .where(col(Order.id).in_([placed.order.id for placed in placings]))
        )
        return found or 0


async def test_many_customers_race_for_the_last_uses_and_exactly_so_many_get_one(
    database: Database, make_code: MakeCode
) -> None:
    code = await make_code(max_uses=3)
    racing = [placing(await worlds.settle(database), code) for _ in range(20)]

    reasons = await asyncio.gather(*(begin(database, placed) for placed in racing))

    assert sorted(reasons, key=str) == [None] * 3 + [Reason.USED_UP] * 17
    assert await uses(database, code) == (3, 3, 0)
    assert await written(database, racing) == 3


async def test_one_customer_races_himself_and_gets_as_often_as_he_may(
    database: Database, make_code: MakeCode
) -> None:
    code = await make_code(max_uses_per_customer=2)
    world = await worlds.settle(database)
    racing = [placing(world, code) for _ in range(12)]

    reasons = await asyncio.gather(*(begin(database, placed) for placed in racing))

    assert sorted(reasons, key=str) == [None] * 2 + [Reason.USED_BY_YOU] * 10
    assert await uses(database, code) == (2, 2, 0)
    assert await written(database, racing) == 2


async def test_an_order_that_is_begun_twice_at_once_uses_its_code_once(
    database: Database, make_code: MakeCode
) -> None:
    code = await make_code(max_uses=1, max_uses_per_customer=1)
    placed = placing(await worlds.settle(database), code)

    async def attempt() -> None:
        try:
            assert await begin(database, placed) is None
        except IntegrityError:
            # As the activity does: another attempt has written it.
            assert await written(database, [placed]) == 1

    await asyncio.gather(*(attempt() for _ in range(5)))
    assert await begin(database, placed) is None

    assert await uses(database, code) == (1, 1, 0)


async def test_a_code_that_expires_on_the_way_is_refused_and_nothing_is_written(
    database: Database, make_code: MakeCode
) -> None:
    code = await make_code(expires_at=now() + timedelta(minutes=1))
    placed = placing(
        await worlds.settle(database), code, placed_at=now() + timedelta(minutes=1, seconds=1)
    )

    assert await begin(database, placed) is Reason.EXPIRED
    assert await uses(database, code) == (0, 0, 0)
    assert await written(database, [placed]) == 0


@pytest.mark.parametrize(
    "steps",
    [(), (S.PAYMENT_CONFIRMED,), (S.PAYMENT_CONFIRMED, S.ACCEPTED)],
    ids=["pending", "payment_confirmed", "accepted"],
)
async def test_a_use_is_given_back_once_when_the_order_is_cancelled_before_cooking(
    database: Database, make_code: MakeCode, steps: tuple[S, ...]
) -> None:
    code = await make_code(max_uses=1, max_uses_per_customer=1)
    world = await worlds.settle(database)
    first, second = placing(world, code), placing(world, code)
    assert await begin(database, first) is None
    assert await begin(database, second) is Reason.USED_BY_YOU
    await bring(database, first, *steps)

    was = steps[-1] if steps else S.PENDING
    await cancel(database, first, was)

    assert await uses(database, code) == (0, 0, 1)
    assert await begin(database, second) is None
    assert await uses(database, code) == (1, 1, 1)


async def test_a_cancellation_that_is_recorded_again_gives_nothing_back_again(
    database: Database, make_code: MakeCode
) -> None:
    code = await make_code(max_uses=5)
    kept, dropped = [placing(await worlds.settle(database), code) for _ in range(2)]
    await begin(database, kept)
    await begin(database, dropped)
    step = Transition(
        order_id=dropped.order.id,
        sequence=2,
        was=S.PENDING,
        to=S.CANCELLED,
        by=Who(role=Actor.DEADLINE),
        at=now(),
    )

    async def record() -> None:
        async with database.write() as session:
            await orders.record(session, step)

    await asyncio.gather(*(record() for _ in range(5)))

    assert await uses(database, code) == (1, 1, 1)


async def test_a_use_is_spent_once_cooking_has_begun(
    database: Database, make_code: MakeCode
) -> None:
    code = await make_code(max_uses=1)
    placed = placing(await worlds.settle(database), code)
    await begin(database, placed)
    await bring(database, placed, S.PAYMENT_CONFIRMED, S.ACCEPTED, S.PREPARING)

    await cancel(database, placed, S.PREPARING)

    assert await uses(database, code) == (1, 1, 0)


async def test_uses_given_back_and_taken_at_once_are_counted_exactly(
    database: Database, make_code: MakeCode
) -> None:
    code = await make_code(max_uses=10)
    leaving = [placing(await worlds.settle(database), code) for _ in range(5)]
    coming = [placing(await worlds.settle(database), code) for _ in range(10)]
    for placed in leaving:
        await begin(database, placed)

    reasons = await asyncio.gather(
        *(begin(database, placed) for placed in coming),
        *(cancel(database, placed) for placed in leaving),
    )

    got = reasons[:10].count(None)
    assert 5 <= got <= 10
    assert await uses(database, code) == (got, got, 5)


async def test_an_order_without_a_code_uses_none(database: Database) -> None:
    world = await worlds.settle(database)
    plain = world.placing()

    assert await begin(database, plain) is None
    await cancel(database, plain)

    async with database.read() as session:
        found = await session.scalar(
            select(func.count())
            .select_from(PromoRedemption)
            .where(col(PromoRedemption.order_id) == plain.order.id)
        )
    assert found == 0


async def test_to_ask_what_a_code_does_holds_no_use_of_it(
    database: Database, make_code: MakeCode
) -> None:
    code = await make_code(max_uses=1)
    basket = Basket(2000, "usd", "austin", now())
    world = await worlds.settle(database)

    async with database.read() as session:
        for _ in range(2):
            found = await promos.verdict(session, code.code, world.customer.user_id, basket)
            assert (found.discount_cents, found.reason) == (500, None)

    assert await uses(database, code) == (0, 0, 0)


@pytest.mark.parametrize(
    "terms",
    [
        {"code": "lower"},
        {"code": " PADDED"},
        {"code": ""},
        {"discount_value": 0},
        {"discount_type": DiscountType.PERCENT, "discount_value": 10_001},
        {"min_order_cents": -1},
        {"max_discount_cents": 0},
        {"max_uses": 0},
        {"max_uses_per_customer": 0},
        {"max_uses": 1, "uses": 2},
        {"uses": -1},
        {"starts_at": LATER, "expires_at": LATER - timedelta(days=1)},
    ],
    ids=str,
)
async def test_the_database_takes_no_code_that_makes_no_sense(
    make_code: MakeCode, terms: dict[str, object]
) -> None:
    with pytest.raises(IntegrityError):
        await make_code(**terms)


async def test_a_code_exists_once(database: Database, make_code: MakeCode) -> None:
    code = await make_code()

    async with database.write() as session:
        again = PromoCode(**{**code.model_dump(), "id": uuid7(), "discount_value": 1})
        assert not await promos.create(session, again)
