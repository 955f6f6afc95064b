"""An example of a search, for the OpenAPI document."""

from api.examples import Example
from api.examples_kitchens import CHEF

FOUND: Example = {
    "data": [
        CHEF | {"distanceKm": 1.2, "deliveryMinutes": 23, "matchingDishes": ["Masala Dosa"]},
    ],
    "nextCursor": "WyI5ZjRhIiw0LjksIjAxOThjMGRlIl0",
}
