"""Looking for chefs: what is asked for, in which order, page by page."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import event, update
from sqlmodel import col
from uuid_utils.compat import uuid7

from api.dependencies import Services
from api.kitchen_changes import kitchen_change
from domain.geo import Point, distance_km
from local.cast import Cast
from local.world import PASSWORD_HASH, World, settle
from schema.database import Database
from schema.tables import Chef, Menu, MenuItem, Role, User, Verification
from tests.api.facade import facade


@pytest.fixture
async def http(environment: Mapping[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=environment["API_URL"] + "/api/v1") as client:
        yield client


@pytest.fixture
async def street(environment: Mapping[str, str]) -> AsyncIterator[tuple[Database, World]]:
    """A place where no other kitchens are."""
    database = Database(environment["DATABASE_URL"], pool_size=2)
    yield database, await settle(database)
    await database.close()


async def _open(database: Database, world: World, **said: Any) -> UUID:
    """Another kitchen in the street, with one dish."""
    dish = said.pop("dish", {"name": "Pho Bo", "price_cents": 1200})
    async with database.write() as session:
        user = User(email=f"{uuid7()}@example.com", password_hash=PASSWORD_HASH, role=Role.CHEF)
        session.add(user)
        await session.flush()
        chef = Chef(
            **{
                "user_id": user.id,
                "business_name": "Another Kitchen",
                "address": "3 Test Street",
                "latitude": world.kitchen.latitude,
                "longitude": world.kitchen.longitude,
                "verification_status": Verification.APPROVED,
                **said,
            }
        )
        session.add(chef)
        await session.flush()
        menu = Menu(chef_id=chef.id, name="Today")
        session.add(menu)
        await session.flush()
        session.add(MenuItem(menu_id=menu.id, **dish))
    return chef.id


def _here(world: World) -> dict[str, float]:
    return {"latitude": world.kitchen.latitude, "longitude": world.kitchen.longitude}


async def _ids(http: httpx.AsyncClient, **asked: Any) -> list[UUID]:
    answer = await http.get("/chefs", params=asked)
    assert answer.status_code == 200, answer.text
    return [UUID(chef["id"]) for chef in answer.json()["data"]]


async def test_every_filter_leaves_those_who_fit(
    http: httpx.AsyncClient, street: tuple[Database, World]
) -> None:
    database, world = street
    good = await _open(
        database,
        world,
        cuisine_types=["Tamil"],
        rating=4.9,
        dish={"name": "Idli", "price_cents": 300, "dietary_tags": ["Vegan"]},
    )
    here, first = _here(world), world.chef.id
    nobody = {"latitude": world.kitchen.latitude + 0.2, "longitude": world.kitchen.longitude}

    assert await _ids(http, **here) == [good, first]
    assert await _ids(http, **here, cuisine="TAMIL") == [good]
    assert await _ids(http, **here, dietaryTag="vegan") == [good]
    assert await _ids(http, **here, rating=4.5) == [good]
    assert await _ids(http, **here, maxPriceCents=999) == [good]
    assert await _ids(http, **here, openNow=True) == [first]
    assert await _ids(http, **here, search="masla dossa") == [first]
    assert await _ids(http, **nobody) == []


async def test_every_order_has_its_first(
    http: httpx.AsyncClient, street: tuple[Database, World]
) -> None:
    database, world = street
    far = await _open(
        database, world, latitude=world.kitchen.latitude + 0.03, rating=5.0, prep_minutes=30
    )
    slow = await _open(database, world, rating=3.0, total_orders=9, prep_minutes=90)
    here, near = _here(world), world.chef.id

    assert await _ids(http, **here) == [far, near, slow]
    assert await _ids(http, **here, sort="popularity") == [slow, *sorted((near, far))]
    assert await _ids(http, **here, sort="delivery_time") == [near, far, slow]
    assert await _ids(http, **here, sort="distance") == [*sorted((near, slow)), far]


async def test_names_come_before_dishes_and_dishes_before_descriptions(
    http: httpx.AsyncClient, street: tuple[Database, World]
) -> None:
    database, world = street
    told = await _open(database, world, description="Quinoa, daily.", rating=5.0)
    dish = await _open(
        database, world, rating=1.0, dish={"name": "Quinoa bowl", "price_cents": 900}
    )
    named = await _open(database, world, business_name="The Quinoas", rating=0.5)

    answer = await http.get("/chefs", params={**_here(world), "search": "quinoa"})

    found = answer.json()["data"]
    assert [UUID(chef["id"]) for chef in found] == [named, dish, told]
    assert [chef["matchingDishes"] for chef in found] == [[], ["Quinoa bowl"], []]
    assert [chef["distanceKm"] for chef in found] == [0, 0, 0]
    assert [chef["deliveryMinutes"] for chef in found] == [20, 20, 20]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"sort": "popularity"},
        {"sort": "delivery_time"},
        {"sort": "distance"},
        {"search": "noodle"},
    ],
)
async def test_page_by_page_everybody_comes_once_and_in_order(
    http: httpx.AsyncClient, street: tuple[Database, World], asked: dict[str, str]
) -> None:
    database, world = street
    dice = random.Random(2)
    for number in range(11):
        await _open(
            database,
            world,
            business_name="Noodle Bar" if number % 3 == 0 else "Bar",
            description="noodles",
            rating=float(dice.randint(3, 5)),
            total_orders=dice.randint(0, 2),
            latitude=world.kitchen.latitude + dice.choice((0, 0.01, 0.02)),
        )
    question = {**_here(world), **asked}
    whole = await _ids(http, **question, limit=100)

    seen: list[UUID] = []
    cursor: dict[str, Any] = {}
    while True:
        page = (await http.get("/chefs", params={**question, **cursor, "limit": 3})).json()
        seen += [UUID(chef["id"]) for chef in page["data"]]
        if page["nextCursor"] is None:
            break
        assert len(page["data"]) == 3
        cursor = {"cursor": page["nextCursor"]}

    assert seen == whole
    assert len(set(seen)) == len(seen) == (11 if "search" in asked else 12)


async def test_nearby_the_nearest_come_first_with_their_distance(
    http: httpx.AsyncClient, street: tuple[Database, World]
) -> None:
    database, world = street
    there = Point(world.kitchen.latitude + 0.05, world.kitchen.longitude)
    far = await _open(database, world, latitude=there.latitude, service_radius_km=0.5)
    here = _here(world)

    wide = (await http.get("/chefs/nearby", params=here)).json()["data"]
    close = (await http.get("/chefs/nearby", params={**here, "radiusKm": 5})).json()["data"]
    first = (await http.get("/chefs/nearby", params={**here, "limit": 1})).json()
    second = await http.get(
        "/chefs/nearby", params={**here, "limit": 1, "cursor": first["nextCursor"]}
    )

    assert [UUID(chef["id"]) for chef in wide] == [world.chef.id, far]
    assert wide[1]["distanceKm"] == pytest.approx(distance_km(world.kitchen, there), abs=1e-3)
    assert [UUID(chef["id"]) for chef in close] == [world.chef.id]
    assert [chef["id"] for chef in second.json()["data"]] == [str(far)]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"latitude": 1}, "half_a_position"),
        ({"sort": "distance"}, "position_needed"),
        ({"sort": "relevance"}, "nothing_searched"),
        ({"sort": "beauty"}, "invalid_request"),
        ({"limit": 101}, "invalid_request"),
        ({"rating": "nan"}, "invalid_request"),
        ({"search": "a\x00b"}, "invalid_request"),
        ({"page": 2}, "invalid_request"),
        ({"cursor": "x"}, "invalid_cursor"),
        ({"cursor": "W10"}, "invalid_cursor"),
        ({"cursor": "bnVsbA"}, "invalid_cursor"),
        ({"cursor": "WyJhIiwxZTk5OSwiMDE5OGMwZGUiXQ"}, "invalid_cursor"),
    ],
)
async def test_what_cannot_be_asked_is_refused(
    http: httpx.AsyncClient, asked: dict[str, Any], code: str
) -> None:
    answer = await http.get("/chefs", params=asked)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_cursor_of_another_list_or_a_changed_one_is_refused(
    http: httpx.AsyncClient, street: tuple[Database, World]
) -> None:
    database, world = street
    await _open(database, world)
    here = _here(world)
    cursor = (await http.get("/chefs", params={**here, "limit": 1})).json()["nextCursor"]
    forged = cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]

    for asked in (
        {"cursor": cursor},
        {**here, "cursor": cursor, "sort": "distance"},
        {**here, "cursor": forged},
    ):
        answer = await http.get("/chefs", params=asked)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


@pytest.mark.parametrize(
    "typed", ["'; drop table chefs; --", "a' | 'b", "\\", "(((", "*:*", "🍜", "!!"]
)
async def test_signs_are_no_words(http: httpx.AsyncClient, typed: str) -> None:
    answer = await http.get("/chefs", params={"search": typed})

    assert answer.status_code == 200


async def test_fifty_chefs_take_as_many_statements_as_one(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(49):
        await _open(play.database, play.world, dish={"name": "Masala Dosa", "price_cents": 900})
    asked = {**_here(play.world), "openNow": False, "search": "dosa", "sort": "rating"}
    async with facade(play.environment, monkeypatch) as (app, http):
        statements: list[str] = []
        engine = app.state.services.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
        counts = []
        for limit in (1, 50):
            statements.clear()
            answer = await http.get("/api/v1/chefs", params={**asked, "limit": limit})
            assert len(answer.json()["data"]) == limit
            counts.append(len(statements))

    assert counts == [3, 3]


async def test_after_a_change_the_page_and_the_menu_are_new(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    chef_id = play.world.chef.id
    async with facade(play.environment, monkeypatch) as (app, http):
        held: Services = app.state.services
        path = f"/api/v1/chefs/{chef_id}"
        for number in range(3):
            for _ in range(2):
                await http.get(path)
                await http.get(f"{path}/menu")
            async with kitchen_change(held, chef_id) as session:
                await session.execute(
                    update(Chef)
                    .where(col(Chef.id) == chef_id)
                    .values(business_name=f"Kitchen {number}")
                )
                await session.execute(
                    update(MenuItem)
                    .where(col(MenuItem.id) == play.world.dish_id)
                    .values(price_cents=1000 + number)
                )
            chef, menu = (await http.get(path)).json(), (await http.get(f"{path}/menu")).json()
            assert chef["businessName"] == f"Kitchen {number}"
            assert menu[0]["items"][0]["priceCents"] == 1000 + number


async def test_a_page_that_is_kept_asks_the_database_nothing_and_still_knows_the_hour(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with facade(play.environment, monkeypatch) as (app, http):
        path = f"/api/v1/chefs/{play.world.chef.id}"
        before = [await _page(http, path), (await http.get(f"{path}/menu")).json()]
        statements: list[str] = []
        engine = app.state.services.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))

        after = [await _page(http, path), (await http.get(f"{path}/menu")).json()]

    assert (after, statements) == (before, [])
    assert after[0]["isOpen"]


async def test_a_failed_change_changes_nothing_that_is_seen(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    chef_id = play.world.chef.id
    async with facade(play.environment, monkeypatch) as (app, http):
        path = f"/api/v1/chefs/{chef_id}"
        before = await _page(http, path)
        with pytest.raises(ZeroDivisionError):
            await _fail(app.state.services, chef_id)

        assert await _page(http, path) == before


async def _fail(held: Services, chef_id: UUID) -> None:
    async with kitchen_change(held, chef_id) as session:
        await session.execute(
            update(Chef).where(col(Chef.id) == chef_id).values(business_name="Nobody's")
        )
        raise ZeroDivisionError


async def _page(http: httpx.AsyncClient, path: str) -> dict[str, Any]:
    """A chef's page; when the kitchen opens is worked out for each answer."""
    page: dict[str, Any] = (await http.get(path)).json()
    page.pop("opensAt")
    return page


