"""Stripe's own schema of its API, held against what the stand-in says.

Strict beyond OpenAPI: a field that the schema does not know is an error, so nothing is made up.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FILE = Path(__file__).resolve().parents[3].parent / "shared/data/stripe/openapi-subset.json"


def available() -> bool:
    """Tell whether the schema is on this machine."""
    return FILE.exists()


def check(answer: dict[str, Any]) -> None:
    """Raise unless an object, a list, an event or an error is as Stripe's schema wants it."""
    if not available():
        return
    if "error" in answer:
        _validator("api_errors").validate(answer["error"])
    elif answer["object"] == "list":
        assert answer.keys() == {"object", "data", "has_more", "url"}
        for item in answer["data"]:
            check(item)
    elif "deleted" in answer:
        assert answer.keys() == {"id", "object", "deleted"}
    else:
        _validator(answer["object"]).validate(answer)
    if answer.get("object") == "event":
        check(answer["data"]["object"])


@cache
def document() -> dict[str, Any]:
    """Return the schema as published."""
    published: dict[str, Any] = json.loads(FILE.read_text())
    return published


@cache
def _components() -> dict[str, Any]:
    strict: dict[str, Any] = _strict(document()["components"])
    return strict


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": _components()}
    )


def _strict(node: Any) -> Any:
    """Rewrite OpenAPI's `nullable` for JSON Schema, and close every object."""
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    schema = {name: _strict(value) for name, value in node.items() if name != "nullable"}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        schema.setdefault("additionalProperties", False)
    if node.get("nullable") is True:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema
