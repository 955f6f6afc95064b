"""The operations of the facade, as its OpenAPI document has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi import FastAPI

from api.app import create_app
from api.permits import ANYONE
from domain.permissions import Permission, Role
from settings import Settings

# What belongs to somebody: for everybody else there is no such thing.
OWNED = {
    "order_id",
    "offer_id",
    "address_id",
    "notification_id",
    "device_id",
    "menu_id",
    "item_id",
    "cart_item_id",
    "payment_id",
    "webhook_id",
}
# Where a payee gives Stripe his details is his own, too, and so is a chef's answer to a review.
PAYEES = {
    "/chefs/{chef_id}/stripe/": Role.CHEF,
    "/drivers/{driver_id}/stripe/": Role.DRIVER,
    "/chef/reviews/": Role.CHEF,
}


@dataclass(frozen=True)
class Operation:
    """An operation, what it asks of its caller, and a body that it would take."""

    method: str
    path: str
    needs: frozenset[str]
    content_type: str | None
    body: Any
    body_schema: Mapping[str, Any]
    query_texts: tuple[str, ...]

    @property
    def roles(self) -> frozenset[Role]:
        """Who may call it."""
        if ANYONE in self.needs:
            return frozenset(Role)
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
            jwt_private_key="read when it is needed",
            stripe_api_key="sk_test_nothing",
        )
    )


@cache
def document() -> dict[str, Any]:
    """What the facade says of itself."""
    return facade().openapi()


@cache
def operations() -> dict[str, Operation]:
    """All operations by method and path."""
    return {
        f"{method.upper()} {path}": Operation(
            method.upper(),
            path,
            frozenset(said["x-permission"].split(" and ")),
            *_body(said),
            tuple(
                parameter["name"] for parameter in said.get("parameters", ()) if _is_text(parameter)
            ),
        )
        for path, methods in document()["paths"].items()
        for method, said in methods.items()
    }


def parameters(operation: Operation) -> set[str]:
    """The names of what an operation takes in its path, its query and its headers."""
    said = document()["paths"][operation.path][operation.method.lower()]
    return {parameter["name"] for parameter in said.get("parameters", ())}


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema itself, where only its name was given, or where it may be null."""
    for part in schema.get("anyOf", ()):
        if part.get("type") != "null":
            return resolved(part)
    if "$ref" in schema:
        named: Mapping[str, Any] = document()["components"]["schemas"][
            schema["$ref"].split("/")[-1]
        ]
        return named
    return schema


def is_free_text(schema: Mapping[str, Any]) -> bool:
    """Whether people may write there what they like, as far as the document says."""
    found = resolved(schema)
    return found.get("type") == "string" and not {"enum", "const", "format"} & set(found)


def _is_text(parameter: Mapping[str, Any]) -> bool:
    return parameter["in"] == "query" and is_free_text(parameter["schema"])


def _body(said: Mapping[str, Any]) -> tuple[str | None, Any, Mapping[str, Any]]:
    kinds: dict[str, Any] = said.get("requestBody", {}).get("content", {})
    if not kinds:
        return None, None, {}
    kind, content = next(iter(kinds.items()))
    schema = resolved(content.get("schema", {}))
    return kind, schema["examples"][0] if "examples" in schema else b"no picture", schema
