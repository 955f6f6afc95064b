"""What a customer chooses with a dish: options and extras, and what a portion costs with them.

Source: the seeds' menus, items with options and extras (priced, required, minimum and maximum).
Amounts are integer cents.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose, and what it costs on top of the dish."""

    id: UUID
    name: str
    price_cents: int
    is_available: bool = True


@dataclass(frozen=True, slots=True)
class Group:
    """A choice: between `min_choices` and `max_choices` of its options."""

    name: str
    min_choices: int
    max_choices: int
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """An option that was chosen, and the group it is of."""

    group: str
    option: Option


class Mistake(StrEnum):
    """Why a choice cannot be; clients read these."""

    UNKNOWN = "unknown_option"
    TWICE = "option_chosen_twice"
    UNAVAILABLE = "option_unavailable"
    TOO_FEW = "too_few_options"
    TOO_MANY = "too_many_options"


class CannotBeChosen(Exception):
    """A choice that a dish does not allow: `why` is its code."""

    def __init__(self, why: Mistake, words: str) -> None:
        super().__init__(words)
        self.why = why


def choose(groups: Sequence[Group], wanted: Sequence[UUID]) -> list[Chosen]:
    """The options that were chosen, in the order of the menu. Raises CannotBeChosen."""
    if len(set(wanted)) < len(wanted):
        raise CannotBeChosen(Mistake.TWICE, "each option once, please")
    offered = {option.id for group in groups for option in group.options}
    if not offered.issuperset(wanted):
        raise CannotBeChosen(Mistake.UNKNOWN, "this dish has no such option")
    return [
        Chosen(group.name, option) for group in groups for option in _of_group(group, set(wanted))
    ]


def portion_cents(dish_cents: int, chosen: Iterable[Chosen]) -> int:
    """What one portion costs with all that was chosen."""
    return dish_cents + sum(choice.option.price_cents for choice in chosen)


def _of_group(group: Group, wanted: Collection[UUID]) -> list[Option]:
    taken = [option for option in group.options if option.id in wanted]
    for option in taken:
        if not option.is_available:
            raise CannotBeChosen(
                Mistake.UNAVAILABLE, f"{group.name}: {option.name} is not available"
            )
    if len(taken) < group.min_choices:
        raise CannotBeChosen(Mistake.TOO_FEW, f"{group.name}: choose {group.min_choices} at least")
    if len(taken) > group.max_choices:
        raise CannotBeChosen(Mistake.TOO_MANY, f"{group.name}: choose {group.max_choices} at most")
    return taken
