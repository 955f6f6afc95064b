"""What others reach on the same instances.

FoodMatch is Swiggy's (Joshi et al., FoodMatch: Batching and Matching for Food Delivery in Dynamic
Road Networks, 2021), run in its authors' C++ implementation, with bundling and windows of 300 s,
but with drives rounded up to the minute, as the instances demand; as published it rounds to the
second, which flatters it by about half a minute a drive. The rolling horizon is Reyes et al.'s as
implemented there. What was not recorded is not here.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bench.mdrp.metrics import Figures

_FIVE, _TEN = "days 0-4", "days 0-9"
_ORDERS = {_FIVE: 3_903, _TEN: 15_701}


class Published(NamedTuple):
    """Minutes of click-to-door, the part of them above the lower bound, and counts of orders."""

    policy: str
    days: str
    click_to_door: float
    excess: float
    undelivered: int
    over_60: int

    @property
    def title(self) -> str:
        """The heading of its column."""
        return f"{self.policy}\n{self.days}"

    def figures(self) -> Figures:
        """The same, named as ours are."""
        orders = _ORDERS[self.days]
        return {
            "orders": orders,
            "delivered": orders - self.undelivered,
            "undelivered": self.undelivered,
            "clickToDoorMean": self.click_to_door,
            "lowerBoundMean": self.click_to_door - self.excess,
            "excessMean": self.excess,
            "over60": self.over_60,
        }


PUBLISHED: Mapping[str, Sequence[Published]] = {
    "o100t100s1p100": (
        Published("Food-\nMatch", _FIVE, 31.92, 2.54, 6, 56),
        Published("rolling\nhorizon", _FIVE, 34.52, 5.13, 7, 100),
        Published("Food-\nMatch", _TEN, 33.57, 4.38, 65, 574),
        Published("rolling\nhorizon", _TEN, 35.87, 6.72, 77, 690),
    ),
    "o100t75s2p100": (
        Published("Food-\nMatch", _FIVE, 28.29, 0.64, 2, 34),
        Published("rolling\nhorizon", _FIVE, 28.62, 0.97, 2, 37),
        Published("Food-\nMatch", _TEN, 29.27, 1.87, 51, 321),
        Published("rolling\nhorizon", _TEN, 28.93, 1.55, 54, 315),
    ),
}
"""By the instances' family."""
