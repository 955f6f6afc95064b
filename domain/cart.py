"""What is in a cart, and what has become of it since it was put in.

Source: seed 004, Cart. A cart holds dishes of one chef. Amounts are integer cents.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.choices import CannotBeChosen, Group, Mistake, choose, portion_cents

MOST_LINES = 50
MOST_OF_A_DISH = 99


class Problem(StrEnum):
    """Why a line of a cart cannot be ordered as it is; clients read these."""

    GONE = "gone"
    UNAVAILABLE = "unavailable"
    SOLD_OUT = "sold_out"
    OPTION_GONE = "option_gone"
    CHOOSE_AGAIN = "choose_again"


@dataclass(frozen=True, slots=True)
class Dish:
    """A dish as it is on the menu now; `stock` is how many portions are left, if anybody counts."""

    price_cents: int
    is_available: bool
    stock: int | None
    groups: Sequence[Group]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a line stands: what a portion costs now, None where nobody can tell, and what is in the
    way of ordering it.
    """

    price_cents: int | None
    problems: tuple[Problem, ...] = ()


def choice(dish_id: UUID, options: Iterable[UUID], instructions: str | None) -> str:
    """What makes two lines of a cart one: the same dish, chosen and wished for in the same way."""
    told = [str(dish_id), sorted(str(option) for option in options), instructions or ""]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def standing(dish: Dish | None, options: Sequence[UUID], portions: int) -> Standing:
    """How a line stands of whose dish the whole cart wants so many portions; None is a dish that is
    gone.
    """
    if dish is None:
        return Standing(None, (Problem.GONE,))
    problems = []
    if not dish.is_available:
        problems.append(Problem.UNAVAILABLE)
    if dish.stock is not None and dish.stock < portions:
        problems.append(Problem.SOLD_OUT)
    cents: int | None = None
    try:
        cents = portion_cents(dish.price_cents, choose(dish.groups, options))
    except CannotBeChosen as mistake:
        gone = mistake.why in {Mistake.UNKNOWN, Mistake.UNAVAILABLE}
        problems.append(Problem.OPTION_GONE if gone else Problem.CHOOSE_AGAIN)
    return Standing(cents, tuple(problems))
