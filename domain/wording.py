"""In which words people are told: for the app, a push and an SMS, and for a mail.

The words are in `templates/en.toml` and its like, one file for each language. What such a template
may use is WORDS, each None where it was not given, and the filters

- `money`: an amount, {"cents": 2660, "currency": "usd"}, as its market writes it;
- `time`, `date`: a moment, RFC 3339, by the reader's clock;
- `said`: a reason, in the reader's language where it is one of ours.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from jinja2 import pass_context
from jinja2.runtime import Context

from domain import mails
from domain.languages import Language, clock, money
from domain.notifications import Audience, notice

Words = Mapping[str, Any]

# What a text can be made of. Texts: an order's `number`, its `kitchen`, the `name` of whom it is
# about, a `reason` (a code of ours or somebody's words), the kind of a `document`, the `timezone`
# of where it happens, the `host` of a webhook. Amounts: the order's `total`, the `amount` in
# question. Moments: when the food is `expected` at the door, until when something is `due`. `count`
# is a number of things, and `found` are several kinds of them, each {"kind", "count"}.
WORDS = (
    "number",
    "kitchen",
    "name",
    "reason",
    "document",
    "timezone",
    "host",
    "total",
    "amount",
    "expected",
    "due",
    "count",
    "found",
)


class Said(NamedTuple):
    """What is shown in the app, in a push and an SMS: a headline and a line."""

    title: str
    line: str


class Wording(NamedTuple):
    """A message in every form: `title` and `line` for the app, a push and an SMS; for a mail its
    `subject`, and its body as `text` and as `html`. No title, line or subject has a line break.
    """

    title: str
    line: str
    subject: str
    text: str
    html: str


def amount(cents: int, currency: str) -> dict[str, Any]:
    """An amount, as words have it."""
    return {"cents": cents, "currency": currency}


def moment(at: datetime) -> str:
    """A moment, as words have it."""
    return at.isoformat()


def say(
    occasion: str, audience: str, words: Words, language: Language, timezone: str | None
) -> Said:
    """What is said in the app. `timezone` is the reader's own; without it, it is the one among the
    words. Raises KeyError where this audience is told nothing on this occasion.
    """
    return _Reader(words, language, timezone).said(occasion, audience)


def render(
    occasion: str, audience: str, words: Words, language: Language, timezone: str | None
) -> Wording:
    """All forms of a message; see `say`."""
    reader = _Reader(words, language, timezone)
    said = reader.said(occasion, audience)
    text = reader.text_of(occasion, audience)
    subject = reader.fill(text["subject"]) if "subject" in text else said.title
    more = reader.fill(text["more"]) if "more" in text else None
    body = mails.body(
        language,
        subject,
        [said.line, more] if more else [said.line],
        figures=reader.figures(audience),
        footer=reader.book["mail"]["footer"],
    )
    return Wording(said.title, said.line, subject, text=body.text, html=body.html)


class _Reader:
    """Words, for somebody who reads them in his language by his clock."""

    def __init__(self, words: Words, language: Language, timezone: str | None) -> None:
        self.book = mails.book(language)
        here = timezone or words.get("timezone")
        self._words = {
            **dict.fromkeys(WORDS),
            **words,
            _LANGUAGE: language,
            _CLOCK: clock(here),
        }

    def text_of(self, occasion: str, audience: str) -> Mapping[str, str]:
        text = self.book["texts"][str(occasion)][str(audience)]
        return {"line": text} if isinstance(text, str) else text

    def said(self, occasion: str, audience: str) -> Said:
        known = notice(occasion, audience)
        if known is None:
            raise KeyError(f"{audience} is told nothing on {occasion}")
        text = self.text_of(occasion, audience)
        title = text.get("title") or self.book["titles"][known.type]
        return Said(self.fill(title), self.fill(text["line"]))

    def figures(self, audience: str) -> list[tuple[str, str]]:
        """What the words have in figures that are this audience's business, with their labels."""
        return [
            (label, self.fill(_FIGURES[name]))
            for name, label in self.book["figures"].items()
            if name in _SHOWN[Audience(audience)] and self._words[name] is not None
        ]

    def fill(self, template: str) -> str:
        # A line break would end a mail's subject, and looks like nothing anywhere else.
        return _BREAKS.sub(" ", mails.line(template).render(self._words)).strip()


_LANGUAGE, _CLOCK = "_language", "_clock"
_BREAKS = re.compile(r"[\s\x00-\x1f\x7f]+")
_CODE = re.compile(r"[a-z]+(_[a-z]+)+")

_FIGURES = {
    "number": "{{ number }}",
    "kitchen": "{{ kitchen }}",
    "total": "{{ total | money }}",
    "amount": "{{ amount | money }}",
    "expected": "{{ expected | date }}, {{ expected | time }}",
    "due": "{{ due | date }}, {{ due | time }}",
}


# What an order costs is no business of the driver's, and the chef has his own figures.
_SHOWN: Mapping[Audience, frozenset[str]] = {
    Audience.CUSTOMER: frozenset({"number", "kitchen", "total", "amount", "expected"}),
    Audience.CHEF: frozenset({"number"}),
    Audience.DRIVER: frozenset({"number", "kitchen"}),
    Audience.PAYEE: frozenset({"amount"}),
    Audience.OPS: frozenset({"number", "kitchen", "total", "amount", "due"}),
}


@pass_context
def _money(context: Context, value: Mapping[str, Any]) -> str:
    return money(value["cents"], value["currency"], context[_LANGUAGE])


@pass_context
def _time(context: Context, value: str) -> str:
    return str(context[_CLOCK].time(datetime.fromisoformat(value), context[_LANGUAGE]))


@pass_context
def _date(context: Context, value: str) -> str:
    return str(context[_CLOCK].date(datetime.fromisoformat(value), context[_LANGUAGE]))


@pass_context
def _said(context: Context, reason: str | None) -> str:
    """A code of ours in words, whatever Stripe says besides (`payment_failed: do_not_honor`); one
    without words is read aloud: `kitchen_on_fire`, kitchen on fire.
    """
    reasons: Mapping[str, str] = mails.book(context[_LANGUAGE])["reasons"]
    if not reason:
        return reasons["none"]
    known = reasons.get(reason.partition(": ")[0])
    return known or (reason.replace("_", " ") if _CODE.fullmatch(reason) else reason)


mails.LINES.filters |= {"money": _money, "time": _time, "date": _date, "said": _said}
