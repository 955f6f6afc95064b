"""Which of the events that SendGrid tells are about mails of ours, and what they say of them."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from domain.delivering import Round
from domain.mail_events import MailEvent, ending
from schema.queries.delivery_events import News

_POST = TypeAdapter(list[object], config=ConfigDict(hide_input_in_errors=True))


class _Event(BaseModel):
    """An event as SendGrid writes it: the part of it that we read. `key` is ours, and is that of
    the mail.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    event: str
    email: str
    key: str
    type: str = ""
    reason: str = ""
    status: str = ""


def read(payload: bytes) -> list[object]:
    """The events of a post. Raises ValueError where it is no list."""
    return _POST.validate_json(payload)


def news(events: list[object]) -> Iterator[News]:
    """What becomes known by events. Most say nothing of it, and letters have keys of another kind;
    what cannot be understood must not keep the others from being taken.
    """
    for one in events:
        try:
            event = _Event.model_validate(one)
        except ValidationError:
            continue
        said = MailEvent(event.event, event.type, event.reason, event.status)
        sent, end = Round.of_key(event.key), ending(said)
        if sent is not None and end is not None:
            yield News(sent, event.email, end)
