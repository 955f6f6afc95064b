"""The policies that can be asked, by name."""

from collections.abc import Callable, Mapping

from domain.dispatch.nearest import nearest
from domain.dispatch.plan import Policy
from domain.dispatch.policy import Matching

POLICIES: Mapping[str, Callable[[], Policy]] = {
    "matching": Matching,
    "nearest": lambda: nearest,
}

DEFAULT = "matching"
