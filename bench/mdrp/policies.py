"""The policies that can be asked, by name."""

from collections.abc import Callable, Mapping

from domain.dispatch.nearest import nearest
from domain.dispatch.plan import Policy

POLICIES: Mapping[str, Callable[[], Policy]] = {
    "nearest": lambda: nearest,
}

DEFAULT = "nearest"
