"""Options: each mistake has its own code, and a portion costs what was chosen with it."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.choices import CannotBeChosen, Group, Mistake, Option, choose, portion_cents

SMALL, LARGE, GHEE, NUTS, PODI = [UUID(int=number) for number in range(5)]
SIZE = Group("Size", 1, 1, (Option(SMALL, "small", 0), Option(LARGE, "large", 300)))
EXTRAS = Group(
    "Extras",
    0,
    2,
    (
        Option(GHEE, "ghee", 50),
        Option(NUTS, "nuts", 80, is_available=False),
        Option(PODI, "podi", 40),
    ),
)
DOSA = [SIZE, EXTRAS]


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ([], Mistake.TOO_FEW),
        ([SMALL, LARGE], Mistake.TOO_MANY),
        ([SMALL, SMALL], Mistake.TWICE),
        ([SMALL, UUID(int=99)], Mistake.UNKNOWN),
        ([SMALL, NUTS], Mistake.UNAVAILABLE),
    ],
    ids=lambda value: str(value) if isinstance(value, Mistake) else "",
)
def test_a_choice_that_cannot_be_says_why(wanted: list[UUID], why: Mistake) -> None:
    with pytest.raises(CannotBeChosen) as refused:
        choose(DOSA, wanted)

    assert refused.value.why is why


def test_a_choice_comes_in_the_order_of_the_menu_and_costs_what_it_says() -> None:
    chosen = choose(DOSA, [PODI, LARGE, GHEE])

    assert [(c.group, c.option.name) for c in chosen] == [
        ("Size", "large"),
        ("Extras", "ghee"),
        ("Extras", "podi"),
    ]
    assert portion_cents(1000, chosen) == 1390


def test_a_dish_without_choices_takes_none() -> None:
    assert choose([], []) == []
    with pytest.raises(CannotBeChosen):
        choose([], [SMALL])


@given(st.lists(st.sampled_from([SMALL, LARGE, GHEE, NUTS, PODI])))
def test_whatever_is_let_through_keeps_to_the_rules(wanted: list[UUID]) -> None:
    try:
        chosen = choose(DOSA, wanted)
    except CannotBeChosen:
        return
    assert sorted(c.option.id for c in chosen) == sorted(wanted)
    assert all(c.option.is_available for c in chosen)
    for group in DOSA:
        taken = sum(c.group == group.name for c in chosen)
        assert group.min_choices <= taken <= group.max_choices
