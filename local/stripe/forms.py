"""Form-encoded parameters with Stripe's bracket nesting: `shipping[address][city]=…`, `expand[]=…`.

A list and a hash look alike until it is known which of the two a parameter is, so both become a
dict here (a list under the keys "0", "1", …) and `params.py` tells them apart.
"""

import re
from typing import TypeAlias
from urllib.parse import parse_qsl

from local.stripe.errors import InvalidParameter

FormValue: TypeAlias = "str | Form"
Form: TypeAlias = dict[str, FormValue]

NAME = re.compile(r"(?P<first>[^\[\]]+)(?P<rest>(?:\[[^\[\]]*\])*)")


def parse(encoded: str) -> Form:
    """Return the nested parameters of a query string or of a form-encoded body."""
    form: Form = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        _put(form, name, value)
    return form


def _put(form: Form, name: str, value: str) -> None:
    first, *rest = _path(name)
    target, key = form, first
    for step in rest:
        inner = target.setdefault(key, {})
        if isinstance(inner, str):
            raise InvalidParameter(f"Invalid parameter encoding: {name}", param=first)
        target, key = inner, step or str(len(inner))
    if isinstance(target.get(key), dict):
        raise InvalidParameter(f"Invalid parameter encoding: {name}", param=first)
    target[key] = value


def _path(name: str) -> list[str]:
    """Split `a[b][]` into `a`, `b` and an empty step, which stands for the next free place."""
    match = NAME.fullmatch(name)
    if match is None:
        raise InvalidParameter(f"Invalid parameter encoding: {name}", param=name)
    return [match["first"], *re.findall(r"\[([^\[\]]*)\]", match["rest"])]
