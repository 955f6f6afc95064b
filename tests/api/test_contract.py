"""The OpenAPI document kept: whatever is sent to an operation, by whomever, the answer is one that
the document names, in the form that it names, and never a 5xx.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import cache
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from domain.permissions import Role
from local.stack import Stack
from tests.api.house import House, settled
from tests.api.operations import Operation, document, is_free_text, operations, resolved
from tests.docs.problem_codes import codes
from tests.stacks import apart

# What is sent to each operation, each of it by everybody.
EXAMPLES = 6

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

# What other programs have been hurt by. It is a text like any other.
HARMFUL = (
    "'; DROP TABLE users; --",
    "1 OR 1=1",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}${7*7}",
    "\u202e\U0001f957",
)
# Longer than anything that people write, or nothing that a database can keep.
REFUSED = ("x" * 40_000, "a\x00b")
# What the answer calls the same is something else: the bank's word for why there is a dispute.
OTHERWISE = {("POST /api/v1/admin/disputes/{dispute_id}/concede", ("reason",))}

# Whatever is no token of ours has no session: logging out never fails.
ANYTHING_GOES = {"POST /api/v1/auth/logout"}

# What goes on for as long as the order does is read in test_live_track.
STREAMS = {"/api/v1/orders/{order_id}/track"}

PARAMETERS = re.compile(r"{(\w+)}")

Path = tuple[str | int, ...]

OPERATIONS = operations()
# Those that docs/api.md lists.
CODES = {code.name for code in codes()}


@cache
def described() -> BaseSchema:
    return schemathesis.openapi.from_dict(document())


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Servers of its own: admins who do whatever comes to mind disturb all others."""
    running = apart(tmp_path_factory.mktemp("contract"), DISPATCH_TICK_SECONDS="60")
    running.up()
    yield running
    running.reset()


@pytest.fixture(scope="module")
async def house(own_stack: Stack) -> AsyncIterator[House]:
    async with settled(own_stack.environment()) as found:
        yield found


@pytest.fixture(scope="module")
def connections() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_the_document_shows_gets_an_answer_that_it_names(
    house: House, connections: requests.Session, name: str
) -> None:
    """Its own examples, about things that are there, before anything else is tried on them."""
    operation = OPERATIONS[name]
    body = {} if operation.body is None else {"body": operation.body}
    case = described()[operation.path][operation.method].Case(
        path_parameters={key: house.ids[key] for key in PARAMETERS.findall(operation.path)},
        media_type=operation.content_type,
        **body,
    )
    for headers in callers(house, operation):
        answer = case.call(
            base_url=house.play.environment["API_URL"], session=connections, headers=headers
        )
        case.validate_response(answer, checks=CHECKS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_one_that_the_document_names(
    house: House, connections: requests.Session, name: str
) -> None:
    operation = OPERATIONS[name]
    declared = described()[operation.path][operation.method]
    sent = declared.as_strategy(GenerationMode.POSITIVE) | declared.as_strategy(
        GenerationMode.NEGATIVE
    )

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=sent, is_known=st.booleans())
    def attempt(case: Case, is_known: bool) -> None:
        if is_known:
            case.path_parameters = {
                name: house.ids.get(name, value) for name, value in case.path_parameters.items()
            }
        for headers in callers(house, operation):
            answer = case.call(
                base_url=house.play.environment["API_URL"], session=connections, headers=headers
            )
            case.validate_response(answer, checks=CHECKS)
            assert answer.status_code < 400 or answer.json()["code"] in CODES, answer.text

    attempt()


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_text_does_any_harm(house: House, connections: requests.Session, name: str) -> None:
    """It is kept and told as it is, or refused; one that is too long is always refused."""
    operation = OPERATIONS[name]
    path = house.play.environment["API_URL"] + operation.path.format(**house.ids)
    headers = callers(house, operation)[-1]
    for where, body in bodies(operation):
        for text in (*HARMFUL, *REFUSED):
            answer = connections.request(
                operation.method, path, headers=headers, json=filled(body, where, text)
            )
            check(answer, text, refused=REFUSED if name not in ANYTHING_GOES else REFUSED[:1])
            if answer.ok and (name, where) not in OTHERWISE:
                assert at(answer.json(), where) in {None, text, text.strip()}, where
    for parameter in operation.query_texts:
        for text in (*HARMFUL, *REFUSED):
            answer = connections.request(
                operation.method, path, headers=headers, params={parameter: text}
            )
            check(answer, text)


def check(answer: requests.Response, text: str, refused: tuple[str, ...] = REFUSED) -> None:
    assert answer.status_code < 500, answer.text
    # Nothing that a browser would run.
    kind = answer.headers["content-type"].partition(";")[0]
    assert kind in {"application/json", "application/problem+json", "text/csv"}, answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not (answer.ok and text in refused), text[:20]
    assert answer.ok or answer.json()["code"] in CODES, answer.text


def bodies(operation: Operation) -> Iterator[tuple[Path, Any]]:
    """Each text of an operation's body, and a body that has one there."""
    if isinstance(operation.body, dict):
        for where in texts(operation.body_schema, operation.body):
            yield where, operation.body


def texts(schema: Mapping[str, Any], example: Any) -> Iterator[Path]:
    found = resolved(schema)
    if is_free_text(found):
        yield ()
    for name, part in found.get("properties", {}).items():
        for below in texts(part, example.get(name) if isinstance(example, dict) else None):
            yield (name, *below)
    if "items" in found and isinstance(example, list) and example:
        for below in texts(found["items"], example[0]):
            yield (0, *below)


def filled(body: Any, where: Path, text: str) -> Any:
    """The same body with a text in one place."""
    if not where:
        return text
    step, *rest = where
    if isinstance(step, int):
        return [filled(body[0], tuple(rest), text), *body[1:]]
    below = body if isinstance(body, dict) else {}
    return {**below, step: filled(below.get(step), tuple(rest), text)}


def at(value: Any, where: Path) -> Any:
    """What an answer has in the same place; None where it has nothing there."""
    for step in where:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and len(value) > step else None
    return value


def callers(house: House, operation: Operation) -> list[dict[str, str]]:
    """Somebody of each role who is let in, and somebody without a token."""
    if operation.path in STREAMS:
        return [{}]
    roles = [role for role in Role if role in operation.roles]
    tokens = [house.insider(role).authorization for role in roles]
    return [{}, *({"Authorization": token} for token in tokens)]
