"""What is held is told to whom it is about, and an account ends when its owner says so."""

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

from domain.order_status import OrderStatus
from domain.permissions import Role
from local import world as worlds
from local.cast import Cast
from local.people import Person, Unanswered
from schema.tables import Driver, Order, OrderStatusHistory, RefreshToken
from tests.api.elsewhere import App, somebody
from tests.api.identities import Identity, address, identity, introduce, regular, sociable

S = OrderStatus


@pytest.fixture
def me() -> Identity:
    return identity()


async def exported(play: Cast, person: Person) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        answer = await http.get(
            "/api/v1/users/me/export", headers={"Authorization": person.authorization}
        )
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {
            name.removesuffix(".json"): json.loads(archive.read(name))
            for name in archive.namelist()
            if name.endswith(".json")
        }


async def test_everything_is_exported_and_nothing_of_others(play: Cast, me: Identity) -> None:
    order = await regular(play, me)
    await sociable(play, me, order)

    files = await exported(play, play.customer)

    assert {
        "users",
        "user_profiles",
        "addresses",
        "favourites",
        "notification_preferences",
        "orders",
        "order_items",
        "order_messages",
        "order_status_history",
        "payments",
        "refund_requests",
        "notifications",
        "carts",
        "cart_items",
        "reviews",
        "review_reports",
        "social_identities",
        "refresh_tokens",
        "challenges",
    } <= set(files)
    assert len(files["reviews"]) == 2
    assert len(files["review_reports"]) == 1
    [who] = files["users"]
    assert (who["email"], "passwordHash" in who) == (play.customer.email, False)
    assert {row["id"] for row in files["orders"]} >= {order["id"]}
    assert all(row["customerId"] == who["id"] for row in files["orders"])
    assert len(files["order_status_history"]) == await steps_of(play)
    said = json.dumps(files)
    for words in (
        me.first,
        me.last,
        me.phone,
        me.street,
        f"ring at {me.last}",
        f"Cold, says {me.first}.",
    ):
        assert words in said
    others = [play.world.chef, play.world.admin, *play.world.drivers]
    assert not [other.email for other in others if other.email in said]
    assert str(play.world.kitchen.latitude) not in {
        str(row.get("pickupLatitude")) for row in files["orders"]
    }


async def steps_of(play: Cast) -> int:
    async with play.database.read() as session:
        found = await session.scalars(
            select(col(OrderStatusHistory.id))
            .join(Order, col(Order.id) == col(OrderStatusHistory.order_id))
            .where(col(Order.customer_id) == play.world.customer.user_id)
        )
        return len(found.all())


async def test_whoever_works_gets_his_record_and_no_customer(play: Cast, me: Identity) -> None:
    await introduce(play.customer, me)
    await play.bring(S.DELIVERED, deliveryAddress=await his_address(play, me))

    for person, record in ((play.chef, "chefs"), (play.drivers[0], "drivers")):
        files = await exported(play, person)
        assert record in files
        said = json.dumps(files)
        assert not [w for w in (me.first, me.last, me.street, play.customer.email) if w in said]


async def his_address(play: Cast, me: Identity) -> dict[str, Any]:
    door = play.world.door
    return address(me, latitude=door.latitude, longitude=door.longitude)


async def test_an_account_that_is_to_end_can_be_had_back(play: Cast) -> None:
    ending = await play.chef.ask("DELETE", "/users/me", {"password": worlds.PASSWORD})
    assert await play.chef.ask("DELETE", "/users/me", {"password": worlds.PASSWORD}) == ending
    assert (await play.chef.get("/users/me"))["deletion"] == ending
    # The kitchen is closed at once.
    with pytest.raises(Unanswered) as refused:
        await play.place()
    assert refused.value.code == "chef_not_accepting"

    for _ in range(2):
        assert (await play.chef.post("/users/me/restore"))["deletion"] is None

    assert (await play.chef.get("/users/me"))["deletion"] is None
    again = await play.chef.ask("DELETE", "/users/me", {"password": worlds.PASSWORD})
    assert again["eraseAt"] > ending["eraseAt"]


async def test_who_leaves_is_seen_to_be_closed_at_once(play: Cast) -> None:
    path = f"/chefs/{play.world.chef.id}"
    assert (await play.customer.get(path))["acceptingOrders"]

    await play.chef.ask("DELETE", "/users/me", {"password": worlds.PASSWORD})

    assert not (await play.customer.get(path))["acceptingOrders"]


async def test_a_driver_who_leaves_is_off_duty_at_once(play: Cast) -> None:
    driver_id = play.world.drivers[0].id

    await play.drivers[0].ask("DELETE", "/users/me", {"password": worlds.PASSWORD})

    async with play.database.read() as session:
        row = await session.get_one(Driver, driver_id)
    assert (row.is_available, row.on_duty_since) == (False, None)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"password": "not it"}, 403, "wrong_password"),
        ({}, 422, "password_needed"),
        ({"password": ""}, 422, "invalid_request"),
    ],
    ids=["wrong", "none", "empty"],
)
async def test_without_the_password_no_account_ends(
    play: Cast, body: Mapping[str, str], status: int, code: str
) -> None:
    with pytest.raises(Unanswered) as refused:
        await play.customer.ask("DELETE", "/users/me", body)

    assert (refused.value.status, refused.value.code) == (status, code)
    assert (await play.customer.get("/users/me"))["deletion"] is None


async def test_without_a_password_a_login_just_now_ends_an_account(play: Cast) -> None:
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        app = App(http)
        login = (await app.log_in("google", somebody())).json()
        # The same login, told by the token that came in exchange.
        again = await app.post("/auth/refresh", {"refreshToken": login["refreshToken"]})

        answer = await end_with(http, again.json()["accessToken"], {})
        same = await end_with(http, login["accessToken"], {})

    assert answer.status_code == 202, answer.text
    assert same.json() == answer.json()


async def test_without_a_password_neither_an_old_login_nor_a_guess_ends_an_account(
    play: Cast,
) -> None:
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        app = App(http)
        login = (await app.log_in("google", somebody())).json()
        await began(play, UUID(login["user"]["id"]), timedelta(minutes=10, seconds=1))
        refreshed = await app.post("/auth/refresh", {"refreshToken": login["refreshToken"]})
        token = refreshed.json()["accessToken"]

        answers = [await end_with(http, token, body) for body in ({}, {"password": "a guess"})]
        me = await http.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (403, "fresh_login_needed"),
        (403, "wrong_password"),
    ]
    assert me.json()["deletion"] is None


async def end_with(http: httpx.AsyncClient, token: str, body: Mapping[str, str]) -> httpx.Response:
    return await http.request(
        "DELETE", "/api/v1/users/me", json=body, headers={"Authorization": f"Bearer {token}"}
    )


async def began(play: Cast, user_id: UUID, ago: timedelta) -> None:
    """Somebody's only session began so long ago."""
    async with play.database.write() as session:
        row = (
            await session.scalars(select(RefreshToken).where(col(RefreshToken.user_id) == user_id))
        ).one()
        row.family_id = UUID(int=row.family_id.int - (int(ago.total_seconds() * 1000) << 80))


async def test_an_admin_stays(play: Cast) -> None:
    with pytest.raises(Unanswered) as refused:
        await play.admin.ask("DELETE", "/users/me", {"password": worlds.PASSWORD})

    assert (refused.value.status, refused.value.code) == (403, "forbidden")
    assert (await play.admin.get("/users/me"))["role"] == Role.ADMIN
