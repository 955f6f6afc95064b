"""What chefs are found by is always what they are, and says the same as the rules."""

import asyncio
import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as runs
from hypothesis import strategies as st
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.browse import clocks
from domain.geo import Point, distance_km
from domain.hours import WEEKDAYS, is_open
from local.world import World, settle
from schema.database import Database
from schema.queries import search, search_words
from schema.queries.search import Sort, Wanted
from schema.reindex import reindex
from schema.tables import Chef, Menu, MenuItem, Verification
from settings import Settings

_COLUMNS = (
    "chef_id, zone, opens, closes, exceptional, may_be_open, rating, total_orders, prep_minutes,"
    " main_from_cents, cuisines, dietary_tags, place, reach, reach_chord, names, dishes, document"
)


_MENUS = text("SELECT id FROM menus WHERE chef_id = :id")


async def _wrong(session: AsyncSession) -> list[Any]:
    """What is stored and not so, or so and not stored; and words that are not known."""
    rows = await session.execute(
        text(f"""
            (SELECT {_COLUMNS} FROM chef_search EXCEPT SELECT {_COLUMNS} FROM chef_search_now)
            UNION ALL
            (SELECT {_COLUMNS} FROM chef_search_now EXCEPT SELECT {_COLUMNS} FROM chef_search)
        """)  # noqa: S608
    )
    unknown = await session.scalars(
        text("""
            SELECT word FROM ts_stat('SELECT document FROM chef_search_now')
            EXCEPT SELECT word FROM search_words
        """)
    )
    return [*rows, *unknown]


async def _entry(database: Database, world: World) -> Any:
    async with database.read() as session:
        rows = await session.execute(
            text(
                "SELECT names::text, dishes::text, main_from_cents, dietary_tags, rating"
                " FROM chef_search WHERE chef_id = :id"
            ),
            {"id": world.chef.id},
        )
        return rows.one_or_none()


async def test_whatever_changes_is_found_as_it_is_when_it_is_committed(database: Database) -> None:
    world = await settle(database)
    dice = random.Random(7)
    for _ in range(40):
        async with database.write() as session:
            for _ in range(dice.randint(1, 3)):
                await _change(session, world, dice)
        async with database.read() as session:
            assert await _wrong(session) == []


async def _change(session: AsyncSession, world: World, dice: random.Random) -> None:
    chef = await session.get_one(Chef, world.chef.id)
    menus = list(await session.scalars(_MENUS, {"id": chef.id}))
    menu = await session.get_one(Menu, dice.choice(menus))
    match dice.randrange(9):
        case 0:
            chef.business_name = dice.choice(("Café Zoë", "Linh's Pho", "Test Kitchen"))
        case 1:
            chef.verification_status = dice.choice(list(Verification))
        case 2:
            chef.operating_hours = {"friday": {"open": "18:00", "close": "02:00"}}
            chef.hours_exceptions = {"2026-12-31": {"open": "10:00", "close": "14:00"}}
        case 3:
            chef.service_radius_km, chef.latitude = dice.uniform(1, 30), dice.uniform(-60, 60)
        case 4:
            chef.rating, chef.total_orders = dice.uniform(1, 5), dice.randrange(100)
        case 5:
            menu.is_active = not menu.is_active
        case 6:
            session.add(Menu(chef_id=chef.id, name="More"))
        case 7:
            session.add(
                MenuItem(
                    menu_id=menu.id,
                    name=dice.choice(("Crème brûlée", "Pho Bo")),
                    category=dice.choice(("main", "dessert")),
                    price_cents=dice.randrange(3000),
                    dietary_tags=["Vegan"],
                )
            )
        case 8:
            await session.execute(
                update(MenuItem)
                .where(col(MenuItem.menu_id) == menu.id)
                .values(deleted_at=datetime.now(UTC) if dice.random() < 0.5 else None)
            )


async def test_two_who_change_one_kitchen_at_once_are_both_found(database: Database) -> None:
    world = await settle(database)
    async with database.read() as session:
        menu_id = await session.scalar(_MENUS, {"id": world.chef.id})

    async def add(name: str) -> None:
        async with database.write() as session:
            session.add(MenuItem(menu_id=menu_id, name=name, price_cents=500))

    for turn in range(10):
        await asyncio.gather(*(add(f"dish{turn}x{number}") for number in range(4)))
        found = (await _entry(database, world)).dishes
        assert [f"dish{turn}x{number}" in found for number in range(4)] == [True] * 4


async def test_all_made_anew_is_the_same_and_forgets_words_that_nobody_uses(
    database: Database, database_url: str
) -> None:
    world = await settle(database)
    async with database.write() as session:
        await session.execute(
            update(Chef).where(col(Chef.id) == world.chef.id).values(business_name="Quaxolotl")
        )
    async with database.write() as session:
        await session.execute(
            update(Chef).where(col(Chef.id) == world.chef.id).values(business_name="Kitchen")
        )
    before = await _entry(database, world)

    await reindex(database_url)

    async with database.read() as session:
        assert await _entry(database, world) == before
        assert await _wrong(session) == []
        known = set(await session.scalars(text("SELECT word FROM search_words")))
    assert "quaxolotl" not in known


