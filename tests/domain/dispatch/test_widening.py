"""How the circle around a kitchen widens, and when a bonus is due."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.dispatch.widening import Widening

JOINED = datetime(2026, 1, 31, 18, tzinfo=UTC)
RING = timedelta(seconds=30)
WIDENING = Widening((2, 4, 7, 10, 15), ring=RING, lead=timedelta(minutes=10))


@pytest.mark.parametrize(
    ("rings", "km"), [(0, 2), (0.99, 2), (1, 4), (2, 7), (3, 10), (4, 15), (100, 15)]
)
def test_the_circle_widens_ring_by_ring(rings: float, km: float) -> None:
    assert WIDENING.radius_km(JOINED, JOINED, JOINED + rings * RING) == km


def test_it_begins_to_widen_some_time_before_the_food_is_ready() -> None:
    ready = JOINED + timedelta(minutes=25)
    begins = ready - timedelta(minutes=10)

    assert WIDENING.radius_km(JOINED, ready, begins - RING) == 2
    assert WIDENING.radius_km(JOINED, ready, begins + RING) == 4


def test_a_bonus_is_due_when_all_circles_were_tried_in_vain_with_the_food_ready() -> None:
    ready = JOINED + timedelta(minutes=25)
    through = ready + 5 * RING

    assert not WIDENING.bonus_is_due(JOINED, ready, through - timedelta(seconds=1))
    assert WIDENING.bonus_is_due(JOINED, ready, through)
    late = ready + timedelta(minutes=3)
    assert not WIDENING.bonus_is_due(late, ready, through + timedelta(seconds=1))
    assert WIDENING.bonus_is_due(late, ready, late + 5 * RING)
