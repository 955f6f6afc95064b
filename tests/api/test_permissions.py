"""Who may do what: every operation of the OpenAPI document, tried by everybody who may not, and
nothing changed by it.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlmodel import SQLModel

from api.app import create_app
from api.permits import ANYONE, declared
from domain.order_status import OrderStatus
from domain.permissions import Permission, Role
from local.cast import Cast, cast
from local.people import Person
from settings import Settings
from tests.api import disputes

S = OrderStatus

# What belongs to somebody: for everybody else there is no such thing.
OWNED = {"order_id", "offer_id"}
# Where a payee gives Stripe his details is his own, too.
PAYEES = {"/chefs/{chef_id}/stripe/": Role.CHEF, "/drivers/{driver_id}/stripe/": Role.DRIVER}

# Tables without an order in which orders elsewhere write while they go on by themselves.
MOVING = {"notifications", "order_numbers", "ledger_postings", "stripe_events"}


@dataclass(frozen=True)
class Operation:
    """An operation, what it asks of its caller, and a body that it would take."""

    method: str
    path: str
    needs: frozenset[str]
    content_type: str | None
    body: Any

    @property
    def roles(self) -> frozenset[Role]:
        """Who may call it."""
        held = [p.roles for p in Permission if p.value.name in self.needs]
        return frozenset.intersection(*held)

    @property
    def is_owned(self) -> bool:
        """Whether it is about something that belongs to somebody."""
        return any(f"{{{name}}}" in self.path for name in OWNED) or self.payee is not None

    @property
    def payee(self) -> Role | None:
        """Whose way to his money it is, if it is that."""
        return next((role for part, role in PAYEES.items() if part in self.path), None)


@cache
def facade() -> FastAPI:
    """The facade, connected to nothing."""
    return create_app(
        Settings(
            database_url="postgresql://nobody@localhost/nowhere",
            redis_url="redis://localhost",
            storage_url="file:///nowhere",
            jwt_secret="a secret of at least thirty-two characters",
            stripe_api_key="sk_test_nothing",
        )
    )


@cache
def document() -> dict[str, Any]:
    return facade().openapi()


def operations() -> dict[str, Operation]:
    return {
        f"{method.upper()} {path}": Operation(
            method.upper(), path, frozenset(said["x-permission"].split(" and ")), *_body(said)
        )
        for path, methods in document()["paths"].items()
        for method, said in methods.items()
    }


def _body(said: Mapping[str, Any]) -> tuple[str | None, Any]:
    kinds: dict[str, Any] = said.get("requestBody", {}).get("content", {})
    if not kinds:
        return None, None
    kind, content = next(iter(kinds.items()))
    schema = content.get("schema", {})
    named = schema.get("$ref") or next(
        (part["$ref"] for part in schema.get("anyOf", []) if "$ref" in part), None
    )
    if named is None:
        return kind, b"no picture"
    return kind, document()["components"]["schemas"][named.rsplit("/", 1)[1]]["examples"][0]


OPERATIONS = operations()


def test_every_route_declares_what_it_needs() -> None:
    known = {permission.value.name for permission in Permission} | {ANYONE}

    routes = declared(facade())

    assert len(routes) >= len(OPERATIONS)
    assert {route: needs for route, needs in routes.items() if not needs} == {}
    assert {name for needs in routes.values() for name in needs} <= known


@dataclass(frozen=True)
class House:
    """Two casts that have nothing to do with each other, and what belongs to the first."""

    play: Cast
    strangers: Cast
    ids: Mapping[str, str]

    def insider(self, role: Role) -> Person:
        """Somebody of the first cast."""
        return _one_of(self.play, role)

    def stranger(self, role: Role) -> Person:
        """Somebody of the second."""
        return _one_of(self.strangers, role)


@pytest.fixture(scope="module")
async def house(environment: Mapping[str, str]) -> AsyncIterator[House]:
    async with cast(environment) as play, cast(environment, drivers=1) as strangers:
        order = await play.bring(S.READY_FOR_PICKUP)
        offer = await play.offered(0, order)
        # With a driver it stays as it is until he moves it on.
        await play.drivers[0].post(f"/delivery/offers/{offer['id']}/accept")
        yield House(
            play,
            strangers,
            {
                "order_id": order["id"],
                "offer_id": offer["id"],
                "chef_id": str(play.world.chef.id),
                "driver_id": str(play.world.drivers[0].id),
                "dispute_id": await disputes.opened(play, order),
                "code": await promo_code(play),
                "day": "2026-01-31",
                "movement_id": await movement_of(play, order),
                "kind": "chef",
                "payee_id": str(play.world.chef.id),
                "case_id": str(uuid4()),
                "document_id": await document_of(play.drivers[0]),
                "request_id": str(uuid4()),
            },
        )


@pytest.mark.parametrize("name", [n for n, o in OPERATIONS.items() if o.needs != {ANYONE}])
async def test_whoever_may_not_is_refused_and_nothing_changes(house: House, name: str) -> None:
    operation = OPERATIONS[name]
    before = await everything(house.play)

    assert await send(house, None, operation) == 401
    for role in Role:
        insider, stranger = house.insider(role), house.stranger(role)
        if role not in operation.roles:
            assert await send(house, insider, operation) == 403, role
            assert await send(house, stranger, operation) == 403, role
        elif operation.is_owned and role is not Role.ADMIN:
            assert await send(house, stranger, operation) == 404, role
            if operation.payee not in {None, role}:
                assert await send(house, insider, operation) == 404, role

    assert await everything(house.play) == before


async def send(house: House, person: Person | None, operation: Operation) -> int:
    headers = {"Authorization": person.authorization} if person else {}
    sent: dict[str, Any] = {"json": operation.body}
    if isinstance(operation.body, bytes):
        sent = {"content": operation.body}
        headers["Content-Type"] = operation.content_type or ""
    async with httpx.AsyncClient(base_url=house.play.environment["API_URL"]) as http:
        answer = await http.request(
            operation.method, operation.path.format(**house.ids), headers=headers, **sent
        )
    assert answer.headers["content-type"] == "application/problem+json", operation
    return answer.status_code


async def everything(play: Cast) -> list[tuple[str, str]]:
    """A digest of all that could be changed; orders elsewhere go on by themselves meanwhile."""
    chef = {"chef_id": play.world.chef.id}
    async with play.database.read() as session:
        return [(row[0], row[1]) for row in await session.execute(text(_everything()), chef)]


@cache
def _everything() -> str:
    here = "order_id IN (SELECT id FROM orders WHERE chef_id = :chef_id)"
    wheres = {
        table.name: "chef_id = :chef_id" if table.name == "orders" else here
        for table in SQLModel.metadata.sorted_tables
        if table.name == "orders" or "order_id" in table.columns
    }
    return " UNION ALL ".join(
        f"SELECT '{table.name}', md5(string_agg(t::text, ',' ORDER BY t::text))"  # noqa: S608
        f" FROM {table.name} t WHERE {wheres.get(table.name, 'true')}"
        for table in SQLModel.metadata.sorted_tables
        if table.name not in MOVING
    )


async def promo_code(play: Cast) -> str:
    """A code that is there to be changed."""
    terms = {"discountType": "fixed", "discountValue": 500, "reason": "to be tried"}
    made = await play.admin.post("/admin/promo-codes", code=f"P-{uuid4().hex}", **terms)
    return str(made["code"])


async def movement_of(play: Cast, order: dict[str, Any]) -> str:
    """What the order's payment has booked."""
    found = await play.admin.get("/admin/ledger/movements", orderId=order["id"])
    return str(found["data"][0]["id"])


async def document_of(driver: Person) -> str:
    """A document that is there to be looked at."""
    handed_in = await driver.post(
        "/delivery/documents", type="identity", fileUrl="https://files.example.com/me.jpg"
    )
    return str(handed_in["id"])


def _one_of(people: Cast, role: Role) -> Person:
    match role:
        case Role.CUSTOMER:
            return people.customer
        case Role.CHEF:
            return people.chef
        case Role.DRIVER:
            return people.drivers[0]
        case Role.ADMIN:
            return people.admin
