"""How values are spread: pure figures, 0 where there are no values."""

from collections.abc import Iterable

from domain.robust import quantile


def percentile(values: Iterable[float], share: float) -> float:
    """The value that such a share of them stays below; 0 of none."""
    known = list(values)
    return quantile(known, share) if known else 0.0


def spread(minutes: Iterable[float]) -> dict[str, float]:
    """What many durations come to."""
    known = sorted(minutes)
    return {
        "count": len(known),
        "mean": round(sum(known) / (len(known) or 1), 2),
        "p50": round(percentile(known, 0.5), 2),
        "p90": round(percentile(known, 0.9), 2),
        "max": round(percentile(known, 1.0), 2),
    }
