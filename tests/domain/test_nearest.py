"""The seeds' rule of dispatch: nearest, then rating, then load, ten at most."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.dispatch.nearest import MOST_CANDIDATES, Candidate, rank

candidates = st.builds(
    Candidate,
    driver_id=st.uuids(),
    distance_km=st.sampled_from([0.5, 1.0, 2.5]),
    rating=st.sampled_from([4.0, 4.5, 5.0]),
    load=st.integers(0, 2),
)


def driver(number: int, km: float, rating: float, load: int) -> Candidate:
    return Candidate(UUID(int=number), km, rating, load)


def test_distance_then_rating_then_load() -> None:
    near = driver(1, 0.5, 4.0, 2)
    good = driver(2, 1.0, 5.0, 2)
    idle = driver(3, 1.0, 4.5, 0)
    busy = driver(4, 1.0, 4.5, 1)

    assert rank([busy, idle, good, near]) == [near, good, idle, busy]


@given(st.lists(candidates, max_size=40), st.randoms())
def test_ten_at_most_whatever_the_order_they_come_in(found: list[Candidate], random) -> None:  # noqa: ANN001
    shuffled = list(found)
    random.shuffle(shuffled)

    assert rank(shuffled) == rank(found)
    assert len(rank(found)) == min(len(found), MOST_CANDIDATES)
    assert set(rank(found)) <= set(found)
