"""One process of the facade: what it asks the database, what it says when something is away."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import anyio.to_thread
import pytest
from sqlalchemy import event
from temporalio.testing import WorkflowEnvironment

from api import driver_profiles, identities, social, views
from domain.order_status import OrderStatus
from domain.shifts import Shift
from local.cast import Cast
from local.ports import any_free
from local.servers import program
from schema.queries import shifts
from schema.tables import Driver
from tests.api.facade import AWAY, facade
from tests.frozen import frozen_server
from tests.workflows.room import know_search_attributes

S = OrderStatus


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


async def test_who_is_asking_and_for_what_is_found_out_without_a_thread(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_over: list[object] = []
    run = anyio.to_thread.run_sync

    def noting(work: Callable[..., object], *rest: Any, **how: Any) -> Awaitable[object]:
        handed_over.append(work)
        return run(work, *rest, **how)

    monkeypatch.setattr(anyio.to_thread, "run_sync", noting)
    async with facade(play.environment, monkeypatch) as (_, http):
        answer = await http.get(
            "/api/v1/orders?page=2", headers={"Authorization": play.customer.authorization}
        )

    assert answer.status_code == 200
    assert handed_over == []


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

    assert told.json() == {"accepted": 1, "refused": []}
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


@pytest.mark.parametrize(
    ("asked", "most"),
    [("/delivery/profile", 6), ("/admin/drivers?limit=100", 4), ("/admin/drivers/{id}", 5)],
)
async def test_looking_at_drivers_takes_as_many_statements_however_much_they_did(
    play: Cast, monkeypatch: pytest.MonkeyPatch, asked: str, most: int
) -> None:
    await play.bring(S.DELIVERED)
    who = play.drivers[0] if asked.startswith("/delivery") else play.admin
    async with facade(play.environment, monkeypatch) as (app, http):
        statements: list[str] = []
        engine = app.state.services.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))

        answer = await http.get(
            f"/api/v1{asked.format(id=play.world.drivers[0].id)}",
            headers={"Authorization": who.authorization},
        )

    assert answer.status_code == 200
    assert len(statements) == most
    assert all(statement.startswith("SELECT") for statement in statements)


async def test_where_drivers_need_a_shift_nobody_goes_on_duty_without_one(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver_id = play.world.drivers[0].id
    who = {"Authorization": play.drivers[0].authorization}

    async with facade(play.environment, monkeypatch, DRIVERS_NEED_SHIFT="true") as (_, http):

        async def go(available: bool) -> tuple[int, str | None]:
            answer = await http.put(
                "/api/v1/delivery/availability", json={"isAvailable": available}, headers=who
            )
            return answer.status_code, answer.json().get("code")

        assert await go(False) == (200, None)
        assert await go(True) == (409, "not_on_shift")
        now = datetime.now(UTC)
        async with play.database.write() as session:
            await shifts.replan(session, driver_id, [Shift(now, now + timedelta(hours=1))], now)
        assert await go(True) == (200, None)


async def test_without_a_webhook_secret_nobodys_signature_is_good(
    play: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = {"STRIPE_WEBHOOK_SECRET": "", "STRIPE_CONNECT_WEBHOOK_SECRET": ""}
    async with facade(play.environment, monkeypatch, **none) as (_, http):
        answer = await http.post("/api/v1/webhooks/stripe", content=b"{}")

    assert (answer.status_code, answer.json()["code"]) == (503, "not_set_up")


FORM = "application/x-www-form-urlencoded"
EVENT_STREAM = "text/event-stream"


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
    got = next(answer for code, answer in operation["responses"].items() if code[0] in "23")
    return all(
        all(shown.get("schema", {}).get("format") == "binary" for shown in side["content"].values())
        or any("example" in side["content"].get(kind, {}) for kind in ("text/csv", EVENT_STREAM))
        or _shows(
            document, side["content"].get("application/json", side["content"].get(FORM))["schema"]
        )
        for side in (sent, got)
        # Whoever is sent elsewhere is shown nothing here.
        if side and "content" in side
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
    areas = (driver_profiles, identities, social)
    answers = [s for area in areas for n, s in vars(area).items() if n.endswith("Out")]
    for shape in [*vars(views).values(), *answers]:
        extra = getattr(shape, "model_config", {}).get("json_schema_extra") or {}
        for example in extra.get("examples", []):
            assert shape.model_validate(example).model_dump(by_alias=True).keys() == example.keys()
