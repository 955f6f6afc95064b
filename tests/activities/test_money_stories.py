"""Random stories of money, on real books and at a Stripe of their own: whatever customers, banks
and admins do, whatever goes wrong on the way, what is booked is what moved, to the cent.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from activities.refunds import at_stripe
from domain.ledger import Account
from local.people import until
from schema.queries import refunds as refund_requests
from tests.activities.money_house import Weather, money_house
from tests.activities.money_story import PLATFORMS, Story
from tests.books import books
from tests.databases import new_database
from tests.local.stripe.stripe_harness import Stage

_ACTS = (
    Story.pay,
    Story.go_on,
    Story.cancel,
    Story.look,
    Story.refund,
    Story.refund_in_the_dashboard,
    Story.fail_a_refund,
    Story.tip,
    Story.dispute,
    Story.decide,
    Story.pay_out,
)
_weathers = st.builds(
    Weather,
    fault=st.sampled_from(
        [None, None, "drop_after", "drop_before", "server_error", "refused", "rate_limit"]
    ),
    skip=st.integers(0, 3),
    again=st.booleans(),
    at_once=st.booleans(),
)
_acts = st.lists(
    st.tuples(st.sampled_from(_ACTS), st.integers(0, 1), st.integers(1, 2700), _weathers),
    min_size=4,
    max_size=12,
)
# Whether it is authorised first, its tip, and how far it has come before the story begins: left to
# chance alone, hardly any order would get far.
_begins = st.tuples(st.booleans(), st.sampled_from([0, 300]), st.sampled_from([4, 4, 4, 2, 0, -1]))


@pytest.fixture(scope="module")
async def empty(environment: Mapping[str, str]) -> str:
    """A database without a row, to be copied for each story."""
    return await new_database(environment["DATABASE_URL"], "ridendine_money")


@pytest.fixture
async def story(
    environment: Mapping[str, str], empty: str, stage: Stage, redis: Redis, tmp_path: Path
) -> AsyncIterator[Story]:
    """A house of its own, in which nothing has happened yet."""
    server = environment["DATABASE_URL"]
    async with money_house(server, empty, stage, tmp_path, redis) as house:
        yield Story(house)


async def test_a_dispute_that_was_lost_before_a_cancellation_leaves_no_deposit(
    story: Story,
) -> None:
    await story.begin(manual=False, tip_cents=0, steps=2)
    [order_id] = story.placed
    await story.dispute(await story.house.order(order_id), 2660)
    await story.decide(await story.house.order(order_id), 1)

    await story.cancel(await story.house.order(order_id), PLATFORMS)

    booked = await books(story.house.database, order_id)
    assert Account.CUSTOMER_DEPOSITS not in booked
    assert Account.DISPUTE_LOSSES not in booked
    await story.end()


async def test_a_refund_before_a_cancellation_that_fails_after_it_is_owed_to_the_customer(
    story: Story,
) -> None:
    await story.begin(manual=False, tip_cents=0, steps=1)
    [order_id] = story.placed
    await story.refund_in_the_dashboard(await story.house.order(order_id), 1000)
    await story.cancel(await story.house.order(order_id), PLATFORMS)

    await story.fail_a_refund(await story.house.order(order_id), 1)

    booked = await books(story.house.database, order_id)
    assert booked[Account.CUSTOMER_DEPOSITS] == -1000
    assert Account.REFUND_LOSSES not in booked
    await story.end()


async def test_a_refund_noted_while_its_order_is_cancelled_is_of_the_customers_own(
    story: Story,
) -> None:
    await story.begin(manual=False, tip_cents=0, steps=1)
    [order_id], house = story.placed, story.house
    order = await house.order(order_id)
    intent = str(order.payment_intent_id)
    made = await house.stripe.refund(intent, 2660, reason="by hand", key="by hand")
    waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"

    async with house.database.write() as session:
        await refund_requests.note_refund(session, order_id, at_stripe(made))
        cancelling = asyncio.create_task(story.cancel(order, PLATFORMS))

        async def waits_or_is_over() -> bool:
            return cancelling.done() or bool(await house.sql(waits))

        await until(waits_or_is_over)
    await cancelling

    booked = await books(house.database, order_id)
    assert Account.CUSTOMER_DEPOSITS not in booked
    assert Account.REFUND_LOSSES not in booked
    await story.end()


async def test_a_refund_that_failed_is_not_made_by_an_older_look_that_is_written_later(
    story: Story,
) -> None:
    await story.begin(manual=False, tip_cents=0, steps=4)
    [order_id], house = story.placed, story.house
    intent = str((await house.order(order_id)).payment_intent_id)
    seen = await house.stripe.refund(intent, 1000, reason="by hand", key="by hand")
    await story.fail_a_refund(await house.order(order_id), 0)

    async with house.database.write() as session:
        await refund_requests.note_refund(session, order_id, at_stripe(seen))

    assert await house.sql("SELECT status FROM refunds") == [("failed",)]
    await story.end()


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(begins=st.tuples(_begins, _begins), acts=_acts)
async def test_whatever_happens_the_books_say_where_every_cent_is(
    environment: Mapping[str, str],
    empty: str,
    stage: Stage,
    redis: Redis,
    tmp_path: Path,
    begins: tuple[tuple[bool, int, int], ...],
    acts: list[tuple[Any, int, int, Weather]],
) -> None:
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(
            money_house(environment["DATABASE_URL"], empty, stage, tmp_path, redis)
        )
        story = Story(house)
        for begin in begins:
            await story.begin(*begin)
        for act, which, number, house.weather in acts:
            await act(story, await house.order(story.placed[which]), number)
            await story.books_are_sound()
        await story.end()
