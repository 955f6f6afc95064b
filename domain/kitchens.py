"""What a kitchen has to show before it may sell (seed 000, Chefs & Menus)."""

from enum import StrEnum


class ChefDocumentType(StrEnum):
    """What applicants hand in."""

    IDENTITY = "identity"
    FOOD_LICENSE = "food_license"
    KITCHEN_PHOTO = "kitchen_photo"
    INSURANCE = "insurance"
