"""The pages on which admins read tables: for admins alone, and for reading alone."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import SQLModel, col

from api import db_admin
from domain.order_status import OrderStatus
from local.cast import Cast
from local.world import PASSWORD, Somebody
from schema import tables
from schema.tables import User
from tests.api.facade import facade

PATH = db_admin.PATH


@pytest.fixture
async def browser(play: Cast, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """At the facade, by TLS: the cookie goes no other way."""
    async with facade(play.environment, monkeypatch, PUBLIC_BASE_URL="https://facade") as (app, _):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://facade") as http:
            yield http


async def enter(
    browser: httpx.AsyncClient, who: Somebody, password: str = PASSWORD
) -> httpx.Response:
    return await browser.post(f"{PATH}/login", data={"username": who.email, "password": password})


def is_sent_to_the_login(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.headers.get("location")) == (303, f"{PATH}/login")


PAGES = ("/", "/user/list", "/order/list", "/user/create", "/user/edit/1")


async def test_nobody_reads_without_a_login(browser: httpx.AsyncClient) -> None:
    for page in PAGES:
        assert is_sent_to_the_login(await browser.get(PATH + page)), page
    assert (await browser.get(f"{PATH}/login")).status_code == 200


async def test_who_is_no_admin_or_has_the_wrong_password_is_not_let_in(
    play: Cast, browser: httpx.AsyncClient
) -> None:
    world = play.world
    for who in (world.customer, world.chef, world.drivers[0]):
        assert (await enter(browser, who)).status_code == 400
        assert is_sent_to_the_login(await browser.get(f"{PATH}/user/list"))
    assert (await enter(browser, world.admin, "guessed")).status_code == 400
    for words in ({}, {"username": "a\x00", "password": "b"}, {"username": "a" * 600}):
        assert (await browser.post(f"{PATH}/login", data=words)).status_code == 400
    assert is_sent_to_the_login(await browser.get(f"{PATH}/user/list"))


async def test_an_admin_reads_a_list_and_a_row(play: Cast, browser: httpx.AsyncClient) -> None:
    entered = await enter(browser, play.world.admin)
    assert (entered.status_code, entered.headers["location"]) == (303, f"{PATH}/")
    cookie = entered.headers["set-cookie"].lower()
    for said in ("secure", "httponly", "samesite=strict", f"path={PATH}", "max-age=3600"):
        assert said in cookie

    listed = await browser.get(f"{PATH}/user/list?sortBy=created_at&sort=desc")
    row = await browser.get(f"{PATH}/user/details/{play.world.customer.user_id}")

    assert listed.status_code == row.status_code == 200
    assert play.world.customer.email in row.text
    assert (await browser.get(f"{PATH}/statics/css/main.css")).status_code == 200
    for address in ("https://cdn", "http://cdn", "googleapis", "unpkg", "jsdelivr"):
        assert address not in listed.text


async def test_what_is_not_there_is_not_found(play: Cast, browser: httpx.AsyncClient) -> None:
    await enter(browser, play.world.admin)
    for page in (
        "/user/details/no-id",
        f"/user/details/{uuid4()}",
        "/wrong-code/list",
        "/idempotency-key/list",
        "/nothing/list",
        f"/user/{play.world.customer.user_id}/email/download/",
        "/user/export/csv",
        "/user/ajax/lookup",
    ):
        assert (await browser.get(PATH + page)).status_code == 404, page
    assert (await browser.get(f"{PATH}/user/list?sortBy=password_hash")).status_code == 400


async def test_nothing_is_written_through_the_pages(play: Cast, browser: httpx.AsyncClient) -> None:
    await enter(browser, play.world.admin)
    user_id = play.world.customer.user_id
    before = (await browser.get(f"{PATH}/user/details/{user_id}")).text
    for method, page in (
        ("GET", "/user/create"),
        ("POST", "/user/create"),
        ("GET", f"/user/edit/{user_id}"),
        ("POST", f"/user/edit/{user_id}"),
        ("DELETE", f"/user/delete?pks={user_id}"),
    ):
        answer = await browser.request(method, PATH + page)
        assert answer.status_code == 403, (method, page)
    assert (await browser.post(f"{PATH}/user/import")).status_code in {404, 405}
    assert (await browser.get(f"{PATH}/user/details/{user_id}")).text == before


async def test_no_page_shows_what_would_let_somebody_in(
    play: Cast, browser: httpx.AsyncClient
) -> None:
    order = await play.bring(OrderStatus.PENDING)
    await enter(browser, play.world.admin)
    async with play.database.read() as session:
        user = await session.get(User, play.world.customer.user_id)
    assert user is not None

    seen = [
        (await browser.get(f"{PATH}/{page}")).text
        for page in (
            f"user/details/{user.id}",
            f"order/details/{order['id']}",
            "user/list",
            "order/list",
            "stripe-event/list",
        )
    ]

    assert order["orderNumber"] in seen[1]
    for page in seen:
        assert "password_hash" not in page
        assert user.password_hash not in page
        assert "delivery_code" not in page
        assert "payload" not in page
        assert "_secret_" not in page


def test_every_column_that_could_let_somebody_in_is_hidden() -> None:
    columns = {
        (table.name, column.name)
        for table in SQLModel.metadata.sorted_tables
        for column in table.columns
    }
    secret = {
        ("users", "password_hash"),
        ("orders", "delivery_code"),
        ("wrong_codes", "code"),
        ("idempotency_keys", "key"),
        ("idempotency_keys", "request_digest"),
        ("chef_documents", "storage_key"),
        ("delivery_photos", "storage_key"),
        ("stripe_events", "payload"),
        ("devices", "token"),
        ("devices", "auth"),
    }
    assert secret <= {column for column in columns if db_admin.hidden(*column)}
    assert not db_admin.hidden("promo_codes", "code")
    assert tables.WrongCode.__tablename__ == "wrong_codes"


async def test_who_is_no_admin_any_more_is_out_at_once(
    play: Cast, browser: httpx.AsyncClient
) -> None:
    await enter(browser, play.world.admin)
    assert (await browser.get(f"{PATH}/user/list")).status_code == 200

    async with play.database.write() as session:
        await session.execute(
            update(User).where(col(User.id) == play.world.admin.user_id).values(is_active=False)
        )

    assert is_sent_to_the_login(await browser.get(f"{PATH}/user/list"))


async def test_a_login_is_good_for_so_long_and_can_be_ended(
    play: Cast, monkeypatch: pytest.MonkeyPatch, browser: httpx.AsyncClient
) -> None:
    await enter(browser, play.world.admin)
    assert is_sent_to_the_login(await browser.get(f"{PATH}/logout"))
    assert is_sent_to_the_login(await browser.get(f"{PATH}/user/list"))

    await enter(browser, play.world.admin)
    long_ago = db_admin.datetime.now(db_admin.UTC) + timedelta(minutes=61)

    class Later(db_admin.datetime):  # type: ignore[name-defined,misc]
        @classmethod
        def now(cls, _: object = None) -> object:
            return long_ago

    monkeypatch.setattr(db_admin, "datetime", Later)
    assert is_sent_to_the_login(await browser.get(f"{PATH}/user/list"))


async def test_a_cookie_that_we_did_not_sign_is_nobodys(browser: httpx.AsyncClient) -> None:
    browser.cookies.set("ridendine_admin", "eyJ1c2VyIjogIm1lIn0=.abc.def", path=PATH)
    assert is_sent_to_the_login(await browser.get(f"{PATH}/user/list"))
