"""Amounts and moments look as their readers are used to."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.languages import Language, clock, money, spoken

EN, ES = Language.EN, Language.ES


@pytest.mark.parametrize(
    ("cents", "currency", "english", "spanish"),
    [
        (2660, "usd", "$26.60", "$26.60"),
        (5, "USD", "$0.05", "$0.05"),
        (0, "usd", "$0.00", "$0.00"),
        (-2660, "usd", "-$26.60", "-$26.60"),
        (123_456_789, "usd", "$1,234,567.89", "$1,234,567.89"),
        (2660, "mxn", "MX$26.60", "$26.60"),
        (2660, "eur", "€26.60", "26,60 €"),
        (123_456, "eur", "€1,234.56", "1234,56 €"),
        (1_234_567, "eur", "€12,345.67", "12.345,67 €"),
        (-2660, "eur", "-€26.60", "-26,60 €"),
        (2660, "clp", "CLP 2,660", "2660 $"),
        (2660, "jpy", "¥2,660", "¥2,660"),
        (2660, "chf", "26.60 CHF", "26.60 CHF"),
    ],
)
def test_an_amount_looks_as_in_its_market(
    cents: int, currency: str, english: str, spanish: str
) -> None:
    assert money(cents, currency, EN) == english
    assert money(cents, currency, ES) == spanish


@given(
    st.integers(-(10**12), 10**12),
    st.sampled_from(["usd", "eur", "mxn", "gbp", "chf"]),
    st.sampled_from(Language),
)
def test_no_cent_is_lost_by_writing_it(cents: int, currency: str, language: Language) -> None:
    written = money(cents, currency, language)

    assert int("".join(letter for letter in written if letter.isdigit())) == abs(cents)
    assert written.startswith("-") is (cents < 0)
    assert written.isprintable()


EVENING = datetime(2026, 2, 1, 0, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    ("timezone", "language", "time", "date"),
    [
        ("America/Chicago", EN, "6:25 PM", "January 31, 2026"),
        ("America/Chicago", ES, "18:25", "31 de enero de 2026"),
        ("Europe/Madrid", ES, "01:25", "1 de febrero de 2026"),
        ("Asia/Kolkata", EN, "5:55 AM", "February 1, 2026"),
        (None, EN, "12:25 AM UTC", "February 1, 2026"),
        ("Mars/Olympus", ES, "00:25 UTC", "1 de febrero de 2026"),
        ("../../etc/passwd", EN, "12:25 AM UTC", "February 1, 2026"),
        ("America", EN, "12:25 AM UTC", "February 1, 2026"),
    ],
)
def test_a_moment_is_told_by_the_readers_clock(
    timezone: str | None, language: Language, time: str, date: str
) -> None:
    here = clock(timezone)

    assert here.time(EVENING, language) == time
    assert here.date(EVENING, language) == date


def test_noon_and_midnight_are_what_they_are() -> None:
    here = clock("Etc/UTC")

    assert here.time(datetime(2026, 1, 1, 12, 0, tzinfo=UTC), EN) == "12:00 PM"
    assert here.time(datetime(2026, 1, 1, 0, 0, tzinfo=UTC), EN) == "12:00 AM"


@pytest.mark.parametrize(
    ("locale", "language"),
    [("es", ES), ("es-MX", ES), ("es-Latn-419", ES), ("en-US", EN), ("de-AT", EN), (None, EN)],
)
def test_whoever_reads_what_we_do_not_write_gets_english(
    locale: str | None, language: Language
) -> None:
    assert spoken(locale) is language
