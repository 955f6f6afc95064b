"""Shifts do not overlap, and lie where they can be kept."""

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.shifts import (
    FURTHEST_AHEAD,
    LONGEST,
    SHORTEST,
    Mistake,
    Shift,
    ends_at,
    objection,
)

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def shift(begins: float, lasts: float = 2.0) -> Shift:
    """A shift that begins so many hours from now."""
    return Shift(NOW + begins * HOUR, NOW + (begins + lasts) * HOUR)


# Quarters of hours, so that they often meet.
any_shift = st.builds(
    lambda begins, lasts: shift(begins / 4, lasts / 4), st.integers(-8, 80), st.integers(-2, 52)
)
good_shift = st.builds(
    lambda begins, lasts: shift(begins / 4, lasts / 4), st.integers(0, 80), st.integers(1, 48)
)


def overlap(one: Shift, other: Shift) -> bool:
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def could_be(one: Shift) -> bool:
    lasts = one.ends_at - one.starts_at
    return (
        SHORTEST <= lasts <= LONGEST
        and one.starts_at >= NOW
        and one.ends_at <= NOW + FURTHEST_AHEAD
    )


@given(st.lists(any_shift, max_size=6), st.none() | st.just(shift(-1)))
def test_a_plan_is_good_when_each_could_be_and_no_two_overlap(
    asked: list[Shift], running: Shift | None
) -> None:
    begun = [running] if running else []
    asked = [one for one in asked if one not in begun]
    good = all(could_be(one) for one in asked) and not any(
        overlap(one, other) for one, other in combinations([*asked, *begun], 2)
    )

    assert (objection(asked, begun, NOW) is None) == good


@given(st.lists(good_shift, min_size=2, max_size=5), st.randoms())
def test_the_order_of_a_plan_does_not_matter(asked: list[Shift], random: object) -> None:
    shuffled = list(asked)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert (objection(asked, [], NOW) is None) == (objection(shuffled, [], NOW) is None)


@pytest.mark.parametrize(
    ("asked", "mistake"),
    [
        (shift(2, -1), Mistake.BACKWARDS),
        (shift(2, 0), Mistake.BACKWARDS),
        (shift(2, 0.2), Mistake.TOO_SHORT),
        (shift(2, 12.1), Mistake.TOO_LONG),
        (shift(-0.1, 2), Mistake.IN_THE_PAST),
        (shift(24 * 28 - 1, 2), Mistake.TOO_FAR_AHEAD),
        (shift(5.5, 2), Mistake.OVERLAP),
    ],
)
def test_what_is_wrong_is_said_of_the_shift_that_is(asked: Shift, mistake: Mistake) -> None:
    found = objection([shift(1), shift(4), asked], [], NOW)

    assert found is not None
    assert (found.number, found.mistake) == (2, mistake)


def test_a_shift_that_has_begun_may_be_in_the_plan_as_it_is_and_is_not_overlapped() -> None:
    running = shift(-1, 3)

    assert objection([running, shift(2)], [running], NOW) is None
    found = objection([running, shift(3), shift(1)], [running], NOW)
    assert found is not None
    assert (found.number, found.mistake) == (2, Mistake.OVERLAP)


def test_shifts_that_follow_at_once_are_one() -> None:
    day = [shift(2, 1), shift(-1, 3), shift(3.5, 1)]

    assert ends_at(day, NOW) == NOW + 3 * HOUR
    assert ends_at(day, NOW + 3 * HOUR) is None
    assert ends_at(day, NOW + 3.5 * HOUR) == NOW + 4.5 * HOUR
    assert ends_at([], NOW) is None


@given(st.lists(good_shift, max_size=6), st.integers(0, 100))
def test_somebody_is_there_until_the_end_and_not_at_it(shifts: list[Shift], quarter: int) -> None:
    plan: list[Shift] = []
    for one in shifts:
        if not any(overlap(one, other) for other in plan):
            plan.append(one)
    at = NOW + quarter * HOUR / 4

    def there(moment: datetime) -> bool:
        return any(one.starts_at <= moment < one.ends_at for one in plan)

    end = ends_at(plan, at)
    if end is None:
        assert not there(at)
    else:
        assert not there(end)
        moments = [at + count * HOUR / 4 for count in range(int((end - at) / (HOUR / 4)))]
        assert all(there(moment) for moment in moments)
