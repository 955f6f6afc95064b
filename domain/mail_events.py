"""What SendGrid's events (https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event)
say of a mail.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from domain.delivering import DeliveryStatus

S = DeliveryStatus

# Why SendGrid does not even try: nothing has arrived there, or its reader wants nothing of ours.
# Other reasons ("Invalid SMTPAPI header", "Recipient List over Package Quota") are about us.
_NOT_TRIED = frozenset(
    {
        "bounced address",
        "invalid",
        "spam reporting address",
        "unsubscribed",
        "unsubscribed address",
    }
)
# RFC 3463. What else a mail server says may name whom the mail was to.
_STATUS_CODE = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class MailEvent:
    """What SendGrid has seen, as far as it says what became of a mail."""

    event: str
    type: str = ""
    reason: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of a mail, and why it did not arrive. The reason names nobody."""

    status: DeliveryStatus
    error: str | None = None


# To which messages an ending is news; and to those whose answer is not there yet. One that was
# given up without an answer was taken after all. What is dead stays so, whatever is told late.
NEWS_TO: Mapping[DeliveryStatus, frozenset[DeliveryStatus]] = {
    S.DELIVERED: frozenset({S.SENT, S.FAILED}),
    S.DEAD: frozenset({S.SENT, S.FAILED, S.DELIVERED}),
}


def ending(said: MailEvent) -> Ending | None:
    """What became of a mail; None if it is not known by this event.

    >>> ending(MailEvent("bounce", type="bounce", status="5.1.1"))
    Ending(status=<DeliveryStatus.DEAD: 'dead'>, error='SendGrid says bounce 5.1.1')
    """
    reason = said.reason.strip().lower()
    match said.event:
        case "delivered":
            return Ending(S.DELIVERED)
        # What is `blocked` may arrive another time.
        case "bounce" if said.type == "bounce":
            code = said.status if _STATUS_CODE.fullmatch(said.status) else ""
            return _dead(f"bounce {code}".strip())
        case "dropped" if reason in _NOT_TRIED:
            return _dead(f"dropped: {reason}")
        case "spamreport":
            return _dead("spamreport")
    return None


def _dead(what: str) -> Ending:
    return Ending(S.DEAD, f"SendGrid says {what}")
