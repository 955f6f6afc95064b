"""What the caller gets to see: fields brought up to date, and `expand` followed."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

from local.stripe.errors import InvalidParameter
from local.stripe.resources import RESOURCES
from local.stripe.store import StripeObject, Transaction

MAX_DEPTH = 4

# Makes something of an object: the object as it is now, or a list that belongs to it.
View: TypeAlias = Callable[[Transaction, StripeObject], StripeObject]


class Renderer:
    """Turns stored objects into answers."""

    def __init__(
        self, present: Mapping[str, View], lists: Mapping[str, Mapping[str, View]]
    ) -> None:
        """Take what is particular to a kind of object, by its name.

        `present` brings fields that depend on the moment up to date; `lists` makes the fields that
        are left out unless `expand` names them.
        """
        self._present = present
        self._lists = lists

    def render(
        self, tx: Transaction, body: StripeObject, paths: Sequence[str] = ()
    ) -> StripeObject:
        """Return an object or a list, with the objects at `paths` in place of their ids."""
        for path in paths:
            if path.count(".") >= MAX_DEPTH:
                raise InvalidParameter(
                    f"You cannot expand more than {MAX_DEPTH} levels of a property "
                    f"(property: {path}).",
                    param="expand",
                )
        return self._render(tx, body, sorted(paths))

    def _render(self, tx: Transaction, body: StripeObject, paths: Sequence[str]) -> StripeObject:
        kind = body["object"]
        if kind == "list":
            inner = [_below_data(path) for path in paths]
            return body | {"data": [self._render(tx, item, inner) for item in body["data"]]}
        shown = self._present[kind](tx, body) if kind in self._present else dict(body)
        for name, group in groupby(paths, key=lambda path: path.partition(".")[0]):
            below = [rest for _, _, rest in (path.partition(".") for path in group) if rest]
            expanded = self._expanded(tx, body, name)
            shown[name] = None if expanded is None else self._render(tx, expanded, below)
        return shown

    def _expanded(self, tx: Transaction, body: StripeObject, name: str) -> StripeObject | None:
        kind = body["object"]
        if name in self._lists.get(kind, {}):
            return self._lists[kind][name](tx, body)
        if kind not in RESOURCES or name not in RESOURCES[kind].expandable:
            raise _not_expandable(name)
        object_id = body.get(name)
        return None if object_id is None else tx.get(object_id)


def _below_data(path: str) -> str:
    head, _, rest = path.partition(".")
    if head != "data" or not rest:
        raise _not_expandable(path)
    return rest


def _not_expandable(name: str) -> InvalidParameter:
    return InvalidParameter(f"This property cannot be expanded ({name}).", param="expand")
