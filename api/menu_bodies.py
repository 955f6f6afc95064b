"""What chefs send about menus. Amounts are integer cents; null and nothing are not the same."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StrictBool, StringConstraints, model_validator

from api.bodies import LONGEST_PREPARATION_MINUTES, Body, Line, Town
from api.examples import shown
from domain.menus import MOST_GROUPS, MOST_OPTIONS, DietaryTag, is_possible

_NO_NUL = r"^[^\x00]*$"
_MOST_CENTS = 1_000_000
_MOST_PORTIONS = 100_000

Prose = Annotated[str, StringConstraints(max_length=1000, strip_whitespace=True, pattern=_NO_NUL)]
Price = Annotated[int, Field(strict=True, ge=0, le=_MOST_CENTS)]
Minutes = Annotated[int, Field(strict=True, ge=1, le=LONGEST_PREPARATION_MINUTES)]
Position = Annotated[int, Field(strict=True, ge=0, le=10_000)]
Portions = Annotated[int, Field(strict=True, ge=0, le=_MOST_PORTIONS)]
Tags = Annotated[list[DietaryTag], Field(max_length=len(DietaryTag))]


class MenuBody(Body):
    """A new menu; without a `position` it is the last."""

    model_config = shown({"name": "Weekend brunch", "description": "Saturday and Sunday"})

    name: Line
    description: Prose = ""
    is_active: StrictBool = True
    position: Position | None = None


class MenuChangeBody(Body):
    """What is to be otherwise about a menu; what is left out stays as it is."""

    model_config = shown({"name": "Brunch"}, {"isActive": False}, {"position": 2})

    # Defaults are never read: only what was said is taken.
    name: Line = Field(default_factory=str)
    description: Prose = Field(default_factory=str)
    is_active: StrictBool = Field(default_factory=bool)
    position: Position = Field(default_factory=int)

    @property
    def changes(self) -> dict[str, object]:
        """What was said, by the columns' names."""
        return self.model_dump(include=self.model_fields_set)


class OptionBody(Body):
    """Something to choose, and what it costs on top; with its `id`, the one that is there."""

    id: UUID | None = None
    name: Town
    price_cents: Price = 0
    is_available: StrictBool = True


class OptionGroupBody(Body):
    """A choice: `minChoices` to `maxChoices` of its options. With a minimum above nothing it has to
    be made; with its `id`, it is the one that is there.
    """

    id: UUID | None = None
    name: Town
    min_choices: int = Field(default=0, strict=True, ge=0, le=MOST_OPTIONS)
    max_choices: int = Field(default=1, strict=True, ge=1, le=MOST_OPTIONS)
    options: list[OptionBody] = Field(min_length=1, max_length=MOST_OPTIONS)

    @model_validator(mode="after")
    def _can_be_made(self) -> Self:
        if not is_possible(self.min_choices, self.max_choices, len(self.options)):
            raise ValueError(
                "minChoices is at most maxChoices, and that at most the number of options"
            )
        return self


Groups = Annotated[list[OptionGroupBody], Field(max_length=MOST_GROUPS)]

_GROUPS = [
    {
        "name": "Chutney",
        "minChoices": 1,
        "maxChoices": 2,
        "options": [{"name": "Coconut"}, {"name": "Gunpowder", "priceCents": 150}],
    }
]


class MenuItemBody(Body):
    """A new dish, on a menu (without `menuId`, on the first); `stock` null is not counted."""

    model_config = shown(
        {
            "name": "Masala Dosa",
            "priceCents": 1000,
            "prepTimeMinutes": 15,
            "dietaryTags": ["vegetarian"],
            "stock": 20,
            "optionGroups": _GROUPS,
        }
    )

    menu_id: UUID | None = None
    name: Line
    description: Prose = ""
    category: Town = "main"
    price_cents: Price
    prep_time_minutes: Minutes = 20
    dietary_tags: Tags = Field(default_factory=list)
    is_available: StrictBool = True
    stock: Portions | None = None
    position: Position | None = None
    option_groups: Groups = Field(default_factory=list)


class MenuItemChangeBody(Body):
    """What is to be otherwise about a dish; what is left out stays as it is. `optionGroups` are all
    of them: one that is left out is gone, one with its `id` stays the same one.
    """

    model_config = shown(
        {"priceCents": 1100, "description": "With more potatoes."},
        {"optionGroups": _GROUPS},
    )

    # Defaults are never read: only what was said is taken.
    menu_id: UUID = Field(default_factory=lambda: UUID(int=0))
    name: Line = Field(default_factory=str)
    description: Prose = Field(default_factory=str)
    category: Town = Field(default_factory=str)
    price_cents: Price = Field(default_factory=int)
    prep_time_minutes: Minutes = Field(default_factory=int)
    dietary_tags: Tags = Field(default_factory=list)
    is_available: StrictBool = Field(default_factory=bool)
    position: Position = Field(default_factory=int)
    option_groups: Groups = Field(default_factory=list)

    @property
    def changes(self) -> dict[str, object]:
        """What was said, by the columns' names."""
        return self.model_dump(include=self.model_fields_set - {"option_groups"})

    @property
    def new_choices(self) -> list[OptionGroupBody] | None:
        """All choices, if they are to be others."""
        return self.option_groups if "option_groups" in self.model_fields_set else None


class ItemAvailabilityBody(Body):
    """Whether a dish is there, and how much of it. `stock` counts it anew (null: not any more), if
    it still is what it was seen to be (`seenStock`, if given); `addStock` counts more or fewer,
    whatever is ordered meanwhile.
    """

    model_config = shown(
        {"isAvailable": False},
        {"addStock": 10},
        {"stock": 12, "seenStock": 3},
    )

    # Defaults are never read: only what was said is taken.
    is_available: StrictBool = Field(default_factory=bool)
    stock: Portions | None = None
    seen_stock: Portions | None = None
    add_stock: int = Field(default_factory=int, strict=True, ge=-_MOST_PORTIONS, le=_MOST_PORTIONS)

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        said = self.model_fields_set
        if not said - {"seen_stock"}:
            raise ValueError("say what is to change")
        if {"stock", "add_stock"} <= said:
            raise ValueError("stock or addStock, not both")
        if "seen_stock" in said and "stock" not in said:
            raise ValueError("seenStock comes with stock")
        return self

    def says(self, name: str) -> bool:
        """Whether a field was given at all."""
        return name in self.model_fields_set
