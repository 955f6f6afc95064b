"""The mail server of the post office: it takes everything and delivers it to the box."""

from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, Envelope, Session

from local.post.box import Box, Received, now


class Handler:
    """What happens to a mail."""

    def __init__(self, box: Box) -> None:
        self._box = box

    async def handle_RCPT(  # noqa: N802 - so the library finds it
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        """Take an address, unless it is to be refused."""
        refusal = self._box.next_refusal(address)
        if refusal is not None:
            return "550 no such mailbox" if refusal.for_good else "451 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - so the library finds it
        self, _: SMTP, __: Session, envelope: Envelope
    ) -> str:
        """Put a mail into the box."""
        mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        body = mail.get_body(("plain",))
        words = str(body.get_content()).replace("\r\n", "\n") if body else ""
        for address in envelope.rcpt_tos:
            self._box.put(
                Received(
                    kind="mail",
                    to=address,
                    sender=str(mail["From"]),
                    subject=str(mail["Subject"]),
                    words=words,
                    message_id=str(mail["Message-ID"]),
                    at=now(),
                )
            )
        return "250 it will be there"
