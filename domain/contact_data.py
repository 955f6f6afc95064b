"""Ways around the platform that people write into their messages: found and masked.

Telephone numbers (as written in the order's country, with a country code, or digit by digit, in
words of English and Spanish, too), addresses of mail and web, and names at messengers. Nobody's
number is shown to anybody, and no deal is made past the platform.

What an order is full of is left alone: its number, house numbers, amounts, times and days, and door
codes ("4521#"). A rule of thumb can be led astray both ways: somebody who is set on it passes his
number on in riddles, and eight digits that are no telephone number are masked as one.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from phonenumbers import Leniency, PhoneNumberMatcher

MASK = "•••"

# Fewer digits than any subscriber's number has: door codes, houses, amounts.
_FEWEST_DIGITS = 7
# With commas between them they may as well be a list of several things, unless they are many.
_FEWEST_WITH_COMMAS = 10

_Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Masked:
    """A text as others may read it, and in how many places something was masked."""

    text: str
    count: int


_DIGITS = {
    **dict.fromkeys(("zero", "oh", "nil", "cero"), 1),
    **dict.fromkeys(("one", "uno", "una", "two", "dos", "three", "tres", "four", "cuatro"), 1),
    **dict.fromkeys(("five", "cinco", "six", "seis", "seven", "siete", "eight", "ocho"), 1),
    **dict.fromkeys(("nine", "nueve"), 1),
    # The digit that comes twice or thrice counts by itself.
    **dict.fromkeys(("double", "doble"), 1),
    **dict.fromkeys(("triple",), 2),
}
_WORD = rf"\b(?:{'|'.join(_DIGITS)})\b"
# Keycaps and what cannot be seen, and whatever else is put between the digits of one number.
_BETWEEN = r"[\s.\-–—()\[\]/_*~|+\ufe0f\u20e3\u200b-\u200d\u2060]{0,4}"  # noqa: RUF001
_DIGIT = rf"(?:\d|{_WORD}|(?<=\d)[oO](?![^\W\d_]))"
_KEY = r"[\ufe0f\u20e3]{0,2}"
_RUN = re.compile(rf"\+?{_DIGIT}(?:{_BETWEEN}{_DIGIT})*{_KEY}", re.IGNORECASE)
_RUN_WITH_COMMAS = re.compile(
    rf"\+?{_DIGIT}(?:{_BETWEEN},?{_BETWEEN}{_DIGIT})*{_KEY}", re.IGNORECASE
)
_ONE = re.compile(_DIGIT, re.IGNORECASE)

_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_HARMLESS = re.compile(
    # The number of an order, the id of anything.
    r"\bRND-\d{8}-\d{4,6}\b|(?<![\d-])20\d{6}-\d{4,6}(?![\d-])"
    r"|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    # A day, a time.
    rf"|(?<![\d.\-/])20\d\d-{_MONTH}-{_DAY}(?![\d.\-/]*\d)"
    rf"|(?<![\d.\-/])(?:{_DAY}[./]{_MONTH}|{_MONTH}/{_DAY})[./](?:20)?\d\d(?![.\-/]*\d)"
    r"|(?<!\d)(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?![\d:])"
    # An amount with its currency, a postal code of nine digits.
    r"|[$€£]\s?\d{1,3}(?:(?:,\d{3})+|\d{0,3})(?:[.,]\d\d)?(?![\d\-/]|[.,]\d)"
    r"|(?<![\d.,\-/])\d{1,3}(?:(?:,\d{3})+|\d{0,3})(?:[.,]\d\d)?\s?(?:[$€£]|(?:usd|eur|dollars?)\b)"
    r"|\b[A-Z]{2}\s\d{5}-\d{4}\b",
    re.IGNORECASE,
)

_AT = r"(?:@|\s?[(\[{<]\s?(?:at|arroba)\s?[)\]}>]\s?|\s@\s?)"
_DOT = r"(?:\.(?=\w)|\s\.\s|\s?[(\[{<]\s?(?:dot|punto)\s?[)\]}>]\s?|\s(?:dot|punto)\s)"
# Whole ones only, and never looked at twice: otherwise a long word would take its square.
_NAME = r"(?<![\w.+\-])[\w.+\-]++"
_LABEL = r"(?<![\w\-])[\w\-]++"
_ENDINGS = r"(?:com|net|org|info|biz|edu|gov)"
_PROVIDERS = r"(?:gmail|googlemail|yahoo|hotmail|outlook|icloud|proton(?:mail)?|aol|gmx)"
_APPS = (
    r"(?:whats\s?app|telegram|viber|we\s?chat|insta(?:gram)?|snap\s?chat|facebook|tik\s?tok|discord"
    r"|skype|venmo|cash\s?app|zelle|paypal)"
)
_NAMED = r"(?:\s(?:id|name|handle|user(?:name)?|account|address|number))?"
# What follows "my insta is" or "whatsapp me at" and is nobody's name there.
_NO_HANDLE = (
    r"(?!(?:an?|the|this|that|my|your|not|no|so|too|on|off|out|down|broken|full|home|work|once"
    r"|least|all|any|soon|well|la|el|no|muy)\b)"
)
_HANDLE = rf"{_NO_HANDLE}((?:@|[^\W\d])[\w.+\-]*\w)"

# What a group holds is masked; without one, all of it.
_CONTACTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\bhttps?://\S+|\bwww\.\S+",
        rf"{_LABEL}{_DOT}(?:[\w\-]++{_DOT}){{0,5}}{_ENDINGS}\b(?:[/?#]\S*)?",
        # Countries are syllables, too ("the bell.Me too"): they count with a page behind them.
        rf"{_LABEL}\.(?:me|us|io|co|ly|gg|ee|to|in|mx|es|uk)/\w\S*",
        rf"{_NAME}{_AT}[\w\-]+(?:{_DOT}[\w\-]+){{0,3}}{_DOT}[^\W\d_]{{2,}}",
        rf"{_NAME}\s(?:at|arroba)\s[\w\-]+\s(?:dot|punto)\s\w{{2,}}",
        rf"{_NAME}\s?(?:@|\b(?:at|arroba)\b)\s?{_PROVIDERS}\b(?:{_DOT}\w+)?",
        r"(?<![\w@])@[^\W\d_][\w.]*\w",
        rf"\b{_APPS}(?:\s(?:me|us))?{_NAMED}\s?(?:\s(?:at|as|under)\s|[:=@])\s?{_HANDLE}",
        rf"\bmy\s(?:{_APPS}|{_PROVIDERS}|e-?mail){_NAMED}\s(?:is|es)\s{_HANDLE}",
    )
)


def masked(text: str, region: str) -> Masked:
    """A text without the contact data in it; `region` is where it is written (ISO 3166, as in
    "US"), since telephone numbers are written otherwise in each.

    What is masked stays masked, and nothing more of it, when it is masked again.
    """
    count = 0
    # What is masked lays open what it was a part of.
    while spans := _merged(_contacts(plain := _plain(text), region), plain):
        count += len(spans)
        for begin, end in reversed(spans):
            text = text[:begin] + MASK + text[end:]
    return Masked(text, count)


def _plain(text: str) -> str:
    """The same text character by character, each as it is usually written: a digit in a circle is
    a digit.
    """
    usual = (unicodedata.normalize("NFKC", character) for character in text)
    return "".join(
        mapped if len(mapped) == 1 else character
        for character, mapped in zip(text, usual, strict=True)
    )


def _contacts(text: str, region: str) -> Iterator[_Span]:
    for pattern in _CONTACTS:
        for found in pattern.finditer(text):
            yield found.span(found.lastindex or 0)
    harmless = [found.span() for found in _HARMLESS.finditer(text)]
    for begin, end in _numbers(text, region):
        if not any(begin < other_end and other < end for other, other_end in harmless):
            yield begin, end
    # What lies beside something harmless is looked at without it.
    for begin, end in _between(harmless, len(text)):
        yield from _runs(text, begin, end)


def _numbers(text: str, region: str) -> Iterator[_Span]:
    """Telephone numbers as they are written in a region, with their extensions."""
    for found in PhoneNumberMatcher(text, region, leniency=Leniency.VALID):
        yield found.start, found.end


def _runs(text: str, begin: int, end: int) -> Iterator[_Span]:
    """Digits that are too many for anything but a telephone number."""
    for found in _RUN_WITH_COMMAS.finditer(text, begin, end):
        parts = _RUN.finditer(text, *found.span())
        alone = [part.span() for part in parts if _digits(part.group()) >= _FEWEST_DIGITS]
        if alone:
            yield from alone
        elif _digits(found.group()) >= _FEWEST_WITH_COMMAS:
            yield found.span()


def _digits(run: str) -> int:
    return sum(_DIGITS.get(one.lower(), 1) for one in _ONE.findall(run))


def _between(spans: Iterable[_Span], length: int) -> Iterator[_Span]:
    begin = 0
    for start, end in spans:
        yield begin, start
        begin = end
    yield begin, length


def _merged(spans: Iterable[_Span], text: str) -> list[_Span]:
    """Spans that overlap, or have nothing but spaces between them, are one."""
    found: list[_Span] = []
    for begin, end in sorted(spans):
        if found and not text[found[-1][1] : begin].strip():
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found
