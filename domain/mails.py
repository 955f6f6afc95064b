"""What mails are made of: the words of each language (`templates/en.toml` and its like), and one
layout for all (`templates/mail.html`, `templates/mail.txt`). All are jinja2.
"""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from domain.languages import Language

_FOLDER = Path(__file__).parent / "templates"

# For lines of text; those who render them have filters of their own.
LINES = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - plain text

_MAILS = Environment(
    undefined=StrictUndefined,
    autoescape=select_autoescape(["html"]),
    loader=FileSystemLoader(_FOLDER),
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


class Link(NamedTuple):
    """Where a mail leads; a page has a button of it."""

    label: str
    address: str


class Body(NamedTuple):
    """What a mail says, in both forms."""

    text: str
    html: str


def body(
    language: Language,
    subject: str,
    paragraphs: Sequence[str | Link],
    *,
    figures: Sequence[tuple[str, str]] = (),
    footer: str | None = None,
) -> Body:
    """Lay a mail out. Whatever is in it is shown as it is: nothing of it can be markup."""
    said = {
        "language": language.value,
        "subject": subject,
        "paragraphs": [
            {"link": each, "words": None}
            if isinstance(each, Link)
            else {"link": None, "words": each}
            for each in paragraphs
        ],
        "figures": figures,
        "footer": footer,
    }
    return Body(
        text=_MAILS.get_template("mail.txt").render(said),
        html=_MAILS.get_template("mail.html").render(said),
    )


@cache
def line(source: str) -> Template:
    """A line of a book, as the template that it is."""
    return LINES.from_string(source)


@cache
def book(language: Language) -> Mapping[str, Any]:
    """All words of a language."""
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
