"""The OpenAPI document, beyond what FastAPI sees by itself."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from api.permits import declared
from schema.messages.base import Message

_REFERENCE = {"$ref": "#/components/schemas/Problem"}


class FieldProblem(Message):
    """What is wrong with one field of a request: `items.0.quantity`, or `body` for all of it."""

    field: str
    message: str


class ProblemOut(Message):
    """What went wrong (RFC 9457). `code` is stable and for programs, `detail` is for people; some
    codes bring members of their own.
    """

    model_config = ConfigDict(title="Problem", extra="allow")

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldProblem] | None = None


def operation_id(route: APIRoute) -> str:
    """What generated clients call an operation: `ordersPlaceOrder`."""
    return to_camel(f"{route.tags[0]}_{route.name}".lower().replace(" ", "_"))


def install(app: FastAPI) -> None:
    """Have the document name what operations need (`x-permission`), and how problems look."""
    written = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(app, written())
        return written()

    app.openapi = complete  # type: ignore[method-assign]


def _complete(app: FastAPI, document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    problem = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    for operations in document["paths"].values():
        for operation in operations.values():
            for answer in operation["responses"].values():
                content = answer.get("content", {}).get("application/problem+json")
                if content is not None:
                    content["schema"] = _REFERENCE
    for (path, method), needed in declared(app).items():
        operation = document["paths"].get(path, {}).get(method.lower())
        if operation is not None:
            operation["x-permission"] = " and ".join(needed)
