"""Lists: newest first, in pages, filtered by equality and by time of creation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from local.stripe.errors import InvalidParameter
from local.stripe.forms import FormValue
from local.stripe.operations import Operation
from local.stripe.params import Params, Reader, Spec, integer, mapping, text
from local.stripe.resources import Resource, referenced
from local.stripe.store import SqlValue, StripeObject, Transaction

DEFAULT_LIMIT = 10
MAX_LIMIT = 100

COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True)
class Condition:
    """One thing a listed object must satisfy, in SQL, and the values in it."""

    sql: str
    values: tuple[SqlValue, ...]


Conditions: TypeAlias = Sequence[Condition]


def created(param: str, value: FormValue) -> Params:
    """Read a moment, or an interval given by its ends, as the comparisons it stands for."""
    if isinstance(value, str):
        moment = integer()(param, value)
        return {"gte": moment, "lte": moment}
    interval: Params = mapping(dict.fromkeys(COMPARISONS, integer()))(param, value)
    return interval


PAGE: Spec = {
    "ending_before": text,
    "limit": integer(at_least=1, at_most=MAX_LIMIT),
    "starting_after": text,
}
DATED_PAGE: Spec = {**PAGE, "created": created}


def listing(resource: Resource, path: str, spec: Spec = DATED_PAGE, **filters: Reader) -> Operation:
    """Return the operation that lists a resource, filtered by fields of the same names."""

    def handler(tx: Transaction, params: Params) -> StripeObject:
        wanted = [equals(name, params[name]) for name in filters if name in params]
        return page(tx, resource, path, params, wanted)

    return Operation("GET", path, handler, {**spec, **filters})


def equals(name: str, value: SqlValue) -> Condition:
    """Require a field to have a value."""
    # Written out, not bound: that is how SQLite recognises an index on the expression.
    return Condition(f"json_extract(body, '$.{name}') = ?", (value,))


def page(
    tx: Transaction, resource: Resource, path: str, params: Params, conditions: Conditions
) -> StripeObject:
    """Return one page of the objects that satisfy the conditions."""
    limit = params.get("limit", DEFAULT_LIMIT)
    backwards = "ending_before" in params
    wanted = [
        Condition("object = ?", (resource.name,)),
        Condition("json_extract(body, '$.deleted') IS NULL", ()),
        *conditions,
        *_within(params.get("created", {})),
        *_cursor(tx, resource, params),
    ]
    # One object too many is read, to know whether there are more.
    found = tx.select(
        " AND ".join(condition.sql for condition in wanted)
        + f" ORDER BY sequence {'ASC' if backwards else 'DESC'} LIMIT ?",
        *(value for condition in wanted for value in condition.values),
        limit + 1,
    )
    shown = found[:limit]
    return {
        "object": "list",
        "data": shown[::-1] if backwards else shown,
        "has_more": len(found) > limit,
        "url": path,
    }


def _within(interval: Params) -> list[Condition]:
    return [
        Condition(f"json_extract(body, '$.created') {COMPARISONS[name]} ?", (moment,))
        for name, moment in interval.items()
    ]


def _cursor(tx: Transaction, resource: Resource, params: Params) -> list[Condition]:
    if "starting_after" in params and "ending_before" in params:
        raise InvalidParameter(
            "You can only specify one of these parameters: starting_after, ending_before.",
            param="ending_before",
        )
    for param, beyond in (("starting_after", "<"), ("ending_before", ">")):
        if param in params:
            neighbour = referenced(tx, resource, params[param], param)
            return [
                Condition(
                    f"sequence {beyond} (SELECT sequence FROM objects WHERE id = ?)",  # noqa: S608
                    (neighbour["id"],),
                )
            ]
    return []
