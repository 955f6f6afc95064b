"""What is in force in a market at a moment, by the rows that were written about it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError

from activities.market_terms import MarketTerms
from api.markets import InForce, in_force
from domain.pricing import Rates
from domain.refunds import Rules
from local import world as worlds
from local.world import World
from schema.database import Database
from schema.queries import market_settings
from schema.tables import MarketSetting
from settings import Market, Settings

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def market() -> str:
    """One of this test's own."""
    return f"city-{uuid4().hex}"


@pytest.fixture
def held(settings: Settings, market: str) -> Settings:
    markets = {market: Market(rates=Rates(tax_bps=500, currency="eur"))}
    return settings.model_copy(update={"markets": markets})


async def say(
    database: Database, world: World, market: str, hour: float, **values: object
) -> MarketSetting:
    row = MarketSetting(
        market=market,
        effective_from=NOON + hour * HOUR,
        values=values,
        created_by=world.admin.user_id,
        reason="to see",
    )
    async with database.write() as session:
        session.add(row)
    return row


async def withdraw(database: Database, world: World, row: MarketSetting) -> None:
    async with database.write() as session:
        session.add(
            MarketSetting(
                market=row.market,
                effective_from=row.effective_from,
                withdraws=row.id,
                created_by=world.admin.user_id,
                reason="not after all",
            )
        )


async def seen(database: Database, held: Settings, market: str, hour: float) -> InForce:
    async with database.read() as session:
        return await in_force(session, held, market, NOON + hour * HOUR)


async def test_without_a_word_the_environments_settings_hold(
    database: Database, held: Settings, market: str
) -> None:
    found = await seen(database, held, market, 0)

    assert found.market == held.markets[market]
    assert found.deadlines["chef_response_seconds"] == held.chef_response_seconds


async def test_each_change_holds_from_its_moment_until_another_says_otherwise(
    database: Database, held: Settings, market: str
) -> None:
    world = await worlds.settle(database)
    await say(database, world, market, 2, rates={"tax_bps": 700})
    await say(database, world, market, 1, rates={"tax_bps": 600, "delivery_base_cents": 1})
    await say(database, world, market, 3, chef_response_seconds=60, refunds={"small_cents": 9})

    by_hour = [(await seen(database, held, market, hour)) for hour in (0.99, 1, 2, 3)]

    assert [found.rates.tax_bps for found in by_hour] == [500, 600, 700, 700]
    assert [found.rates.delivery_base_cents for found in by_hour] == [500, 1, 1, 1]
    assert {found.rates.currency for found in by_hour} == {"eur"}
    assert by_hour[3].refunds == Rules(small_cents=9)
    responses = [found.deadlines["chef_response_seconds"] for found in by_hour]
    assert responses == [*[held.chef_response_seconds] * 3, 60]


async def test_of_two_that_begin_together_the_later_word_counts(
    database: Database, held: Settings, market: str
) -> None:
    world = await worlds.settle(database)
    for bps in (600, 700, 650):
        await say(database, world, market, 1, rates={"tax_bps": bps})

    assert (await seen(database, held, market, 1)).rates.tax_bps == 650


async def test_what_was_withdrawn_never_holds_and_is_withdrawn_once(
    database: Database, held: Settings, market: str
) -> None:
    world = await worlds.settle(database)
    row = await say(database, world, market, 1, rates={"tax_bps": 600})
    await withdraw(database, world, row)

    assert (await seen(database, held, market, 2)).rates.tax_bps == 500
    with pytest.raises(IntegrityError):
        await withdraw(database, world, row)
    async with database.read() as session:
        assert await market_settings.coming(session, market, NOON) == []
        said, total = await market_settings.history(session, market, limit=10, offset=0)
    assert total == 1
    assert said[0].withdrawn is not None


async def test_another_markets_changes_are_no_matter_here(
    database: Database, held: Settings, market: str
) -> None:
    world = await worlds.settle(database)
    await say(database, world, "elsewhere", 0, rates={"tax_bps": 9000})

    assert (await seen(database, held, market, 1)).rates.tax_bps == 500


async def test_an_order_has_the_terms_of_its_own_moment(
    database: Database, held: Settings, market: str
) -> None:
    world = await worlds.settle(database)
    await say(database, world, market, 1, chef_response_seconds=60)
    terms = MarketTerms(held, database)

    before = await terms.at(market, NOON)
    after = await terms.at(market, NOON + 2 * HOUR)

    assert (before.chef_response, after.chef_response) == (
        timedelta(minutes=5),
        timedelta(minutes=1),
    )
    nowhere = await terms.at("a market that is closed", NOON)
    assert nowhere.chef_response == timedelta(minutes=5)
    # One that nobody knows of yet.
    assert (await terms.of(uuid4())).chef_response == timedelta(minutes=5)
