"""What a resource offers: one operation for each method and path."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from local.stripe.params import Params, Spec, list_of, text
from local.stripe.resources import Resource, retrieve
from local.stripe.store import StripeObject, Transaction

# Takes the transaction, the parameters and, if the path has a place for it, an id.
Handler: TypeAlias = Callable[..., StripeObject]

EXPAND: Spec = {"expand": list_of(text)}


@dataclass(frozen=True)
class Operation:
    """One thing the API can do, and the parameters it takes besides `expand`."""

    method: str
    path: str
    handler: Handler
    spec: Spec = field(default_factory=dict)
    # Whether a browser, which holds a publishable key only, may do it.
    publishable: bool = False

    @property
    def parameters(self) -> Spec:
        """Return all parameters, `expand` included."""
        return {**self.spec, **EXPAND}


def retrieving(resource: Resource, path: str) -> Operation:
    """Return the operation that retrieves one object of a kind listed at `path`."""

    def handler(tx: Transaction, _: Params, object_id: str) -> StripeObject:
        return retrieve(tx, resource, object_id)

    return Operation("GET", f"{path}/{{object_id}}", handler)
