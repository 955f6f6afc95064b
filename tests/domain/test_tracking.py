"""Which of a phone's positions are believed, and which are kept."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.geo import Point, distance_km
from domain.order_status import Actor, OrderStatus
from domain.tracking import Fix, Judgement, Refusal, Rules, Track, is_shown, judge, later, samples

NOW = datetime(2026, 1, 31, 18, tzinfo=UTC)
KITCHEN = Point(30.2672, -97.7431)
RULES = Rules(max_kmh=200, worst_accuracy_m=300)
R, S = Refusal, OrderStatus

seconds = st.integers(-3600, 60)
points = st.builds(
    lambda north, east: Point(30.2672 + north / 1000, -97.7431 + east / 1000),
    st.integers(-300, 300),
    st.integers(-300, 300),
)
fixes = st.builds(
    lambda point, at, accuracy: Fix(point, NOW + timedelta(seconds=at), accuracy),
    points,
    seconds,
    st.none() | st.floats(0, 500),
)
tracks = st.builds(
    lambda last, doubted: judge(Track(last), doubted, NOW, RULES).track,
    st.none() | fixes,
    st.lists(fixes, max_size=4),
)


def fix(north_m: float, second: float, accuracy: float | None = 10) -> Fix:
    """So many metres north of the kitchen, so many seconds from now."""
    point = Point(KITCHEN.latitude + north_m / 111_195, KITCHEN.longitude)
    return Fix(point, NOW + timedelta(seconds=second), accuracy)


def held(track: Track, said: Sequence[Fix]) -> Judgement:
    return judge(track, said, NOW, RULES)


def refusals(track: Track, *said: Fix) -> list[Refusal | None]:
    """What becomes of each, in the order in which they come."""
    why = dict(held(track, said).refused)
    return [why.get(index) for index in range(len(said))]


@pytest.mark.parametrize(
    ("last", "said", "why"),
    [
        (None, fix(0, 60), None),
        (None, fix(0, 61), R.IN_THE_FUTURE),
        (None, fix(0, -86_400), None),
        (None, fix(0, -86_401), R.TOO_OLD),
        (None, fix(0, 0, accuracy=300), None),
        (None, fix(0, 0, accuracy=301), R.INACCURATE),
        (None, fix(0, 0, accuracy=None), None),
        (fix(0, -10), fix(0, -10.5), R.SUPERSEDED),
        (fix(0, -10), fix(1, -10), R.SUPERSEDED),
        (fix(0, -10), fix(0, -10), None),
        # 200 km/h for 36 s, and a second that a phone may not count, are 2056 m.
        (fix(0, -36), fix(2150, 0), None),
        (fix(0, -36), fix(2200, 0), R.TOO_FAR),
        (fix(0, -36, accuracy=100), fix(2200, 0), None),
        # Standing in a street canyon.
        (fix(0, -1), fix(200, 0, accuracy=50), None),
        # A day's drive.
        (fix(0, -86_000), fix(1_000_000, 0), None),
    ],
)
def test_one_position_is_held_against_the_last(
    last: Fix | None, said: Fix, why: Refusal | None
) -> None:
    assert refusals(Track(last), said) == [why]


def test_a_city_that_lives_faster_has_faster_drivers() -> None:
    said = fix(20_000, 0)
    assert refusals(Track(fix(0, -36)), said) == [R.TOO_FAR]
    assert not judge(Track(fix(0, -36)), [said], NOW, replace(RULES, max_kmh=2000)).refused


def test_a_batch_with_impossible_positions_keeps_the_good_ones() -> None:
    said = [fix(200, -10), fix(90_000, -8), fix(0, 3600), fix(250, -5), fix(0, -30, accuracy=900)]

    judgement = held(Track(fix(0, -40)), said)

    assert judgement.taken == (said[0], said[3])
    assert judgement.refused == ((1, R.TOO_FAR), (2, R.IN_THE_FUTURE), (4, R.INACCURATE))
    assert judgement.track == Track(said[3])


def test_a_driver_whose_last_position_was_the_wrong_one_is_believed_at_the_third_word() -> None:
    track = Track(fix(80_000, -20))
    assert refusals(track, fix(0, -15), fix(20, -10), fix(40, -5)) == [R.TOO_FAR, R.TOO_FAR, None]

    for said, why in [(fix(0, -15), R.TOO_FAR), (fix(20, -10), R.TOO_FAR), (fix(40, -5), None)]:
        assert refusals(track, said) == [why]
        track = held(track, [said]).track
    assert track == Track(fix(40, -5))


def test_the_same_words_again_convince_nobody() -> None:
    track = Track(fix(80_000, -20))
    for _ in range(5):
        judgement = held(track, [fix(0, -15)])
        assert judgement.refused == ((0, R.TOO_FAR),)
        track = judgement.track


def test_positions_that_do_not_agree_with_each_other_convince_nobody() -> None:
    leaps = [fix(50_000 * number, number - 20) for number in range(1, 20)]
    assert refusals(Track(fix(0, -20)), *leaps) == [R.TOO_FAR] * 19


def test_a_leap_and_back_leaves_nothing_behind() -> None:
    judgement = held(Track(fix(0, -20)), [fix(50_000, -15), fix(50_000, -12), fix(10, -10)])
    assert judgement.track == Track(fix(10, -10))


@given(tracks, st.lists(fixes, max_size=8), st.randoms(use_true_random=False))
def test_each_position_is_taken_or_refused_in_whatever_order_they_come(
    track: Track, said: list[Fix], random: object
) -> None:
    judgement = held(track, said)

    assert len(judgement.taken) + len(judgement.refused) == len(said)
    assert list(judgement.taken) == sorted(judgement.taken, key=lambda one: one.at)
    if len({one.at for one in said}) == len(said):
        shuffled = list(said)
        random.shuffle(shuffled)  # type: ignore[attr-defined]
        again = held(track, shuffled)
        assert (again.taken, again.track) == (judgement.taken, judgement.track)


@given(tracks, st.lists(fixes, max_size=8))
def test_one_batch_is_judged_as_its_positions_one_by_one(track: Track, said: list[Fix]) -> None:
    together = held(track, said)
    taken: list[Fix] = []
    for one in sorted(said, key=lambda one: one.at):
        alone = held(track, [one])
        taken += alone.taken
        track = alone.track

    assert (together.track, list(together.taken)) == (track, taken)


@given(tracks, st.lists(fixes, max_size=8))
def test_the_last_position_never_grows_older(track: Track, said: list[Fix]) -> None:
    last = held(track, said).track.last
    if track.last is not None:
        assert last is not None
        assert last.at >= track.last.at


@given(tracks, st.lists(fixes, max_size=8))
def test_what_is_sent_again_is_not_taken_for_something_new(track: Track, said: list[Fix]) -> None:
    first = held(track, said)
    again = held(first.track, said)

    assert again.track == first.track
    last = again.track.last
    assert all(last and (one.at, one.point) == (last.at, last.point) for one in again.taken)


@given(tracks, points, st.integers(0, 200))
def test_nobody_is_locked_out(track: Track, point: Point, accuracy: int) -> None:
    began = max([NOW, *(f.at for f in (track.last, *track.doubted) if f is not None)])
    said = [
        Fix(point, began + timedelta(seconds=number), accuracy)
        for number in range(1, RULES.convinced_by + 1)
    ]
    assert judge(track, said, said[-1].at, RULES).track == Track(said[-1])


@given(fixes, fixes)
def test_a_single_leap_beyond_all_speed_is_never_believed(last: Fix, said: Fix) -> None:
    hours = (said.at - last.at) / timedelta(hours=1)
    assume(distance_km(last.point, said.point) > 200 * abs(hours) + 1.3)
    assert held(Track(last), [said]).taken == ()


EVERY = timedelta(seconds=15)


def test_history_has_a_position_each_fifteen_seconds_or_fifty_metres() -> None:
    driven = [fix(0, 0), fix(10, 5), fix(20, 14), fix(21, 15), fix(60, 16), fix(72, 17)]
    kept = list(samples(None, driven, EVERY, 50))
    assert kept == [fix(0, 0), fix(21, 15), fix(72, 17)]
    assert list(samples(fix(0, -1), driven[:3], EVERY, 50)) == [fix(20, 14)]


@given(st.none() | fixes, st.lists(fixes, max_size=20))
def test_between_two_positions_of_a_history_none_is_missing(
    last: Fix | None, said: list[Fix]
) -> None:
    driven = sorted((f for f in said if last is None or f.at > last.at), key=lambda f: f.at)
    kept = set(samples(last, driven, EVERY, 50))

    for one in driven:
        if one in kept or last is None:
            last = one
            assert one in kept
        else:
            assert one.at - last.at < EVERY
            assert distance_km(one.point, last.point) < 0.05


def test_the_later_of_what_two_know() -> None:
    early, late = fix(0, -2), fix(0, -1)
    assert later(early, late) == later(late, early) == late
    assert later(None, early) == later(early, None) == early
    assert later(None, None) is None


def test_who_sees_the_driver_when() -> None:
    seen = {who: {status for status in S if is_shown(who, status)} for who in Actor}
    assert seen[Actor.CUSTOMER] == {S.PICKED_UP, S.IN_TRANSIT}
    assert seen[Actor.CHEF] == {S.PREPARING, S.READY_FOR_PICKUP, S.ASSIGNED_TO_DRIVER}
    assert seen[Actor.DRIVER] == seen[Actor.ADMIN] == set(S)
    assert not seen[Actor.STRIPE]
