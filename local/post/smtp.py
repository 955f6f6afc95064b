"""The mail server of the post office: it takes everything and delivers it to the box."""

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from local.post.box import Box, Received, now
from local.post.faults import Faults, Kind

_SAYS = {
    Kind.DEAD: "550 5.1.1 no such mailbox",
    Kind.REFUSED: "550 5.7.1 we do not want this",
    Kind.BUSY: "451 4.7.1 come back later",
    Kind.DOWN: "451 4.3.0 come back later",
}


class Handler:
    """What happens to the mails of one connection."""

    def __init__(self, box: Box, faults: Faults) -> None:
        self._box = box
        self._faults = faults
        self._drops_after = False

    async def handle_RCPT(  # noqa: N802 - so the library finds it
        self, server: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        """Take an address, unless it is to be refused."""
        struck = self._faults.strike(address)
        if struck is Kind.DROP_BEFORE:
            _hang_up(server)
        if struck in _SAYS:
            return _SAYS[struck]
        self._drops_after = struck is Kind.DROP_AFTER
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - so the library finds it
        self, server: SMTP, __: Session, envelope: Envelope
    ) -> str:
        """Put a mail into the box."""
        mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        for address in envelope.rcpt_tos:
            self._box.put(
                Received(
                    kind="mail",
                    to=address,
                    sender=str(mail["From"]),
                    subject=str(mail["Subject"]),
                    words=_part(mail, "plain") or "",
                    html=_part(mail, "html"),
                    message_id=str(mail["Message-ID"]),
                    at=now(),
                )
            )
        if self._drops_after:
            _hang_up(server)
        return "250 it will be there"


def _part(mail: EmailMessage, kind: str) -> str | None:
    body = mail.get_body((kind,))
    return str(body.get_content()).replace("\r\n", "\n") if body else None


def _hang_up(server: SMTP) -> None:
    # Any loop's transport has it, whatever it is derived from.
    cast("asyncio.Transport", server.transport).abort()
