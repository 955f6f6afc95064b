"""What Stripe tells us."""

import json
import time
from http import HTTPStatus
from typing import Annotated, Any

import stripe
from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, ValidationError

from api.dependencies import ServicesDep
from api.errors import Problem, problems
from api.stripe_events import pass_on
from api.views import ReceivedOut
from schema.queries import webhooks

router = APIRouter(prefix="/webhooks", tags=["Webhooks"])

TOLERANCE_SECONDS = 300


class _Envelope(BaseModel):
    """The least that every event of Stripe's has."""

    id: str
    type: str
    data: dict[str, Any]


@router.post("/stripe", responses=problems(HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE))
async def receive_stripe_event(
    held: ServicesDep,
    request: Request,
    stripe_signature: Annotated[str, Header(examples=["t=1769817600,v1=5257a869e7ec…"])] = "",
) -> ReceivedOut:
    """Take an event of Stripe's: the signature is checked, the event stored once by its id, and
    handed to its order. Anything but 2xx makes Stripe send it again, for three days.
    """
    secret = held.settings.stripe_webhook_secret.get_secret_value()
    if not secret:
        # An empty secret would let anybody sign.
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "not_set_up", "STRIPE_WEBHOOK_SECRET is not set"
        )
    event = _verified(await request.body(), stripe_signature, secret)
    async with held.database.write() as session:
        is_new = await webhooks.store(session, event["id"], event["type"], event)
    if not is_new:
        return ReceivedOut(outcome="handled before")
    outcome = await pass_on(held, event)
    async with held.database.write() as session:
        await webhooks.note_handled(session, event["id"], outcome)
    return ReceivedOut(outcome=outcome)


def _verified(payload: bytes, signature: str, secret: str) -> dict[str, Any]:
    try:
        stripe.WebhookSignature.verify_header(
            payload.decode(), signature, secret, TOLERANCE_SECONDS
        )
        event: dict[str, Any] = json.loads(payload)
        _Envelope.model_validate(event)
    except stripe.SignatureVerificationError as error:
        raise _bad("bad_signature", str(error)) from error
    except (ValueError, ValidationError) as error:
        raise _bad("bad_event", "this is not an event of Stripe's") from error
    # The SDK refuses what was signed too long ago, but not what claims to come from the future.
    if _signed_at(signature) > time.time() + TOLERANCE_SECONDS:
        raise _bad("bad_signature", "Timestamp outside the tolerance zone: in the future")
    return event


def _signed_at(signature: str) -> int:
    parts = dict(part.split("=", 1) for part in signature.split(",") if "=" in part)
    return int(parts["t"])


def _bad(code: str, detail: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, code, detail)
