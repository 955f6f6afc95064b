"""The codes of all problems, read from the code that answers with them.

`make docs` writes them into docs/api.md.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from domain import choices, placing, promo, refunds, shifts, tracking
from providers import targets

PROJECT = Path(__file__).resolve().parents[2]
DOCUMENT = PROJECT / "docs" / "api.md"
BEGIN, END = "<!-- codes: written by `make docs` -->", "<!-- codes end -->"

# What makes a problem: its status (None: the first argument), where its code is, where its words.
MAKERS: Mapping[str, tuple[HTTPStatus | None, int, int]] = {
    "Problem": (None, 1, 2),
    "conflict": (HTTPStatus.CONFLICT, 0, 1),
    "invalid": (HTTPStatus.UNPROCESSABLE_ENTITY, 1, 2),
}
# What a workflow refuses with; the facade answers 409 with the name in its own spelling.
REFUSALS = {"refusal", "_refused", "refused"}
# What the facade asks to be sent again instead (`api.errors.refused`).
AGAIN = {"NotBegun", "StripeUnavailable"}
# Codes that are values of a rule: which, and what the facade answers with.
RULES: tuple[tuple[type[StrEnum], HTTPStatus], ...] = (
    (choices.Mistake, HTTPStatus.UNPROCESSABLE_ENTITY),
    (placing.Obstacle, HTTPStatus.CONFLICT),
    (promo.Reason, HTTPStatus.CONFLICT),
    (refunds.Objection, HTTPStatus.CONFLICT),
    (shifts.Mistake, HTTPStatus.UNPROCESSABLE_ENTITY),
    (tracking.Refusal, HTTPStatus.UNPROCESSABLE_ENTITY),
    (targets.Why, HTTPStatus.UNPROCESSABLE_ENTITY),
)
# What no call spells out: the server's own, and what is said of many things.
GENERAL = {
    "unauthorized": (HTTPStatus.UNAUTHORIZED, "the access token is missing, expired or not valid"),
    "forbidden": (HTTPStatus.FORBIDDEN, "this is for another role"),
    "not_found": (HTTPStatus.NOT_FOUND, "there is no such thing, or none that you may know of"),
    "method_not_allowed": (HTTPStatus.METHOD_NOT_ALLOWED, "the path does not know this method"),
    "body_too_large": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "a body is … bytes at most"),
    "invalid_request": (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "the request is not as described: `errors` names the fields",
    ),
    "offer_gone": (HTTPStatus.CONFLICT, "this offer is not open any more"),
    "illegal_transition": (
        HTTPStatus.CONFLICT,
        "the order cannot go there from where it is: `currentStatus`, `allowed`",
    ),
}


class Code(NamedTuple):
    """A code, the statuses that it comes with, and its words; what varies in them is `…`."""

    name: str
    statuses: frozenset[HTTPStatus]
    words: str

    @property
    def told(self) -> str:
        """The statuses as numbers."""
        return ", ".join(str(status.value) for status in sorted(self.statuses))


def codes() -> list[Code]:
    """All codes, in alphabetical order."""
    found: dict[str, tuple[set[HTTPStatus], list[str]]] = {}
    for name, status, words in (*_general(), *_of_rules(), *_spelled_out()):
        statuses, meanings = found.setdefault(name, (set(), []))
        statuses.add(status)
        if words and words not in meanings:
            meanings.append(words)
    return [
        Code(name, frozenset(statuses), meanings[0] if meanings else name.replace("_", " "))
        for name, (statuses, meanings) in sorted(found.items())
    ]


def table() -> str:
    """The codes as a table of Markdown."""
    rows = (f"| `{code.name}` | {code.told} | {code.words} |" for code in codes())
    return "\n".join(("| code | status | |", "| --- | --- | --- |", *rows))


def written(text: str) -> str:
    """A document with the table as it is now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _general() -> Iterator[tuple[str, HTTPStatus, str]]:
    for name, (status, words) in GENERAL.items():
        yield name, status, words


def _of_rules() -> Iterator[tuple[str, HTTPStatus, str]]:
    for kind, status in RULES:
        for member in kind:
            yield member.value, status, ""


def _spelled_out() -> Iterator[tuple[str, HTTPStatus, str]]:
    for path in sorted((PROJECT / "api").rglob("*.py")):
        module = ast.parse(path.read_text())
        makers = {**MAKERS, **_own_makers(module)}
        for call, name in _calls(module):
            if name in makers:
                yield from _made(call, *makers[name])
    for path in sorted((PROJECT / "workflows").rglob("*.py")):
        for call, name in _calls(ast.parse(path.read_text())):
            kind = call.args[0] if name in REFUSALS and call.args else None
            if isinstance(kind, ast.Constant) and kind.value not in AGAIN:
                words = _words(call.args[1]) if len(call.args) > 1 else ""
                yield _spelling(str(kind.value)), HTTPStatus.CONFLICT, words


def _own_makers(module: ast.Module) -> dict[str, tuple[HTTPStatus | None, int, int]]:
    """The functions of a module that take a code and make a problem of it."""
    found = {}
    for function in module.body:
        if isinstance(function, ast.FunctionDef):
            names = [argument.arg for argument in function.args.args]
            if "code" in names and "detail" in names:
                for call, name in _calls(function):
                    if name in MAKERS:
                        status = MAKERS[name][0] or _status(call.args[0])
                        found[function.name] = (status, names.index("code"), names.index("detail"))
    return found


def _made(
    call: ast.Call, status: HTTPStatus | None, code: int, words: int
) -> Iterator[tuple[str, HTTPStatus, str]]:
    if len(call.args) <= max(code, words):
        return
    named, status = call.args[code], status or _status(call.args[0])
    if isinstance(named, ast.Constant) and status is not None:
        yield str(named.value), status, _words(call.args[words])


def _calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
            if name is not None:
                yield node, name


def _status(argument: ast.expr) -> HTTPStatus | None:
    name = argument.attr if isinstance(argument, ast.Attribute) else ""
    return HTTPStatus.__members__.get(name)


def _words(argument: ast.expr) -> str:
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    if isinstance(argument, ast.JoinedStr):
        parts = (str(p.value) if isinstance(p, ast.Constant) else "…" for p in argument.values)
        return "".join(parts)
    return ""


def _spelling(kind: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text()))
