"""What chefs say of their kitchens, and what customers see of it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text, update
from sqlmodel import col

from domain.hours import WEEKDAYS
from domain.kitchens import MOST_PICTURES
from local.cast import Cast
from schema.tables import Chef
from tests.api.kitchens import refusal, send_picture
from tests.pictures import picture, pixels


async def written(play: Cast) -> str:
    """A digest of the kitchen's row."""
    async with play.database.read() as session:
        found = await session.scalar(
            text("SELECT md5(c::text) FROM chefs c WHERE id = :id"), {"id": play.world.chef.id}
        )
    return str(found)


async def seen(play: Cast) -> dict[str, Any]:
    """The kitchen as customers see it."""
    kitchen: dict[str, Any] = await play.customer.get(f"/chefs/{play.world.chef.id}")
    return kitchen


async def test_what_a_chef_says_of_the_kitchen_is_what_customers_see(play: Cast) -> None:
    said = {
        "businessName": "Meena's",
        "description": "Now with a garden.",
        "cuisineTypes": ["Tamil"],
        "specialties": ["Dosa"],
        "serviceRadiusKm": 8.5,
        "timezone": "Asia/Kolkata",
        "operatingHours": {"monday": {"open": "18:00", "close": "02:00"}},
        "hoursExceptions": {"2026-12-25": None},
        "minimumOrderCents": 500,
        "prepMinutes": 25,
    }

    own = await play.chef.put("/chef/profile", **said)

    shown = await seen(play)
    assert {name: shown[name] for name in said} == said
    assert {name: own[name] for name in said} == said
    assert not {"capacity", "email", "documents", "verificationStatus"} & set(shown)


async def test_what_is_left_out_stays_as_it_is(play: Cast) -> None:
    before = await seen(play)

    await play.chef.put("/chef/profile", description="Other words.")
    await play.chef.put("/chef/profile")

    after = await seen(play)
    moving = {"description", "opensAt"}
    assert after["description"] == "Other words."
    assert {k: v for k, v in after.items() if k not in moving} == {
        k: v for k, v in before.items() if k not in moving
    }
    await play.chef.put("/chef/profile", timezone="Asia/Kolkata")
    back = await play.chef.put("/chef/profile", timezone=None)
    assert back["timezone"] == "America/Chicago"


@pytest.mark.parametrize(
    "wrong",
    [
        {"serviceRadiusKm": 50.1},
        {"businessName": None},
        {"businessName": "  "},
        {"description": "x" * 2001},
        {"description": "a\x00b"},
        {"operatingHours": {"monday": {"open": "24:00", "close": "02:00"}}},
        {"operatingHours": {"mon\x00day": {"open": "20:00", "close": "02:00"}}},
        {"hoursExceptions": {"tomorrow": None}},
        {"timezone": "America/Gotham"},
        {"prepMinutes": 0},
        {"prepMinutes": 20.5},
        {"minimumOrderCents": -1},
        {"latitude": 30.0, "longitude": 20.0},
        {"address": "1 New Street", "latitude": 30.0},
        {"rating": 5},
        {"verificationStatus": "approved"},
    ],
)
async def test_a_kitchen_that_cannot_be_is_refused_and_stays_as_it_is(
    play: Cast, wrong: dict[str, object]
) -> None:
    before = await written(play)

    status, _ = await refusal(play.chef.put("/chef/profile", **wrong))

    assert status == 422
    assert await written(play) == before


async def test_a_day_off_closes_a_kitchen_that_would_be_open(play: Cast) -> None:
    now = datetime.now(UTC)
    away = {(now + timedelta(days=n)).date().isoformat(): None for n in (-1, 0, 1)}
    assert (await seen(play))["isOpen"]

    await play.chef.put("/chef/profile", timezone="UTC", hoursExceptions=away)

    shown = await seen(play)
    midnight = (now + timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert not shown["isOpen"]
    assert datetime.fromisoformat(shown["opensAt"]) == midnight
    assert await refusal(play.place()) == (409, "chef_closed")
    await play.chef.put("/chef/profile", hoursExceptions={})
    await play.place()


async def test_hours_are_by_the_kitchens_own_clock(play: Cast) -> None:
    hour = datetime.now(UTC).hour
    # Open by the clock of UTC; the market's is some hours behind.
    day = {"open": f"{hour:02}:00", "close": f"{(hour + 2) % 24:02}:00"}

    await play.chef.put(
        "/chef/profile", timezone="UTC", operatingHours=dict.fromkeys(WEEKDAYS, day)
    )
    own = await seen(play)
    await play.chef.put("/chef/profile", timezone=None)
    markets = await seen(play)

    assert own["isOpen"]
    assert not markets["isOpen"]


@pytest.mark.parametrize("switch", ["isOnline", "acceptingOrders"])
async def test_both_switches_are_needed_to_take_orders(play: Cast, switch: str) -> None:
    answer = await play.chef.put("/chef/availability", **{switch: False})

    assert answer[switch] is False
    assert (await seen(play))[switch] is False
    assert await refusal(play.place()) == (409, "chef_not_accepting")
    await play.chef.put("/chef/availability", **{switch: True})
    await play.place()


async def test_capacity_and_prep_time_are_kept(play: Cast) -> None:
    answer = await play.chef.put("/chef/availability", capacity=4, prepMinutes=35)

    assert answer == {
        "acceptingOrders": True,
        "isOnline": True,
        "capacity": 4,
        "prepMinutes": 35,
    }
    assert (await play.chef.get("/chef/profile"))["capacity"] == 4
    assert (await play.chef.put("/chef/availability", capacity=None))["capacity"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"acceptingOrders": "yes"},
        {"isOnline": None},
        {"capacity": 0},
        {"capacity": 1.5},
        {"prepMinutes": 0},
        {"prepMinutes": 1441},
        {"rating": 5},
    ],
)
async def test_an_availability_that_cannot_be_changes_nothing(
    play: Cast, wrong: dict[str, object]
) -> None:
    before = await written(play)

    assert await refusal(play.chef.put("/chef/availability", **wrong)) == (422, "invalid_request")

    assert await written(play) == before


async def test_what_cannot_be_opened_keeps_all_else_as_it_was(play: Cast) -> None:
    await play.admin.put(
        f"/admin/chefs/{play.world.chef.id}/verify", status="suspended", reason="a test"
    )
    before = await written(play)

    asked = play.chef.put("/chef/availability", acceptingOrders=True, prepMinutes=5)

    assert await refusal(asked) == (409, "chef_not_verified")
    assert await written(play) == before


@pytest.mark.parametrize(
    ("path", "field"),
    [("/chef/profile/image", "profileImageUrl"), ("/chef/profile/banner", "bannerImageUrl")],
)
async def test_a_picture_is_shown_replaced_and_taken_away(
    play: Cast, path: str, field: str
) -> None:
    first = (await send_picture(play, play.chef, "PUT", path)).json()
    second = (await send_picture(play, play.chef, "PUT", path, picture(number=2))).json()

    assert first[field] != second[field]
    assert (await seen(play))[field] == second[field]
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        seen_by_all = await http.get(second[field])
    assert seen_by_all.status_code == 200
    assert pixels(seen_by_all.content) == pixels(picture(number=2))
    for _ in range(2):
        assert (await play.chef.ask("DELETE", path))[field] is None
    assert (await seen(play))[field] is None


async def test_what_is_no_picture_is_not_shown(play: Cast) -> None:
    before = await written(play)

    for path, method in (
        ("/chef/profile/image", "PUT"),
        ("/chef/profile/banner", "PUT"),
        ("/chef/profile/kitchen-images", "POST"),
    ):
        refused = await send_picture(play, play.chef, method, path, b"<svg onload=alert(1)>")
        assert (refused.status_code, refused.json()["code"]) == (422, "not_a_photo")

    assert await written(play) == before


async def test_pictures_of_the_kitchen_come_and_go_one_by_one(play: Cast) -> None:
    path = "/chef/profile/kitchen-images"

    await asyncio.gather(
        *(send_picture(play, play.chef, "POST", path, picture(number=n % 3)) for n in range(6))
    )
    urls = (await seen(play))["kitchenImageUrls"]
    name = urls[0].rsplit("/", 1)[1]
    left = await play.chef.ask("DELETE", f"{path}/{name}")

    assert len(urls) == len(set(urls)) == 3
    assert left["kitchenImageUrls"] == urls[1:]
    assert await refusal(play.chef.ask("DELETE", f"{path}/{name}")) == (404, "not_found")


async def test_a_kitchen_has_so_many_pictures_and_no_more(play: Cast) -> None:
    async with play.database.write() as session:
        await session.execute(
            update(Chef)
            .where(col(Chef.id) == play.world.chef.id)
            .values(
                kitchen_image_keys=[f"public/{UUID(int=n)}/x.png" for n in range(MOST_PICTURES)]
            )
        )

    one_more = await send_picture(play, play.chef, "POST", "/chef/profile/kitchen-images")

    assert (one_more.status_code, one_more.json()["code"]) == (409, "too_many_pictures")
    assert len((await seen(play))["kitchenImageUrls"]) == MOST_PICTURES


async def test_changes_that_come_at_once_are_all_made(play: Cast) -> None:
    await asyncio.gather(
        play.chef.put("/chef/profile", description="one"),
        play.chef.put("/chef/profile", specialties=["two"]),
        play.chef.put("/chef/availability", prepMinutes=33),
        play.chef.put("/chef/availability", isOnline=False),
        play.chef.put("/chef/profile", minimumOrderCents=4),
    )

    kitchen = await play.chef.get("/chef/profile")
    assert (kitchen["description"], kitchen["specialties"]) == ("one", ["two"])
    assert (kitchen["prepMinutes"], kitchen["isOnline"], kitchen["minimumOrderCents"]) == (
        33,
        False,
        4,
    )
