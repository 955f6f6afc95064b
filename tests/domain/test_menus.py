"""What may be on a menu, and which choices can be made at all."""

from hypothesis import given
from hypothesis import strategies as st

from domain.files import PDF, document_type
from domain.menus import FEW, can_be_had, is_possible, told_left

numbers = st.integers(-2, 60)


@given(numbers, numbers, numbers)
def test_a_choice_is_possible_if_some_number_of_options_makes_it(
    least: int, most: int, options: int
) -> None:
    can_be_made = any(least <= taken <= most for taken in range(options + 1))

    if is_possible(least, most, options):
        assert can_be_made
        # Whoever takes all that he may has taken different ones.
        assert 1 <= most <= options
    elif least >= 0 and 1 <= most <= options:
        assert not can_be_made


@given(st.booleans(), st.none() | st.integers(0, 100))
def test_customers_hear_of_few_portions_and_none_are_had_of_nothing(
    is_available: bool, stock: int | None
) -> None:
    assert can_be_had(is_available, stock) == (is_available and (stock is None or stock > 0))
    left = told_left(stock)
    assert left == stock or (left is None and stock is not None and stock > FEW)


def test_documents_are_known_by_how_they_begin() -> None:
    assert document_type(b"%PDF-1.4 ...") == PDF
    png = document_type(b"\x89PNG\r\n\x1a\n")
    assert png is not None
    assert png.suffix == "png"
    assert document_type(b" %PDF-1.4") is None
    assert document_type(b"") is None
