"""What is learned of a kitchen: bounded, monotone, moved by habit and not by accident."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import prep_time
from domain.prep_time import LOADS, PRIOR_ORDERS, Cooked, Observation, Since

minutes = st.floats(min_value=1, max_value=300)
loads = st.one_of(st.none(), st.integers(min_value=0, max_value=12))
observations = st.builds(Observation, expected=st.integers(5, 60), took=minutes, load=loads)
pasts = st.lists(observations, max_size=30)
EXPECTED = 20


def late(*by: float, load: int | None = 0) -> list[Observation]:
    """Orders that were so many minutes late."""
    return [Observation(EXPECTED, EXPECTED + minutes, load) for minutes in by]


def cooked(
    took: float, *, said: int | None = None, load: int = 0, answering: float = 0.0
) -> Cooked:
    return Cooked(EXPECTED, answering, Since(took, said, load), Since(took - 5, None, load))


def test_a_kitchen_that_nobody_knows_is_believed_its_menu() -> None:
    assert prep_time.estimate([], EXPECTED, 3) == prep_time.Estimate(EXPECTED, EXPECTED)
    assert prep_time.from_placing([], EXPECTED, 0).minutes == EXPECTED


@pytest.mark.parametrize(
    ("orders", "expected"), [(1, 20), (PRIOR_ORDERS, 25), (2 * PRIOR_ORDERS, 30), (60, 30)]
)
def test_a_kitchen_that_is_always_ten_minutes_late_is_soon_known_to_be(
    orders: int, expected: float
) -> None:
    assert prep_time.estimate(late(*[10] * orders), EXPECTED, None).minutes == expected


@given(pasts, st.integers(5, 60), st.integers(0, 12))
def test_an_estimate_lies_between_the_menu_and_what_was_seen(
    seen: list[Observation], expected: int, load: int
) -> None:
    lateness = [0.0, *(order.late for order in seen)]
    found = prep_time.estimate(seen, expected, load)

    for told in (found.minutes, found.promised):
        assert max(1, expected + min(lateness)) - 1e-9 <= told
        assert told <= max(1, expected + max(lateness)) + 1e-9


@given(pasts, st.integers(0, 12))
def test_a_promise_is_no_earlier_than_the_estimate(seen: list[Observation], load: int) -> None:
    found = prep_time.estimate(seen, EXPECTED, load)

    assert found.promised >= found.minutes


@given(
    st.lists(observations, min_size=1, max_size=30),
    st.integers(0, 29),
    st.floats(min_value=0, max_value=500),
    st.integers(0, 12),
)
def test_an_order_that_took_longer_makes_no_estimate_shorter(
    seen: list[Observation], which: int, more: float, load: int
) -> None:
    which %= len(seen)
    slower = [*seen]
    slower[which] = seen[which]._replace(took=seen[which].took + more)

    before = prep_time.estimate(seen, EXPECTED, load)
    after = prep_time.estimate(slower, EXPECTED, load)
    assert after.minutes >= before.minutes - 1e-9
    assert after.promised >= before.promised - 1e-9


@given(pasts, st.floats(min_value=1, max_value=100_000), loads, st.integers(0, 12))
def test_one_order_however_odd_leads_nowhere_where_neither_the_others_nor_the_menu_were(
    seen: list[Observation], took: float, odd_load: int | None, load: int
) -> None:
    lateness = [0.0, *(order.late for order in seen)]

    found = prep_time.estimate([*seen, Observation(EXPECTED, took, odd_load)], EXPECTED, load)

    assert found.minutes <= max(1, EXPECTED + max(lateness)) + 1e-9
    assert found.promised <= max(1, EXPECTED + max(lateness)) + 1e-9
    assert found.minutes >= max(1, EXPECTED + min(lateness)) - 1e-9


def test_a_forgotten_tap_in_a_good_week_moves_nothing() -> None:
    usual = late(*range(1, 13))

    before = prep_time.estimate(usual, EXPECTED, None).minutes
    after = prep_time.estimate([*usual, *late(600)], EXPECTED, None).minutes
    assert 0 <= after - before <= 1


def test_a_busy_kitchen_is_late_otherwise_than_an_idle_one() -> None:
    seen = late(*[2] * 20, load=0) + late(*[15] * 20, load=4)

    idle, busy, swamped = (prep_time.estimate(seen, EXPECTED, load).minutes for load in (0, 4, 9))
    assert (idle, busy) == (22, 35)
    # Nothing was seen of it: as the kitchen is on the whole.
    assert idle <= swamped <= busy
    assert swamped == prep_time.estimate(seen, EXPECTED, None).minutes


def test_every_load_is_in_one_bucket() -> None:
    assert all(sum(load in bucket for bucket in LOADS) == 1 for load in range(50))
    assert all(a.most is not None and a.most + 1 == b.least for a, b in pairwise(LOADS))


def test_a_chefs_word_is_believed_before_the_menu() -> None:
    past = [cooked(35.0)] * 20

    assert prep_time.from_acceptance(past, EXPECTED, 0).minutes == 35
    assert prep_time.from_acceptance(past, EXPECTED, 0, said=12).minutes == 12


def test_the_word_of_a_chef_who_is_always_ten_minutes_late_with_it_is_corrected() -> None:
    past = [cooked(35.0, said=25)] * 20

    assert prep_time.from_acceptance(past, EXPECTED, 0, said=25).minutes == 35
    assert prep_time.from_acceptance(past, EXPECTED, 0, said=60).minutes == 70
    assert prep_time.from_start(past, EXPECTED, 0, said=25).minutes == 35


def test_a_word_is_not_corrected_by_how_late_orders_without_one_were() -> None:
    assert prep_time.from_acceptance([cooked(60.0)] * 40, EXPECTED, 0, said=20).minutes == 20


def test_no_word_is_corrected_to_less_than_a_minute() -> None:
    past = [cooked(3.0, said=40)] * 20

    assert prep_time.from_acceptance(past, EXPECTED, 0, said=5).minutes == 1


def test_from_the_start_it_takes_as_long_as_it_took_from_there() -> None:
    assert prep_time.from_start([cooked(35.0)] * 20, EXPECTED, 0).minutes == 30


def test_who_has_not_ordered_yet_waits_for_the_chefs_answer_too() -> None:
    past = [cooked(30.0, answering=4.0)] * 20

    assert prep_time.from_placing(past, EXPECTED, 0).minutes == 34


def test_quality_says_how_far_off_estimates_would_have_been() -> None:
    seen = late(*[10] * 30, load=1)

    idle, some, *_ = prep_time.quality(seen)
    assert (idle.observations, idle.error) == (0, None)
    assert (some.observations, some.late, some.low, some.high) == (30, 10, 10, 10)
    assert some.unlearned == 10
    assert some.error == 0


def test_quality_looks_only_at_what_was_known_before() -> None:
    random = Random(7)
    noisy = late(*[random.gauss(0, 6) for _ in range(60)], load=0)

    (idle, *_) = prep_time.quality(noisy)
    assert idle.error is not None
    assert idle.unlearned is not None
    assert idle.low is not None
    assert idle.high is not None
    # There is nothing to learn but noise: no estimate can know it beforehand.
    assert idle.error > 2
    assert idle.error < 1.5 * idle.unlearned
    assert idle.low < -4 < 4 < idle.high


def test_an_order_whose_load_is_not_known_counts_for_the_kitchen_and_no_load() -> None:
    seen = late(*[10] * 20, load=None)

    assert all(told.observations == 0 for told in prep_time.quality(seen))
    assert prep_time.estimate(seen, EXPECTED, 2).minutes == 30
