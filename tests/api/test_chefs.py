"""Looking for food."""

from collections.abc import Mapping

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col

from local.cast import Cast
from schema.tables import Chef, Verification

CITY = {"latitude": 30.2672, "longitude": -97.7431}


@pytest.fixture
async def http(environment: Mapping[str, str]) -> httpx.AsyncClient:
    async with httpx.AsyncClient(base_url=environment["API_URL"] + "/api/v1") as client:
        yield client


async def test_the_demo_city_has_chefs_the_best_rated_first(http: httpx.AsyncClient) -> None:
    page = (await http.get("/chefs", params={**CITY, "limit": 5})).json()

    ratings = [chef["rating"] for chef in page["data"]]
    assert ratings == sorted(ratings, reverse=True)
    assert page["data"][0]["businessName"] == "Meena's Kitchen"
    assert page["data"][0]["isOpen"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "PHO"}, ["Linh's Pho"]),
        ({"search": "post oak"}, ["Dawson Smokehouse"]),
        ({"cuisine": "tamil"}, ["Meena's Kitchen"]),
        ({"search": "100%"}, []),
        ({"search": "_"}, []),
    ],
)
async def test_chefs_are_found_by_words_and_cuisine(
    http: httpx.AsyncClient, query: dict[str, str], found: list[str]
) -> None:
    page = (await http.get("/chefs", params={**CITY, **query})).json()

    assert [chef["businessName"] for chef in page["data"]] == found


async def test_a_chef_and_his_menu(http: httpx.AsyncClient, play: Cast) -> None:
    chef_id = play.world.chef.id

    chef = (await http.get(f"/chefs/{chef_id}")).json()
    menus = (await http.get(f"/chefs/{chef_id}/menu")).json()

    assert (chef["businessName"], chef["serviceRadiusKm"]) == ("Test Kitchen", 10.0)
    assert menus[0]["items"][0] == {
        "id": str(play.world.dish_id),
        "name": "Masala Dosa",
        "description": "",
        "category": "main",
        "priceCents": 1000,
        "prepTimeMinutes": 20,
        "dietaryTags": [],
        "imageUrl": None,
        "isAvailable": True,
        "stockLeft": None,
        "optionGroups": [],
    }


async def test_a_chef_who_is_not_let_in_is_not_shown(http: httpx.AsyncClient, play: Cast) -> None:
    async with play.database.write() as session:
        await session.execute(
            update(Chef)
            .where(col(Chef.id) == play.world.chef.id)
            .values(verification_status=Verification.PENDING)
        )

    assert (await http.get(f"/chefs/{play.world.chef.id}")).status_code == 404
    assert (await http.get(f"/chefs/{play.world.chef.id}/menu")).status_code == 404
