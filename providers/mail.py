"""Mail, by SMTP."""

import ssl
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

import aiosmtplib

_PORTS = {"smtp": 587, "smtps": 465}


class MailAway(Exception):
    """The mail server does not take a letter now. Its words are not told: they name the address."""


class MailRefused(Exception):
    """The mail server will never take this letter."""


class Mail:
    """A mail server: `smtp://user:password@host:587` (STARTTLS where it has it), or `smtps`."""

    def __init__(self, url: str, *, sender: str, timeout_seconds: float) -> None:
        self._url = urlsplit(url)
        self._sender = sender
        self._timeout = timeout_seconds

    async def send(self, key: str, to: str, subject: str, words: str) -> None:
        """Hand a letter to the server. A second letter of the same `key` has the same Message-ID.

        Raises MailAway, MailRefused.
        """
        host = self._url.hostname
        if host is None:
            raise MailAway("there is no mail server: set SMTP_URL")
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = self._sender, to, subject
        letter["Date"] = formatdate(usegmt=True)
        letter["Message-ID"] = f"<{key}@{self._sender.rpartition('@')[2].strip('>')}>"
        # Nobody's holiday note comes back.
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(words)
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
            raise _told(error.recipients[0].code) from None
        except (aiosmtplib.SMTPDataError, aiosmtplib.SMTPSenderRefused) as error:
            raise _told(error.code) from None
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as error:
            raise MailAway(f"the mail server does not answer: {type(error).__name__}") from None


def _told(code: int) -> Exception:
    words = f"the mail server says {code}"
    # RFC 5321, 4.2.1: the fives are for good.
    return MailRefused(words) if code // 100 == 5 else MailAway(words)  # noqa: PLR2004 - as it says
