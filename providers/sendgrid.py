"""Mail, by SendGrid's v3 API (https://docs.sendgrid.com/api-reference/mail-send/mail-send).

SendGrid takes the same letter as often as it is handed over. The Message-ID is ours, so that
mailboxes know a second copy; whether it bounces, SendGrid tells later, with the `key` of the letter
(`providers.sendgrid_events`).
"""

from email.utils import parseaddr
from http import HTTPStatus

import httpx

from providers.mail import message_id
from providers.sending import says, unanswered

_SENDGRID = "https://api.sendgrid.com"

# What is wrong with the letter. Anything else (a key, a plan) is ours to mend, or passes.
_NEVER = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})


class SendGrid:
    """An account at SendGrid."""

    def __init__(
        self, api_key: str, *, sender: str, base_url: str | None, timeout_seconds: float
    ) -> None:
        self._sender = sender
        self._http = httpx.AsyncClient(
            base_url=base_url or _SENDGRID,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=timeout_seconds,
        )

    async def send(
        self, key: str, to: str, subject: str, words: str, html: str | None = None
    ) -> str:
        """As `providers.mail.Mailing.send`; the answer is SendGrid's id."""
        name, address = parseaddr(self._sender)
        content = [{"type": "text/plain", "value": words}]
        if html is not None:
            content.append({"type": "text/html", "value": html})
        letter = {
            "personalizations": [{"to": [{"email": to}], "custom_args": {"key": key}}],
            "from": {"email": address, "name": name} if name else {"email": address},
            "subject": subject,
            "content": content,
            "headers": {
                "Message-ID": message_id(key, self._sender),
                "Auto-Submitted": "auto-generated",
            },
        }
        try:
            answer = await self._http.post("/v3/mail/send", json=letter)
        except httpx.HTTPError as error:
            raise unanswered("SendGrid", error) from None
        if not answer.is_success:
            raise says("SendGrid", answer, never=_NEVER)
        return str(answer.headers.get("X-Message-Id", ""))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()
