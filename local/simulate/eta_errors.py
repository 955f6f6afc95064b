"""How good promises were: pure figures of the differences between what was promised and what came.

Minutes; above nothing is later than promised.
"""

from collections.abc import Sequence
from typing import TypedDict


class EtaErrors(TypedDict):
    """The distribution of errors. `mean` is the bias, `meanAbsolute` the size."""

    count: int
    mean: float
    meanAbsolute: float
    p10: float
    p50: float
    p90: float
    within5: float


def eta_errors(minutes: Sequence[float]) -> EtaErrors:
    """What the errors of many promises come to; `within5` is the share of those within 5 min."""
    number = len(minutes) or 1
    return EtaErrors(
        count=len(minutes),
        mean=round(sum(minutes) / number, 2),
        meanAbsolute=round(sum(map(abs, minutes)) / number, 2),
        p10=round(percentile(minutes, 0.10), 2),
        p50=round(percentile(minutes, 0.50), 2),
        p90=round(percentile(minutes, 0.90), 2),
        within5=round(sum(abs(one) <= 5 for one in minutes) / number, 3),  # noqa: PLR2004
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which such a share of them lies; 0 of none."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0.0
