"""What SendGrid tells us."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Request

from api import mail_events
from api.dependencies import ServicesDep
from api.errors import Problem, not_set_up, problems
from api.limits import whole_body
from api.permits import Anyone
from api.views import EventsReceivedOut
from providers.sendgrid_events import is_signed
from schema.queries import delivery_events
from schema.tables.columns import now

router = APIRouter(prefix="/webhooks", tags=["Webhooks"], dependencies=[Anyone])

# SendGrid posts what it has when that is 768 KB.
MOST_BYTES = 1024 * 1024


@router.post(
    "/sendgrid",
    responses=problems(
        HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE
    ),
)
async def receive_sendgrid_events(
    held: ServicesDep,
    request: Request,
    signature: Annotated[
        str,
        Header(
            alias="X-Twilio-Email-Event-Webhook-Signature",
            examples=[
                "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
            ],
        ),
    ] = "",
    timestamp: Annotated[
        str,
        Header(alias="X-Twilio-Email-Event-Webhook-Timestamp", examples=["1769817600"]),
    ] = "",
) -> EventsReceivedOut:
    """Take events of SendGrid's: the signature is checked, and it is written down what became of
    mails: that they have arrived, or that nothing arrives at an address any more. Whatever else
    SendGrid tells is left alone. Anything but 2xx makes SendGrid send all of it again, for a day;
    what is known already changes nothing.
    """
    key = held.settings.sendgrid_webhook_key.get_secret_value()
    if not key:
        raise not_set_up("SENDGRID_WEBHOOK_KEY")
    if not signature or not timestamp:
        raise _bad_signature()
    payload = await whole_body(request, MOST_BYTES)
    if not is_signed(payload, signature=signature, timestamp=timestamp, key=key):
        raise _bad_signature()
    try:
        events = mail_events.read(payload)
    except ValueError as error:
        raise Problem(
            HTTPStatus.BAD_REQUEST, "bad_event", "this is not how events are told here"
        ) from error
    async with held.database.write() as session:
        noted = await delivery_events.write_down(session, list(mail_events.news(events)), now())
    return EventsReceivedOut(received=len(events), noted=noted)


def _bad_signature() -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "bad_signature", "the signature does not fit the body")
