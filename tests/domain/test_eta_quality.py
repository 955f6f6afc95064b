"""How far off estimates were."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import eta_quality
from domain.eta import City
from domain.robust import quantile

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
errors = st.lists(st.floats(-120, 120), min_size=1, max_size=40)


def test_late_is_positive_and_minutes_are_the_citys() -> None:
    pairs = [(NOON, NOON + timedelta(seconds=late)) for late in (-60, 0, 60, 120, 1200)]

    real = eta_quality.of_estimates(pairs, City())
    fast = eta_quality.of_estimates(pairs, City(pace=20))

    assert real is not None
    assert (real.count, real.median, real.off, real.within_five) == (5, 1, 1, 0.8)
    assert fast is not None
    assert (fast.median, fast.low, fast.high) == (20, -12, pytest.approx(256))
    assert fast.within_five == 0.2


def test_nothing_was_foretold() -> None:
    assert eta_quality.of_errors([]) is None
    with pytest.raises(ValueError, match="nothing"):
        quantile([], 0.5)


@given(errors)
def test_a_distribution_is_in_order(minutes: list[float]) -> None:
    told = eta_quality.of_errors(minutes)

    assert told is not None
    assert min(minutes) <= told.low <= told.median <= told.high <= max(minutes)
    assert 0 <= told.within_five <= 1
    assert told.off >= 0
