"""The OpenAPI document kept: whatever is sent to an operation, by whomever, the answer is one that
the document names, in the form that it names, and never a 5xx.
"""

from collections.abc import AsyncIterator, Iterator
from functools import cache

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
from tests.api.operations import Operation, document, operations

# What is sent to each operation, each of it by everybody.
EXAMPLES = 4

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

OPERATIONS = operations()


@cache
def described() -> BaseSchema:
    return schemathesis.openapi.from_dict(document())


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Servers of its own: admins who do whatever comes to mind disturb all others."""
    running = Stack.apart(tmp_path_factory.mktemp("contract"), DISPATCH_TICK_SECONDS="60")
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

    attempt()


def callers(house: House, operation: Operation) -> list[dict[str, str]]:
    """Somebody of each role who is let in, and somebody without a token."""
    roles = [role for role in Role if role in operation.roles]
    tokens = [house.insider(role).authorization for role in roles]
    return [{}, *({"Authorization": token} for token in tokens)]
