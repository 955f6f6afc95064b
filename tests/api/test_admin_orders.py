"""Operators find orders among all, and take lists away as spreadsheets."""

import csv
import io
from collections.abc import AsyncGenerator
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col

from api import spreadsheets
from domain.order_status import OrderStatus
from local.cast import Cast
from local.people import Unanswered
from schema.queries import users
from schema.tables import Chef, User, UserProfile
from tests.api.facade import facade
from tests.stories import MINUTE, NOON, Story

S = OrderStatus


async def found(play: Cast, **wanted: object) -> list[str]:
    page = await play.admin.get("/admin/orders", chefId=str(play.world.chef.id), **wanted)
    assert page["total"] == len(page["data"])
    return [order["id"] for order in page["data"]]


async def sheet(play: Cast, name: str, **wanted: Any) -> list[list[str]]:
    """A spreadsheet's lines, as any reader of RFC 4180 has them."""
    async with httpx.AsyncClient(base_url=play.environment["API_URL"]) as http:
        answer = await http.get(
            f"/api/v1/admin/{name}",
            params=wanted,
            headers={"Authorization": play.admin.authorization},
        )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    text = answer.content.decode("utf-8")
    assert text.count("\r\n") == text.count("\n")
    return list(csv.reader(io.StringIO(text, newline="")))


async def test_orders_are_found_by_whatever_is_known_of_them(play: Cast) -> None:
    delivered = await play.bring(S.DELIVERED)
    small = await play.bring(
        S.PENDING, items=[{"menuItemId": str(play.world.dish_id), "quantity": 1}]
    )
    both = [small["id"], delivered["id"]]

    assert await found(play) == both
    assert await found(play, status=["delivered", "cancelled"]) == [delivered["id"]]
    assert await found(play, market="austin") == both
    assert await found(play, market="elsewhere") == []
    assert await found(play, driverId=str(play.world.drivers[0].id)) == [delivered["id"]]
    assert await found(play, customerId=str(play.world.customer.user_id)) == both
    assert await found(play, customerId=str(uuid4())) == []
    assert await found(play, search=small["orderNumber"].lower()) == [small["id"]]
    assert await found(play, search="%") == []
    assert await found(play, minTotalCents=delivered["totalCents"]) == [delivered["id"]]
    assert await found(play, maxTotalCents=small["totalCents"]) == [small["id"]]
    assert await found(play, begin="2020-01-01") == both
    assert await found(play, end="2020-01-01") == []
    assert await found(play, late=True) == []
    for odd in ({"minTotalCents": -1}, {"chefId": "x"}, {"status": "lost"}, {"search": "\x00"}):
        with pytest.raises(Unanswered) as refused:
            await play.admin.get("/admin/orders", **odd)
        assert refused.value.status == 422


async def test_orders_are_found_by_the_zone_of_their_kitchen(play: Cast) -> None:
    order = await play.bring(S.READY_FOR_PICKUP)
    await play.offered(0, order)
    waiting = await play.admin.get("/admin/dispatch", limit=100)
    zone = next(o["zones"][0] for o in waiting["data"] if o["orderId"] == order["id"])

    assert await found(play, zone=zone) == [order["id"]]
    assert await found(play, zone="85489e37fffffff") == []


async def test_late_is_what_came_or_comes_later_than_was_promised(play: Cast) -> None:
    promised = {"estimated_delivery_at": NOON + 60 * MINUTE}
    late, punctual, on_its_way, gone = [
        await Story(play.database, play.world).begin(0, **promised) for _ in range(4)
    ]
    for story, minute in ((late, 61), (punctual, 59)):
        await story.cook(1, 2, 3)
        await story.step(S.IN_TRANSIT, 4, driver_id=play.world.drivers[0].id)
        # What is told on the way is another promise.
        await story.step(S.DELIVERED, minute, estimated_delivery_at=NOON + 90 * MINUTE)
    await on_its_way.cook(1, 2, 3)
    await gone.step(S.CANCELLED, 1)

    assert set(await found(play, late=True)) == {str(late.id), str(on_its_way.id)}


