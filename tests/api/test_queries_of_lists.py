"""Every operation that lists something asks the database as often for fifty rows as for one.

Nothing is to be remembered here when a list is added: it is called as soon as the document has it,
and fails where `tests.api.many` knows nothing that could be in it.
"""

import csv
import io
import json
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from redis.asyncio import Redis
from sqlalchemy import event

from domain.permissions import Role
from local import world as worlds
from local.cast import token
from local.world import World
from schema.database import Database
from tests.api.facade import facade
from tests.api.many import crowd
from tests.api.operations import Operation, document, operations, parameters, resolved
from tests.databases import new_database

MANY = 50
# Emptied before every look, so nobody else may use it.
REDIS_DATABASE = 8

# Whose list it is, where several may look: whoever has the most in it.
CALLERS = (Role.CUSTOMER, Role.CHEF, Role.DRIVER, Role.ADMIN)

# What has to be asked for to see many rows, or to see them in another way, too.
QUESTIONS: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "GET /api/v1/chefs": (
        {},
        {"search": "dosa"},
        {"openNow": "true", "sort": "popularity"},
    ),
    "GET /api/v1/chef/earnings": ({}, {"format": "csv"}),
    "GET /api/v1/chef/payouts": ({}, {"format": "csv"}),
    "GET /api/v1/delivery/earnings": ({}, {"format": "csv"}),
    "GET /api/v1/delivery/payouts": ({}, {"format": "csv"}),
    "GET /api/v1/admin/ledger/accounts": ({"payees": "true"},),
    "GET /api/v1/admin/reviews": ({}, {"status": "visible"}),
}

# They never have fifty rows, whatever there is; they are counted all the same.
BOUNDED = {
    "GET /.well-known/jwks.json": "the keys of the settings, and no question to the database",
    "GET /api/v1/auth/social/identities": "one for each provider",
    "GET /api/v1/chef/analytics": "a row for each day of the period, and ten dishes",
    "GET /api/v1/admin/analytics": "a row for each day of the period, and ten chefs",
    "GET /api/v1/admin/dashboard": "a row for each hour and zone of the period",
    "GET /api/v1/admin/chefs/{chef_id}/prep-times": "a row for each load of a kitchen",
}


class Case(NamedTuple):
    """A list, and how it is asked for."""

    name: str
    question: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{name}={value}" for name, value in self.question)])


class Seen(NamedTuple):
    """An answer: how many rows it had, and what the database was asked for them."""

    status: int
    rows: int
    statements: list[str]


def has_rows(schema: Mapping[str, Any], within: frozenset[str] = frozenset()) -> bool:
    """Whether there is a list of objects somewhere in what a schema describes."""
    name = schema.get("$ref")
    if name in within:
        return False
    found = resolved(schema)
    within |= {name} if name else set()
    items = found.get("items")
    if items is not None and "properties" in resolved(items):
        return True
    parts = [*found.get("properties", {}).values(), *([items] if items else [])]
    return any(has_rows(part, within) for part in parts)


def is_list(operation: Operation) -> bool:
    """Whether an operation answers with rows: objects in JSON, lines, or files in a zip."""
    said = document()["paths"][operation.path][operation.method.lower()]
    answers: Mapping[str, Any] = said["responses"].get("200", {}).get("content", {})
    return any(
        kind in {"text/csv", "application/zip"} or has_rows(content.get("schema", {}))
        for kind, content in answers.items()
    )


LISTS = {
    name: operation
    for name, operation in operations().items()
    if operation.method == "GET" and is_list(operation)
}
CASES = [
    Case(name, tuple(question.items())) for name in LISTS for question in QUESTIONS.get(name, ({},))
]