@pytest.mark.parametrize(
    ("typed", "finds"),
    [
        ("Crème Brûlée", True),
        ("creme brulee", True),
        ("brule", True),
        ("crem bruleee", True),
        ("zoe", True),
        ("zoes cafe", True),
        ("caffe", True),
        ("the cafe of zoe", True),
        ("cafe pizzeria", False),
    ],
)
async def test_words_are_found_without_accents_and_with_typing_errors(
    database: Database, typed: str, finds: bool
) -> None:
    world = await settle(database)
    async with database.write() as session:
        chef = await session.get_one(Chef, world.chef.id)
        chef.business_name = "Café Zoë"
        menu_id = await session.scalar(_MENUS, {"id": chef.id})
        session.add(MenuItem(menu_id=menu_id, name="Crème brûlée", price_cents=500))

    found = await _found(database, world, typed)

    assert (world.chef.id in found) is finds


async def _found(database: Database, world: World, typed: str) -> set[Any]:
    async with database.read() as session:
        meant = await search_words.understood(session, typed)
        if not all(meant):
            return set()
        wanted = Wanted(
            Sort.RELEVANCE,
            100,
            words=search_words.tsquery(meant),
            point=world.kitchen,
        )
        return {row.chef.id for row in await search.find(session, wanted)}


CLOCK = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from((0, 15, 30, 45, 59)))
CLOSE = CLOCK | st.just("24:00")
DAY = st.fixed_dictionaries({"open": CLOCK, "close": CLOSE})
HOURS = st.dictionaries(st.sampled_from(WEEKDAYS), DAY)
ZONES = (None, "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")
# Clocks are changed in these nights, in one zone or other, by an hour or half of one.
CHANGES = tuple(
    datetime(2026, month, day, tzinfo=UTC)
    for month, day in ((3, 8), (3, 29), (4, 4), (10, 3), (10, 25), (11, 1))
)
DAYS = tuple(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number) for number in range(365))
MOMENT = st.builds(
    lambda day, minutes: day + timedelta(minutes=minutes),
    st.sampled_from(CHANGES) | st.sampled_from(DAYS),
    st.integers(-600, 1800),
)


@st.composite
def kitchens(draw: st.DrawFn) -> dict[str, Any]:
    at = draw(MOMENT)
    near = [(at.date() + timedelta(days=days)).isoformat() for days in (-1, 0, 1)]
    return {
        "at": at,
        "hours": draw(HOURS),
        "exceptions": draw(st.dictionaries(st.sampled_from(near), st.none() | DAY, max_size=2)),
        "timezone": draw(st.sampled_from(ZONES)),
    }


@pytest.fixture(scope="module")
async def sampled(database_url: str) -> Any:
    opened = Database(database_url, pool_size=1)
    yield opened, await settle(opened)
    await opened.close()


ALL_DAY = {"open": "00:00", "close": "24:00"}


@runs(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kitchen=kitchens())
@example(
    kitchen={
        "at": datetime(2026, 3, 8, 7, 20, tzinfo=UTC),
        "hours": {
            "saturday": {"open": "05:00", "close": "03:10"},
            "sunday": {"open": "02:45", "close": "05:00"},
        },
        "exceptions": {},
        "timezone": "America/New_York",
    }
)
@example(
    kitchen={
        "at": datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
        "hours": {"sunday": {"open": "01:45", "close": "05:00"}},
        "exceptions": {},
        "timezone": "America/New_York",
    }
)
@example(
    kitchen={
        "at": datetime(2026, 12, 25, 12, 0, tzinfo=UTC),
        "hours": dict.fromkeys(WEEKDAYS, ALL_DAY),
        "exceptions": {date(2026, 12, 25).isoformat(): None},
        "timezone": None,
    }
)
async def test_a_kitchen_is_found_open_just_when_its_hours_say_so(
    sampled: tuple[Database, World], kitchen: Mapping[str, Any], settings: Settings
) -> None:
    database, world = sampled
    async with database.write() as session:
        await session.execute(
            update(Chef)
            .where(col(Chef.id) == world.chef.id)
            .values(
                operating_hours=kitchen["hours"],
                hours_exceptions=kitchen["exceptions"],
                timezone=kitchen["timezone"],
            )
        )
    zone = kitchen["timezone"] or settings.markets["austin"].timezone

    async with database.read() as session:
        zones = await search_words.zones(session)
        found = await search.find(
            session,
            Wanted(
                Sort.RATING, 10, point=world.kitchen, open=clocks(settings, zones, kitchen["at"])
            ),
        )

    says = is_open(kitchen["hours"], kitchen["at"], zone, kitchen["exceptions"])
    assert (world.chef.id in {row.chef.id for row in found}) is says


async def test_who_delivers_to_a_point_is_as_the_radius_says(database: Database) -> None:
    world = await settle(database)
    dice = random.Random(3)
    for _ in range(60):
        point = Point(
            world.kitchen.latitude + dice.uniform(-0.12, 0.12),
            world.kitchen.longitude + dice.uniform(-0.12, 0.12),
        )
        async with database.read() as session:
            found = await search.find(session, Wanted(Sort.DISTANCE, 10, point=point))

        away = distance_km(world.kitchen, point)
        told = [row.distance_km for row in found if row.chef.id == world.chef.id]
        assert told == ([pytest.approx(away, abs=1e-6)] if away <= 10 else [])