async def test_an_export_has_what_the_list_has(play: Cast) -> None:
    order = await play.bring(S.DELIVERED)
    await play.bring(S.PENDING)

    head, *lines = await sheet(
        play, "orders.csv", chefId=str(play.world.chef.id), status="delivered"
    )

    assert [len(line) for line in lines] == [len(head)]
    line = dict(zip(head, lines[0], strict=True))
    assert (line["id"], line["status"]) == (order["id"], "delivered")
    assert (line["totalCents"], line["chefName"]) == (str(order["totalCents"]), "Test Kitchen")


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("x")'])
async def test_no_cell_is_taken_for_a_formula(play: Cast, evil: str) -> None:
    async with play.database.write() as session:
        await session.execute(
            update(UserProfile)
            .where(col(UserProfile.user_id) == play.world.customer.user_id)
            .values(first_name=evil, last_name='O"Neil,\r\nJr.')
        )

    head, *lines = await sheet(play, "users.csv", search=play.world.customer.email)

    line = dict(zip(head, lines[0], strict=True))
    assert len(lines) == 1
    assert (line["firstName"], line["lastName"]) == (f"'{evil}", 'O"Neil,\r\nJr.')


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("users.csv", {}),
        ("orders.csv", {}),
        ("audit.csv", {}),
        ("payouts.csv", {"status": "paid"}),
        ("chefs.csv", {"status": "approved"}),
        ("drivers.csv", {"status": "approved"}),
    ],
)
async def test_every_list_is_exported(play: Cast, name: str, wanted: dict[str, Any]) -> None:
    await play.admin.put(
        f"/admin/users/{play.world.customer.user_id}", lastName="Otherwise", reason="-1"
    )

    head, *lines = await sheet(play, name, **wanted)

    assert {len(line) for line in lines} <= {len(head)}
    if name != "payouts.csv":
        assert lines or name == "orders.csv"
    for line in lines:
        assert not any(cell.startswith(("=", "+", "@")) for cell in line)


async def test_chefs_and_drivers_are_exported_by_what_they_are_called(play: Cast) -> None:
    async with play.database.read() as session:
        chef = await session.get_one(Chef, play.world.chef.id)
        user = await session.get_one(User, play.world.chef.user_id)
    _, *chefs = await sheet(play, "chefs.csv", search=user.email)
    _, *drivers = await sheet(play, "drivers.csv", search=play.world.drivers[0].email)

    assert [line[0] for line in chefs] == [str(chef.id)]
    assert [line[0] for line in drivers] == [str(play.world.drivers[0].id)]
    assert await sheet(play, "chefs.csv", search=user.email, status="pending") == [
        (await sheet(play, "chefs.csv"))[0]
    ]


async def test_an_export_is_read_by_a_cursor_a_few_rows_at_a_time(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheets, "_ROWS_AT_ONCE", 2)
    everybody = users.chosen(users.Wanted())

    answer = await spreadsheets.answer(
        play.database, "users.csv", ["email"], everybody, lambda row: [row[0].email]
    )
    chunks = [str(chunk) async for chunk in answer.body_iterator]

    emails = "".join(chunks).splitlines()[1:]
    assert play.world.customer.email in emails
    assert len(set(emails)) == len(emails) >= 6
    # Two lines each, and the header with the first two.
    assert {chunk.count("\r\n") for chunk in chunks[1:-1]} == {2}


async def test_an_export_that_is_not_read_to_its_end_gives_its_connection_back(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheets, "_ROWS_AT_ONCE", 1)
    # More often than there are connections.
    for _ in range(6):
        answer = await spreadsheets.answer(
            play.database,
            "users.csv",
            ["email"],
            users.chosen(users.Wanted()),
            lambda row: [row[0].email],
        )
        chunks = cast("AsyncGenerator[str, None]", answer.body_iterator)
        assert await anext(chunks)
        await chunks.aclose()


async def test_without_the_database_an_export_is_refused_before_it_begins(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = "postgresql://ridendine@127.0.0.1:1/none"
    async with facade(play.environment, monkeypatch, DATABASE_URL=nowhere) as (_, http):
        answer = await http.get(
            "/api/v1/admin/users.csv", headers={"Authorization": play.admin.authorization}
        )

    assert (answer.status_code, answer.json()["code"]) == (503, "temporarily_unavailable")
