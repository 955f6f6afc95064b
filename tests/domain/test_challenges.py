"""One-time links and codes: only we can make them, and each is good for one thing."""

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import letters
from domain.challenges import Purpose, code, link_token, read_link_token
from domain.languages import Language

SECRETS = st.text(min_size=32, max_size=64, alphabet=st.characters(codec="utf-8"))
PURPOSES = st.sampled_from(Purpose)


@given(secret=SECRETS, number=st.uuids(), purpose=PURPOSES)
def test_a_link_says_which_row_it_is_about(secret: str, number: UUID, purpose: Purpose) -> None:
    assert read_link_token(secret, link_token(secret, number, purpose), purpose) == number


@given(
    secret=SECRETS,
    other=SECRETS,
    number=st.uuids(),
    another=st.uuids(),
    purpose=PURPOSES,
    wrong=PURPOSES,
)
def test_a_link_of_another_secret_row_or_purpose_is_none(
    secret: str, other: str, number: UUID, another: UUID, purpose: Purpose, wrong: Purpose
) -> None:
    token = link_token(secret, number, purpose)
    swapped = f"{another.hex}.{token.split('.')[1]}"

    assert (read_link_token(other, token, purpose) is None) == (secret != other)
    assert (read_link_token(secret, token, wrong) is None) == (purpose != wrong)
    assert (read_link_token(secret, swapped, purpose) is None) == (number != another)


@given(secret=SECRETS, number=st.uuids(), text=st.text(max_size=120))
def test_what_somebody_makes_up_is_no_link(secret: str, number: UUID, text: str) -> None:
    for forged in (text, f"{number.hex}.{text}", f"{number}.{text}"):
        assert read_link_token(secret, forged, Purpose.RESET_PASSWORD) is None


@given(secret=SECRETS, number=st.uuids(), purpose=PURPOSES)
def test_a_code_has_six_digits_and_is_the_same_each_time(
    secret: str, number: UUID, purpose: Purpose
) -> None:
    made = code(secret, number, purpose)

    assert re.fullmatch("[0-9]{6}", made)
    assert made == code(secret, number, purpose)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("purpose", Purpose)
def test_every_purpose_has_its_words(purpose: Purpose, language: Language) -> None:
    text = letters.text(purpose, link="https://x.example/l", code="471100", language=language)

    assert (text.html is None) == (purpose is Purpose.VERIFY_PHONE)
    assert ('href="https://x.example/l"' in (text.html or "")) == (purpose in letters.PAGES)
    others = [letters.text(purpose, link="", code="", language=each) for each in Language]
    assert len({(other.subject, other.words) for other in others}) == len(Language)
    assert ("https://x.example/l" in text.words) == (purpose in letters.PAGES)
    assert ("471100" in text.words) == (purpose is Purpose.VERIFY_PHONE)
    assert (not text.subject) == (purpose is Purpose.VERIFY_PHONE)
