"""Mail, by SMTP."""

import re
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib

from providers.sending import Away, Refused

_PORTS = {"smtp": 587, "smtps": 465}

# RFC 5321, 4.2.3: no such mailbox, not here, not an address.
_NO_MAILBOX = frozenset({550, 551, 553})
# RFC 3463: what the server has against us (5.7), or a mailbox that is full (5.2.2), passes.
_NOT_THE_ADDRESS = re.compile(r"^5\.(7\.|2\.2\b)")


class Mailing(Protocol):
    """Whoever passes letters on."""

    async def send(
        self, key: str, to: str, subject: str, words: str, html: str | None = None
    ) -> str:
        """Hand a letter over. A second letter of the same `key` has the same Message-ID, by which
        mailboxes know that they have it; the answer is the id of whoever passes it on.

        Raises Away, Refused.
        """

    async def aclose(self) -> None:
        """Close the connections."""


class Mail:
    """A mail server: `smtp://user:password@host:587` (STARTTLS where it has it), or `smtps`."""

    def __init__(self, url: str, *, sender: str, timeout_seconds: float) -> None:
        self._url = urlsplit(url)
        self._sender = sender
        self._timeout = timeout_seconds

    async def send(
        self, key: str, to: str, subject: str, words: str, html: str | None = None
    ) -> str:
        """As `Mailing.send`; the answer is the Message-ID."""
        host = self._url.hostname
        if host is None:
            raise Away("there is no mail server: set SMTP_URL")
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = self._sender, to, subject
        letter["Date"] = formatdate(usegmt=True)
        letter["Message-ID"] = message_id(key, self._sender)
        # Nobody's holiday note comes back.
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(words)
        if html is not None:
            letter.add_alternative(html, subtype="html")
        try:
            await aiosmtplib.send(
                letter,
                hostname=host,
                port=self._url.port or _PORTS[self._url.scheme],
                username=unquote(self._url.username or "") or None,
                password=unquote(self._url.password or "") or None,
                use_tls=self._url.scheme == "smtps",
                timeout=self._timeout,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refused(error.recipients[0]) from None
        except (aiosmtplib.SMTPDataError, aiosmtplib.SMTPSenderRefused) as error:
            raise _told(error.code) from None
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as error:
            away = f"the mail server does not answer: {type(error).__name__}"
            raise Away(away, may_have_worked=True) from None
        return str(letter["Message-ID"])

    async def aclose(self) -> None:
        """Nothing to close: each letter has a connection of its own."""


def message_id(key: str, sender: str) -> str:
    """By which mailboxes know a letter, at the sender's domain."""
    return f"<{key}@{sender.rpartition('@')[2].strip('>')}>"


def _told(code: int, *, is_dead: bool = False) -> Away | Refused:
    words = f"the mail server says {code}"
    # RFC 5321, 4.2.1: the fives are for good.
    if code // 100 == 5:  # noqa: PLR2004 - as it says
        return Refused(words, is_dead=is_dead)
    return Away(words)


def _refused(error: aiosmtplib.SMTPRecipientRefused) -> Away | Refused:
    is_dead = error.code in _NO_MAILBOX and not _NOT_THE_ADDRESS.match(error.message)
    return _told(error.code, is_dead=is_dead)
