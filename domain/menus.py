"""What may be on a menu (seed 000, Chefs & Menus; seed 004, MenuItem). The limits are ours."""

from enum import StrEnum

MOST_MENUS = 20
MOST_ITEMS = 500
MOST_GROUPS = 20
MOST_OPTIONS = 50

# From so few portions on customers are told how many are left.
FEW = 5


class DietaryTag(StrEnum):
    """What a dish promises to those who have to know."""

    VEGETARIAN = "vegetarian"
    VEGAN = "vegan"
    PESCATARIAN = "pescatarian"
    GLUTEN_FREE = "gluten_free"
    DAIRY_FREE = "dairy_free"
    EGG_FREE = "egg_free"
    NUT_FREE = "nut_free"
    SHELLFISH_FREE = "shellfish_free"
    SOY_FREE = "soy_free"
    SUGAR_FREE = "sugar_free"
    LOW_CARB = "low_carb"
    HALAL = "halal"
    KOSHER = "kosher"
    JAIN = "jain"


def can_be_had(is_available: bool, stock: int | None) -> bool:
    """Whether a dish may be ordered that the chef offers or not; `stock` None is not counted."""
    return is_available and stock != 0


def told_left(stock: int | None) -> int | None:
    """How many portions customers are told to be left, if they are told."""
    return stock if stock is not None and stock <= FEW else None


def is_possible(least: int, most: int, options: int) -> bool:
    """Whether somebody can choose at least `least` and at most `most` of so many options."""
    return 0 <= least <= most and 1 <= most <= options
