"""One process of the facade: what it asks the database, what it says when something is away."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event
from temporalio.testing import WorkflowEnvironment

from api import views
from api.app import create_app
from domain.order_status import OrderStatus
from local.cast import Cast
from local.ports import any_free
from local.servers import program
from schema.tables import Driver
from settings import Settings
from tests.frozen import frozen_server
from tests.workflows.room import know_search_attributes

S = OrderStatus


@asynccontextmanager
async def facade(
    environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, **changes: Any
) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """A facade in this process, with some of its settings changed."""
    changed = {**environment, **changes}
    monkeypatch.setenv("TEMPORAL_ADDRESS", changed["TEMPORAL_ADDRESS"])
    app = create_app(Settings.of(changed))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://facade") as http:
            yield app, http


async def test_looking_at_an_order_takes_three_statements_at_most(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await play.bring(S.DELIVERED)
    async with facade(play.environment, monkeypatch) as (app, http):
        statements: list[str] = []
        engine = app.state.services.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
        begun: list[object] = []
        event.listen(engine, "begin", begun.append)

        answer = await http.get(
            f"/api/v1/orders/{order['id']}",
            headers={"Authorization": play.customer.authorization},
        )

    assert answer.json()["id"] == order["id"]
    assert len(statements) == 2
    assert all(statement.startswith("SELECT") for statement in statements)


async def test_a_process_that_has_what_it_needs_is_ready(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with facade(play.environment, monkeypatch) as (_, http):
        assert (await http.get("/healthz")).json()["status"] == "ok"
        ready = await http.get("/readyz")

    assert ready.status_code == 200
    assert ready.json() == {
        "status": "ok",
        "checks": {"database": "ok", "redis": "ok", "temporal": "ok"},
    }


async def test_an_order_that_is_too_small_for_a_card_is_refused(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = f"ALL-{uuid4().hex}"
    await play.admin.post(
        "/admin/promo-codes", code=code, discountType="percent", discountValue=10_000, reason="all"
    )
    cheap = {"austin": {"rates": {"tax_bps": 0, "delivery_base_cents": 49}}}
    async with facade(play.environment, monkeypatch, MARKETS=cheap) as (_, http):
        for path in ("/api/v1/orders", "/api/v1/orders/quote"):
            answer = await http.post(
                path,
                json=play.world.basket(promoCode=code, tipCents=500),
                headers={"Authorization": play.customer.authorization},
            )
            assert (answer.status_code, answer.json()["code"]) == (422, "order_too_small")

    assert (await play.customer.get("/orders"))["total"] == 0


AWAY = {
    "database": ("DATABASE_URL", "postgresql://ridendine@127.0.0.1:{port}/none"),
    "redis": ("REDIS_URL", "redis://127.0.0.1:{port}/0"),
    "temporal": ("TEMPORAL_ADDRESS", "127.0.0.1:{port}"),
}


@pytest.mark.parametrize("name", list(AWAY))
@pytest.mark.parametrize("frozen", [False, True], ids=["away", "frozen"])
async def test_a_process_names_what_it_lacks(
    play: Cast, monkeypatch: pytest.MonkeyPatch, name: str, frozen: bool
) -> None:
    variable, address = AWAY[name]
    async with frozen_server() as silent:
        nowhere = address.format(port=silent if frozen else any_free())
        async with facade(play.environment, monkeypatch, **{variable: nowhere}) as (_, http):
            assert (await http.get("/healthz")).status_code == 200
            ready = await http.get("/readyz")

    assert ready.status_code == 503
    checks = ready.json()["checks"]
    assert [lacking for lacking, state in checks.items() if state != "ok"] == [name]


async def test_without_the_database_a_request_may_be_sent_again(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = AWAY["database"][1].format(port=any_free())
    async with facade(play.environment, monkeypatch, DATABASE_URL=nowhere) as (_, http):
        asked = await http.get(
            "/api/v1/orders", headers={"Authorization": play.customer.authorization}
        )

    assert (asked.status_code, asked.json()["code"]) == (503, "temporarily_unavailable")
    assert asked.headers["retry-after"] == "1"


async def test_without_redis_a_drivers_position_is_kept_in_the_database(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = AWAY["redis"][1].format(port=any_free())
    async with facade(play.environment, monkeypatch, REDIS_URL=nowhere) as (_, http):
        told = await http.post(
            "/api/v1/delivery/location",
            json={"latitude": 1.5, "longitude": 2.5},
            headers={"Authorization": play.drivers[0].authorization},
        )

    assert told.json() == {"accepted": True}
    async with play.database.read() as session:
        driver = await session.get(Driver, play.world.drivers[0].id)
    assert driver is not None
    assert (driver.current_latitude, driver.current_longitude) == (1.5, 2.5)


async def test_without_temporal_an_order_can_be_looked_at_and_nothing_is_promised(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await play.bring(S.PAYMENT_CONFIRMED)
    nowhere = AWAY["temporal"][1].format(port=any_free())
    async with facade(play.environment, monkeypatch, TEMPORAL_ADDRESS=nowhere) as (_, http):
        mine = {"Authorization": play.customer.authorization}
        seen = await http.get(f"/api/v1/orders/{order['id']}", headers=mine)
        asked = await http.put(f"/api/v1/orders/{order['id']}/cancel", headers=mine)

    assert seen.json()["status"] == S.PAYMENT_CONFIRMED
    assert (asked.status_code, asked.json()["code"]) == (503, "temporarily_unavailable")
    assert (await play.customer.get(f"/orders/{order['id']}"))["status"] == S.PAYMENT_CONFIRMED


async def test_without_workers_an_order_is_not_promised(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=program("temporal-test-server")
    ) as idle:
        address = idle.client.service_client.config.target_host
        await know_search_attributes(idle.client)
        async with facade(
            play.environment, monkeypatch, TEMPORAL_ADDRESS=address, ENGINE_TIMEOUT_SECONDS="1"
        ) as (_, http):
            asked = await http.post(
                "/api/v1/orders",
                json=play.world.basket(),
                headers={"Authorization": play.customer.authorization},
            )

    assert (asked.status_code, asked.json()["code"]) == (503, "temporarily_unavailable")


async def test_without_a_webhook_secret_nobodys_signature_is_good(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = {"STRIPE_WEBHOOK_SECRET": "", "STRIPE_CONNECT_WEBHOOK_SECRET": ""}
    async with facade(play.environment, monkeypatch, **none) as (_, http):
        answer = await http.post("/api/v1/webhooks/stripe", content=b"{}")

    assert (answer.status_code, answer.json()["code"]) == (503, "not_set_up")


async def test_every_operation_is_described_with_an_example(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with facade(play.environment, monkeypatch) as (_, http):
        document = (await http.get("/openapi.json")).json()

    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = f"{method.upper()} {path}"
            assert operation["summary"], name
            assert len(operation["description"]) > 20, name
            assert _has_example(document, operation), name


def _has_example(document: dict[str, object], operation: dict[str, object]) -> bool:
    """Whether a reader sees what to send, and what comes back."""
    sent = operation.get("requestBody")
    got = next(answer for code, answer in operation["responses"].items() if code[0] == "2")
    return all(
        all(kind.startswith("image/") for kind in side["content"])
        or _shows(document, side["content"]["application/json"]["schema"])
        for side in (sent, got)
        if side
    )


def _shows(document: dict[str, object], shape: dict[str, object]) -> bool:
    if "$ref" in shape:
        shape = document["components"]["schemas"][shape["$ref"].rsplit("/", 1)[1]]
    if "examples" in shape:
        return True
    if "anyOf" in shape:
        return any(_shows(document, option) for option in shape["anyOf"])
    if "items" in shape:
        return _shows(document, shape["items"])
    data = shape.get("properties", {}).get("data")
    return bool(data) and _shows(document, data)


def test_every_example_fits_its_shape() -> None:
    for shape in vars(views).values():
        extra = getattr(shape, "model_config", {}).get("json_schema_extra") or {}
        for example in extra.get("examples", []):
            assert shape.model_validate(example).model_dump(by_alias=True).keys() == example.keys()
