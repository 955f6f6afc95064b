"""Whoever is told something is told it in his language, in every form that it can take."""

import tomllib
from collections.abc import Iterator
from enum import StrEnum
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from domain import mails
from domain.disputes import Outcome
from domain.drivers import DocumentType
from domain.kitchens import ChefDocumentType
from domain.languages import Language
from domain.notifications import NOTICES, Audience, Notice
from domain.reconciliation import CaseKind
from domain.refunds import Reason
from domain.wording import WORDS, Wording, amount, render, say

EN, ES = Language.EN, Language.ES

SAMPLE: dict[str, Any] = {
    "number": "RND-20260131-0001",
    "kitchen": "Meena's Kitchen",
    "name": "Meena Kumari",
    "reason": "chef_did_not_answer",
    "document": "food_license",
    "timezone": "America/Chicago",
    "host": "till.example.com",
    "total": amount(2660, "usd"),
    "amount": amount(1080, "usd"),
    "expected": "2026-02-01T00:25:00+00:00",
    "due": "2026-02-08T05:59:00Z",
    "count": 5,
    "found": [{"kind": "amount_differs", "count": 2}, {"kind": "refund_unknown", "count": 1}],
}

EVERY = [
    pytest.param(occasion.value, one, language, id=f"{occasion.value}-{one.audience}-{language}")
    for occasion, said in NOTICES.items()
    for one in said
    for language in Language
]


class Read(HTMLParser):
    """What a reader sees of a page, and whether its elements end in order."""

    EMPTY = frozenset({"meta", "br", "img", "hr", "link"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.language: str | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "html":
            self.language = dict(attrs)["lang"]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.seen.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.seen).split())


@pytest.mark.parametrize(("occasion", "one", "language"), EVERY)
def test_everybody_is_told_everything_in_his_language(
    occasion: str, one: Notice, language: Language
) -> None:
    wording = render(occasion, one.audience, SAMPLE, language, None)

    assert say(occasion, one.audience, SAMPLE, language, None) == wording[:2]
    for words in wording:
        assert not any(mark in words for mark in ("{{", "{%", "None"))
    for words in wording[:3]:
        assert words
        assert "\n" not in words
    page = Read(wording.html)
    assert (page.open, page.language) == ([], language.value)
    for words in (wording.line, wording.subject):
        assert words in page.words
    assert wording.line in wording.text


@pytest.mark.parametrize(("occasion", "one", "language"), EVERY)
def test_nobody_is_told_the_same_in_two_languages(
    occasion: str, one: Notice, language: Language
) -> None:
    others = [render(occasion, one.audience, SAMPLE, each, None) for each in Language]
    assert len({wording.line for wording in others}) == len(Language)
    assert render(occasion, one.audience, SAMPLE, language, None) in others


def books() -> Iterator[tuple[Language, dict[str, Any]]]:
    folder = Path(__file__).parents[2] / "domain" / "templates"
    for language in Language:
        yield language, tomllib.loads((folder / f"{language}.toml").read_text())


def test_every_language_has_words_for_the_same_and_for_nothing_else() -> None:
    told = {
        occasion.value: {one.audience.value for one in said} for occasion, said in NOTICES.items()
    }
    types = {one.type for said in NOTICES.values() for one in said}
    reasons = []
    for language, book in books():
        assert {name: set(text) for name, text in book["texts"].items()} == told, language
        assert set(book["titles"]) == types, language
        assert set(book["figures"]) <= set(WORDS), language
        reasons.append(set(book["reasons"]))
    assert all(known == reasons[0] for known in reasons)


# What workflows say of a cancellation.
CANCELLED = StrEnum(
    "CANCELLED",
    "cancelled_by_customer cancelled_by_chef chef_did_not_answer chef_suspended customer_suspended"
    " no_driver_found operator payment_expired payment_failed payment_not_captured"
    " payment_unavailable rejected_by_chef stopped_by_operations",
)


@pytest.mark.parametrize(
    "codes", [CANCELLED, Reason, Outcome, DocumentType, ChefDocumentType, CaseKind]
)
def test_codes_of_ours_have_words(codes: Any) -> None:
    for language, book in books():
        assert {code.value for code in codes} <= set(book["reasons"]), language


def cancelled(reason: str | None, language: Language) -> str:
    words = {"number": "RND-1", "kitchen": "Meena's", "reason": reason}
    return say("cancelled", Audience.CUSTOMER, words, language, None).line