@pytest.fixture(scope="module")
async def seen(
    environment: Mapping[str, str],
) -> AsyncIterator[tuple[Mapping[Case, Seen], Mapping[Case, Seen]]]:
    """What every list answers when there is one of everything, and when there are fifty."""
    own = {
        "DATABASE_URL": await new_database(environment["DATABASE_URL"], "ridendine_lists"),
        "REDIS_URL": environment["REDIS_URL"].rsplit("/", 1)[0] + f"/{REDIS_DATABASE}",
    }
    database, redis = Database(own["DATABASE_URL"], pool_size=2), Redis.from_url(own["REDIS_URL"])
    many = await crowd(database, await worlds.settle(database, drivers=1))
    answers = []
    for size in (1, MANY):
        await many.grow(size - many.size)
        own["MARKETS"] = json.dumps({"austin": {}} | {f"m{n}": {} for n in range(1, size)})
        with pytest.MonkeyPatch.context() as patch:
            async with facade(environment, patch, **own) as (app, http):
                looks = Looks(app, http, redis, environment, many.world, many.ids)
                answers.append({case: await looks.at(case) for case in CASES})
    yield answers[0], answers[1]
    await redis.aclose()
    await database.close()


class Looks(NamedTuple):
    """Somebody who calls every list of a facade and counts what it asks its database."""

    app: FastAPI
    http: httpx.AsyncClient
    redis: Redis
    environment: Mapping[str, str]
    world: World
    ids: Mapping[str, str]

    async def at(self, case: Case) -> Seen:
        """A list, as somebody sees it who looks for the first time."""
        operation = LISTS[case.name]
        role = next(role for role in CALLERS if role in operation.roles)
        login = {
            Role.CUSTOMER: self.world.customer,
            Role.CHEF: self.world.chef,
            Role.DRIVER: self.world.drivers[0],
            Role.ADMIN: self.world.admin,
        }[role]
        asked = dict(case.question)
        if "limit" in parameters(operation):
            asked["limit"] = "100"
        for name, value in self._point(operation).items():
            asked.setdefault(name, value)
        statements: list[str] = []

        def note(*said: Any) -> None:
            statements.append(said[2])

        engine = self.app.state.services.database.engine.sync_engine
        # No page that is kept answers in place of the database.
        await self.redis.flushdb()
        event.listen(engine, "before_cursor_execute", note)
        answer = await self.http.get(
            operation.path.format_map(self.ids),
            params=asked,
            headers={"Authorization": f"Bearer {token(self.environment, login)}"},
        )
        event.remove(engine, "before_cursor_execute", note)
        return Seen(answer.status_code, rows(answer) if answer.is_success else 0, statements)

    def _point(self, operation: Operation) -> Mapping[str, str]:
        point = {"latitude": self.world.door.latitude, "longitude": self.world.door.longitude}
        wanted = parameters(operation)
        return {name: str(value) for name, value in point.items() if name in wanted}


def rows(answer: httpx.Response) -> int:
    """How many rows are in an answer: of its lists, wherever they are, the one that has most."""
    kind = answer.headers["content-type"].split(";")[0]
    if kind == "text/csv":
        return len(list(csv.reader(io.StringIO(answer.text)))) - 1
    if kind == "application/zip":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
            files = [name for name in packed.namelist() if name.endswith(".json")]
            return max(len(json.loads(packed.read(name))) for name in files)
    return max(Counter(_rows(answer.json(), "")).values(), default=0)


def _rows(value: Any, place: str) -> Iterator[str]:
    """The place of every object that is in a list."""
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield place
            yield from _rows(item, f"{place}[]")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _rows(item, f"{place}.{name}")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_list_of_fifty_takes_as_many_statements_as_a_list_of_one(
    case: Case, seen: tuple[Mapping[Case, Seen], Mapping[Case, Seen]]
) -> None:
    one, many = seen[0][case], seen[1][case]

    assert (one.status, many.status) == (200, 200)
    if case.name not in BOUNDED:
        assert 1 <= one.rows < MANY <= many.rows
        assert one.statements
    assert len(many.statements) == len(one.statements), many.statements


def test_what_is_said_of_lists_is_said_of_lists_that_there_are() -> None:
    assert LISTS.keys() >= QUESTIONS.keys() | BOUNDED.keys()
