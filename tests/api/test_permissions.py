"""Who may do what: every operation of the OpenAPI document, tried by everybody who may not, and
nothing changed by it.
"""

from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from api.permits import ANYONE, declared
from domain.permissions import Permission, Role
from local.cast import Cast
from local.people import Person
from tests.api.house import House, settled
from tests.api.operations import Operation, facade, operations

# Tables without an order in which orders elsewhere write while they go on by themselves.
MOVING = {
    "ledger_postings",
    "live_outbox",
    "notification_deliveries",
    "notifications",
    "order_numbers",
    "stripe_events",
}


OPERATIONS = operations()


def test_every_route_declares_what_it_needs() -> None:
    known = {permission.value.name for permission in Permission} | {ANYONE}

    routes = declared(facade())

    assert len(routes) >= len(OPERATIONS)
    assert {route: needs for route, needs in routes.items() if not needs} == {}
    assert {name for needs in routes.values() for name in needs} <= known


@pytest.fixture(scope="module")
async def house(environment: Mapping[str, str]) -> AsyncIterator[House]:
    async with settled(environment) as found:
        yield found


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
        found = await session.execute(text(_everything()), chef)
        # PostgreSQL may read several tables at once, and is through with them in any order.
        return sorted((name, digest or "") for name, digest in found)


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
