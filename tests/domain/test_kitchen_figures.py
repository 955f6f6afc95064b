"""Figures that can be added up, and shares of nothing."""

from hypothesis import given
from hypothesis import strategies as st

from domain.kitchen_figures import Figures, total

counts = st.integers(0, 1000)
some = st.builds(
    Figures,
    *[counts] * 8,
    promised_minutes=st.integers(0, 10_000).map(float),
    real_minutes=st.integers(0, 10_000).map(float),
)


def test_nothing_has_no_share_and_no_average() -> None:
    nothing = total([])

    assert nothing == Figures()
    assert (nothing.acceptance, nothing.average_promised_minutes, nothing.average_real_minutes) == (
        None,
        None,
        None,
    )


def test_an_average_is_over_all_orders_and_not_over_days() -> None:
    busy = Figures(accepted=9, refused=1, timed=3, promised_minutes=60, real_minutes=90)
    slow = Figures(accepted=0, refused=1, timed=1, promised_minutes=40, real_minutes=10)

    both = total([busy, slow])

    assert both.acceptance == 9 / 11
    assert (both.average_promised_minutes, both.average_real_minutes) == (25, 25)


@given(st.lists(some), st.lists(some))
def test_however_they_are_put_together_the_sum_is_the_same(
    some: list[Figures], others: list[Figures]
) -> None:
    assert total([total(some), total(others)]) == total([*some, *others])


@given(some)
def test_a_share_is_a_share(figures: Figures) -> None:
    assert figures.acceptance is None or 0 <= figures.acceptance <= 1