async def test_readers_and_writers_at_once_never_see_less_than_was_committed(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    chef_id, committed = play.world.chef.id, 0
    async with facade(play.environment, monkeypatch) as (app, http):

        async def writes() -> None:
            nonlocal committed
            for price in range(1, 31):
                async with kitchen_change(app.state.services, chef_id) as session:
                    await session.execute(
                        update(MenuItem)
                        .where(col(MenuItem.id) == play.world.dish_id)
                        .values(price_cents=price)
                    )
                committed = price

        async def reads() -> None:
            while committed < 30:
                least = committed
                menu = (await http.get(f"/api/v1/chefs/{chef_id}/menu")).json()
                assert menu[0]["items"][0]["priceCents"] % 1000 >= least

        await asyncio.gather(writes(), *(reads() for _ in range(4)))


async def test_words_without_a_point_come_page_by_page_too(
    http: httpx.AsyncClient, street: tuple[Database, World]
) -> None:
    database, world = street
    word = f"x{uuid7().hex[:12]}"
    opened = [
        await _open(
            database,
            world,
            business_name=f"{word} Bar" if number < 2 else "Bar",
            dish={"name": f"{word} bowl" if number < 4 else "Bowl", "price_cents": 900},
            description=word,
            rating=float(number),
        )
        for number in range(6)
    ]

    seen: list[UUID] = []
    asked: dict[str, Any] = {"search": word, "limit": 1}
    while True:
        page = (await http.get("/chefs", params=asked)).json()
        seen += [UUID(chef["id"]) for chef in page["data"]]
        if page["nextCursor"] is None:
            break
        asked["cursor"] = page["nextCursor"]

    assert seen == [opened[number] for number in (1, 0, 3, 2, 5, 4)]
