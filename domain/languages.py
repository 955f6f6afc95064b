"""The languages that people are told things in, and how amounts and moments are written in them.

Amounts look as the market of their currency has them: $26.60 in Austin in Spanish, too, and 26,60 €
in Madrid. Forms are those of the Unicode CLDR, with plain spaces: any other makes an SMS twice as
long.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class Language(StrEnum):
    """What there are words in."""

    EN = "en"
    ES = "es"


def spoken(locale: str | None) -> Language:
    """The language to write in to somebody of a locale (BCP 47); English where we do not have his.

    >>> spoken("es-MX")
    <Language.ES: 'es'>
    """
    tongue = (locale or "").partition("-")[0]
    return Language(tongue) if tongue in set(Language) else Language.EN


class _Currency(NamedTuple):
    """How many digits the minor unit has, and the sign by which each language knows it."""

    digits: int = 2
    sign: Mapping[Language, str] | None = None
    # Where its market writes 1.234,50, Spanish does so; English never does.
    has_decimal_comma: bool = False


_EN, _ES = Language.EN, Language.ES

_CURRENCIES: Mapping[str, _Currency] = {
    "USD": _Currency(sign={_EN: "$", _ES: "$"}),
    "MXN": _Currency(sign={_EN: "MX$", _ES: "$"}),
    "CAD": _Currency(sign={_EN: "CA$", _ES: "CA$"}),
    "GBP": _Currency(sign={_EN: "£", _ES: "£"}),
    "EUR": _Currency(sign={_EN: "€", _ES: "€"}, has_decimal_comma=True),
    "ARS": _Currency(sign={_EN: "ARS ", _ES: "$"}, has_decimal_comma=True),
    "CLP": _Currency(digits=0, sign={_EN: "CLP ", _ES: "$"}, has_decimal_comma=True),
    "JPY": _Currency(digits=0, sign={_EN: "¥", _ES: "¥"}),
}

# CLDR: Spanish parts the thousands of five digits and more.
_GROUPED_FROM = 10_000


def money(cents: int, currency: str, language: Language) -> str:
    """An amount in minor units, with the sign of its currency (ISO 4217, in any case)."""
    code = currency.upper()
    known = _CURRENCIES.get(code, _Currency())
    whole, minor = divmod(abs(cents), 10**known.digits)
    fraction = f"{minor:0{known.digits}d}" if known.digits else ""
    minus = "-" if cents < 0 else ""
    if language is Language.ES and known.has_decimal_comma:
        grouped = f"{whole:,}".replace(",", ".") if whole >= _GROUPED_FROM else str(whole)
        number = f"{grouped},{fraction}" if fraction else grouped
        sign = known.sign[language] if known.sign else code
        return f"{minus}{number} {sign}"
    number = f"{whole:,}.{fraction}" if fraction else f"{whole:,}"
    if known.sign is None:
        return f"{minus}{number} {code}"
    return f"{minus}{known.sign[language]}{number}"


_MONTHS: Mapping[Language, str] = {
    _EN: "January February March April May June July August September October November December",
    _ES: "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
_NOON = 12


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock that a reader goes by. Where nobody knows which, it is UTC, and says so."""

    zone: ZoneInfo | None

    def time(self, at: datetime, language: Language) -> str:
        """The time of the day: 6:25 PM, 18:25."""
        here = self._here(at)
        if language is Language.ES:
            words = f"{here:%H:%M}"
        else:
            half = "AM" if here.hour < _NOON else "PM"
            words = f"{here.hour % _NOON or _NOON}:{here:%M} {half}"
        return words if self.zone else f"{words} UTC"

    def date(self, at: datetime, language: Language) -> str:
        """The day: January 31, 2026, or 31 de enero de 2026."""
        here = self._here(at)
        month = _MONTHS[language].split()[here.month - 1]
        if language is Language.ES:
            return f"{here.day} de {month} de {here.year}"
        return f"{month} {here.day}, {here.year}"

    def _here(self, at: datetime) -> datetime:
        return at.astimezone(self.zone or UTC)


@lru_cache(maxsize=1024)
def clock(timezone: str | None) -> Clock:
    """The clock of a time zone; UTC where there is none of that name (any more)."""
    return Clock(zone(timezone))


def zone(name: str | None) -> ZoneInfo | None:
    """A time zone by its name (America/Chicago); None where there is none of that name."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
