"""What a cart's line comes to, what is in its way, and which lines are one."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import cart
from domain.cart import Dish, Problem, Standing
from domain.choices import Group, Option

DOSA, SMALL, LARGE = [UUID(int=number) for number in range(3)]
SIZE = Group("Size", 1, 1, (Option(SMALL, "small", 0), Option(LARGE, "large", 300)))
NO_LARGE = Group(
    "Size", 1, 1, (Option(SMALL, "small", 0), Option(LARGE, "large", 300, is_available=False))
)
TWO = Group("Size", 2, 2, SIZE.options)


@pytest.mark.parametrize(
    ("dish", "portions", "stands"),
    [
        (Dish(1000, True, None, [SIZE]), 99, Standing(1300)),
        (Dish(1000, True, 2, [SIZE]), 2, Standing(1300)),
        (Dish(1000, True, 2, [SIZE]), 3, Standing(1300, (Problem.SOLD_OUT,))),
        (Dish(1000, False, None, [SIZE]), 1, Standing(1300, (Problem.UNAVAILABLE,))),
        (Dish(1000, True, None, [NO_LARGE]), 1, Standing(None, (Problem.OPTION_GONE,))),
        (Dish(1000, True, None, []), 1, Standing(None, (Problem.OPTION_GONE,))),
        (Dish(1000, True, None, [TWO]), 1, Standing(None, (Problem.CHOOSE_AGAIN,))),
        (
            Dish(1000, False, 0, [NO_LARGE]),
            1,
            Standing(None, (Problem.UNAVAILABLE, Problem.SOLD_OUT, Problem.OPTION_GONE)),
        ),
        (None, 1, Standing(None, (Problem.GONE,))),
    ],
    ids=range(9),
)
def test_how_a_line_stands(dish: Dish | None, portions: int, stands: Standing) -> None:
    assert cart.standing(dish, [LARGE], portions) == stands


@given(st.lists(st.uuids(), unique=True), st.text() | st.none())
def test_lines_are_one_however_their_options_are_told(
    options: list[UUID], wishes: str | None
) -> None:
    assert cart.choice(DOSA, options, wishes) == cart.choice(DOSA, options[::-1], wishes)


@given(st.lists(st.uuids(), unique=True), st.text(min_size=1))
def test_other_wishes_are_another_line(options: list[UUID], wishes: str) -> None:
    assert cart.choice(DOSA, options, wishes) != cart.choice(DOSA, options, None)
    assert cart.choice(DOSA, [*options, LARGE], wishes) != cart.choice(SMALL, options, wishes)