@pytest.mark.parametrize(
    ("reason", "english", "spanish"),
    [
        (
            "chef_did_not_answer",
            "the kitchen did not answer in time",
            "la cocina no respondió a tiempo",
        ),
        ("payment_failed: do_not_honor", "the payment failed", "el pago falló"),
        ("kitchen_on_fire", "kitchen on fire", "kitchen on fire"),
        ("We are out of rice.", "We are out of rice.", "We are out of rice."),
        ("late: the bridge is closed", "too late", "llegó tarde"),
        ("requirements.past_due", "requirements.past_due", "requirements.past_due"),
        (None, "no reason given", "sin motivo indicado"),
        ("", "no reason given", "sin motivo indicado"),
    ],
)
def test_a_reason_is_said_in_words(reason: str | None, english: str, spanish: str) -> None:
    assert cancelled(reason, EN) == f"Your order has been cancelled ({english})."
    assert cancelled(reason, ES) == f"Tu pedido ha sido cancelado ({spanish})."


def test_the_order_is_expected_by_the_readers_clock() -> None:
    def line(language: Language, reads_in: str | None, **changes: Any) -> str:
        words = {**SAMPLE, **changes}
        return say("picked_up", Audience.CUSTOMER, words, language, reads_in).line

    on_the_way = "Your order has been picked up and is on the way!"
    assert line(EN, None) == f"{on_the_way} Expected at 6:25 PM."
    assert line(EN, "America/New_York") == f"{on_the_way} Expected at 7:25 PM."
    assert line(EN, None, timezone=None) == f"{on_the_way} Expected at 12:25 AM UTC."
    assert line(EN, None, expected=None) == on_the_way
    assert line(ES, None) == "¡Tu pedido ya está en camino! Llegada prevista: 18:25."


def test_a_mail_in_plain_text_reads_as_it_did() -> None:
    words = {**SAMPLE, "reason": None, "expected": None, "due": None}
    english = render("refund_granted", Audience.CUSTOMER, words, EN, None)

    assert english[:3] == (
        "Order RND-20260131-0001",
        "You get $10.80 back for RND-20260131-0001.",
        "A refund for order RND-20260131-0001",
    )
    assert (
        english.text
        == """You get $10.80 back for RND-20260131-0001.

Order: RND-20260131-0001
Kitchen: Meena's Kitchen
Total: $26.60
Amount: $10.80

--
You get this mail because you use RideNDine. In the app you choose what you hear of, and how.
"""
    )
    spanish = render(
        "payment_confirmed", Audience.CUSTOMER, {**SAMPLE, "amount": None}, ES, "Europe/Madrid"
    )
    assert (
        spanish.text
        == """Pago recibido. Falta que Meena's Kitchen acepte tu pedido.

Te avisamos en cuanto la cocina lo acepte. Si no puede, te devolvemos todo el importe.

Pedido: RND-20260131-0001
Cocina: Meena's Kitchen
Total: $26.60
Llegada prevista: 1 de febrero de 2026, 01:25

--
Recibes este correo porque usas RideNDine. En la aplicación eliges qué quieres saber, y cómo.
"""
    )


def test_an_hour_and_an_amount_are_only_shown_to_whom_they_concern() -> None:
    def figures(occasion: str, audience: Audience) -> str:
        return render(occasion, audience, SAMPLE, EN, None).text

    assert "$26.60" in figures("cancelled", Audience.CUSTOMER)
    assert "$26.60" not in figures("cancelled", Audience.CHEF)
    assert "$26.60" not in figures("cancelled", Audience.DRIVER)
    assert "Due: February 7, 2026, 11:59 PM" in figures("evidence_due", Audience.OPS)


HOSTILE = "<script>alert(1)</script> & \"'{{ 7 * 7 }}"


def test_what_people_have_typed_is_shown_as_they_typed_it() -> None:
    words = {**SAMPLE, "kitchen": HOSTILE, "reason": HOSTILE, "name": HOSTILE}
    for occasion, said in NOTICES.items():
        for one in said:
            wording = render(occasion.value, one.audience, words, EN, None)
            assert "<script>" not in wording.html
            assert "49" not in wording.line
            assert wording.line in Read(wording.html).words
    assert HOSTILE in render("cancelled", Audience.CHEF, words, EN, None).text


@given(st.text(), st.text(), st.sampled_from(Language))
def test_nothing_that_people_type_breaks_a_mail(
    kitchen: str, reason: str, language: Language
) -> None:
    words = {"number": "RND-1", "kitchen": kitchen, "reason": reason}
    for occasion in ("accepted", "cancelled"):
        wording: Wording = render(occasion, Audience.CUSTOMER, words, language, None)
        assert Read(wording.html).open == []
        for line in wording[:3]:
            assert line.splitlines() in ([line], [])
            assert not any(letter < " " for letter in line)


def test_a_word_that_there_is_not_is_a_mistake_in_the_template() -> None:
    with pytest.raises(UndefinedError):
        mails.LINES.from_string("{{ nubmer }}").render(dict.fromkeys(WORDS))


def test_whoever_is_told_nothing_has_no_words() -> None:
    with pytest.raises(KeyError):
        render("accepted", Audience.DRIVER, SAMPLE, EN, None)
    with pytest.raises(KeyError):
        render("no_such_thing", Audience.OPS, SAMPLE, EN, None)
