"""What a kitchen has to show before it may sell (seed 000, Chefs & Menus)."""

from enum import StrEnum
from uuid import UUID

from domain.geo import Point, distance_km

# How far a kitchen may deliver, in km, and how many pictures of it are shown.
LEAST_RADIUS_KM = 1.0
MOST_RADIUS_KM = 50.0
MOST_PICTURES = 10
# A pin that is set right by less than this is still at the same place.
_SAME_PLACE_KM = 0.2
# How often somebody may hand in something, whatever became of it.
MOST_DOCUMENTS = 100


class ChefDocumentType(StrEnum):
    """What applicants hand in."""

    IDENTITY = "identity"
    FOOD_LICENSE = "food_license"
    KITCHEN_PHOTO = "kitchen_photo"
    INSURANCE = "insurance"


T = ChefDocumentType

# Seed 004, ChefProfile: IDVerified, LicenseVerified, KitchenVerified.
REQUIRED = (T.IDENTITY, T.FOOD_LICENSE, T.KITCHEN_PHOTO)
# These are about one place, and worth nothing at another.
OF_THE_PLACE = frozenset({T.FOOD_LICENSE, T.KITCHEN_PHOTO, T.INSURANCE})
_WITH_AN_END = frozenset({T.FOOD_LICENSE, T.INSURANCE})


def documents_folder(chef_id: UUID) -> str:
    """Where the storage has what a chef has handed in; nobody sees it but he and operators."""
    return f"kitchens/{chef_id}/documents"


def has_moved(was: Point, to: Point) -> bool:
    """Whether a kitchen is at another place, rather than better described."""
    return distance_km(was, to) > _SAME_PLACE_KM


def needs_end(document: ChefDocumentType) -> bool:
    """Whether a document must say until when it is good."""
    return document in _WITH_AN_END
