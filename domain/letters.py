"""What people are sent to prove that an address or a phone is theirs, and what they are told about
their account. The words are in `templates/en.toml` and its like.
"""

from typing import NamedTuple

from domain import mails
from domain.challenges import Purpose
from domain.languages import Language


class Text(NamedTuple):
    """A letter; an SMS has no subject, and no page."""

    subject: str
    words: str
    html: str | None = None


# Where the app takes a link's token.
PAGES = {
    Purpose.VERIFY_EMAIL: "/verify-email",
    Purpose.RESET_PASSWORD: "/reset-password",
    Purpose.CHANGE_EMAIL: "/confirm-email-change",
}


def text(purpose: Purpose, *, link: str, code: str, language: Language = Language.EN) -> Text:
    """What a letter says: nothing that somebody has typed in, or he could write to strangers."""
    said = mails.book(language)["letters"][purpose.value]
    words = mails.line(said["words"]).render(link=link, code=code)
    if "subject" not in said:
        return Text("", words)
    paragraphs = [
        mails.Link(said["button"], link) if each == link else each
        for each in words.strip().split("\n\n")
    ]
    body = mails.body(language, said["subject"], paragraphs)
    return Text(said["subject"], body.text, body.html)
