"""What a kitchen has to show, and when it is at another place."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from domain.geo import Point
from domain.kitchens import OF_THE_PLACE, REQUIRED, ChefDocumentType, has_moved, needs_end
from domain.verification import DocumentStatus, Paper, missing

T, S = ChefDocumentType, DocumentStatus
TODAY = date(2026, 1, 31)

papers = st.lists(
    st.builds(Paper, st.sampled_from(T), st.sampled_from(S), st.none() | st.dates()), max_size=10
)


@given(papers)
def test_only_what_is_approved_and_good_is_shown(shown: list[Paper[ChefDocumentType]]) -> None:
    lacking = missing(REQUIRED, shown, TODAY)

    for kind in REQUIRED:
        good = [
            paper
            for paper in shown
            if paper.type is kind
            and paper.status is S.APPROVED
            and (paper.expires_on is None or paper.expires_on >= TODAY)
        ]
        assert (kind in lacking) == (not good)
    assert T.INSURANCE not in lacking


def test_a_licence_is_of_a_place_and_has_an_end_and_a_person_has_neither() -> None:
    assert needs_end(T.FOOD_LICENSE)
    assert T.FOOD_LICENSE in OF_THE_PLACE
    assert not needs_end(T.IDENTITY)
    assert T.IDENTITY not in OF_THE_PLACE


def test_a_pin_that_is_set_right_has_not_moved() -> None:
    home = Point(30.2672, -97.7431)

    assert not has_moved(home, home)
    assert not has_moved(home, Point(30.2682, -97.7431))
    assert has_moved(home, Point(30.2692, -97.7431))
