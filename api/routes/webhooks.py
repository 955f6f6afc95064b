"""What Stripe tells us."""

import re
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

import stripe
import structlog
from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from api.dependencies import ServicesDep
from api.errors import Problem, not_set_up, problems
from api.permits import Anyone
from api.stripe_events import pass_on
from api.views import ReceivedOut
from schema.queries import webhooks
from settings import Settings

router = APIRouter(prefix="/webhooks", tags=["Webhooks"], dependencies=[Anyone])

TOLERANCE_SECONDS = 300

_log = structlog.get_logger()


class _Envelope(BaseModel):
    """The least that every event of Stripe's has."""

    id: str
    type: str
    data: dict[str, Any]
    account: str | None = None


@router.post("/stripe", responses=problems(HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE))
async def receive_stripe_event(
    held: ServicesDep,
    request: Request,
    stripe_signature: Annotated[
        str,
        Header(
            examples=[
                "t=1769817600,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd"
            ]
        ),
    ] = "",
) -> ReceivedOut:
    """Take an event of Stripe's: the signature is checked, the event stored once by its id, and
    handed to its workflow. Anything but 2xx makes Stripe send it again, for three days.

    Events of the platform and of connected accounts come from two endpoints at Stripe, each with
    a secret of its own; either is taken.
    """
    secrets = _secrets(held.settings)
    if not secrets:
        raise not_set_up("STRIPE_WEBHOOK_SECRET")
    payload = await request.body()
    _verify(payload, stripe_signature, secrets)
    event = _read(payload)
    async with held.database.write() as session:
        is_new = await webhooks.store(session, event["id"], event["type"], event)
    if not is_new:
        return ReceivedOut(outcome="handled before")
    try:
        outcome = await pass_on(held, event)
    except ValidationError as error:
        # It stays in the table, not handled, for somebody to look at.
        _log.error("event not understood", event_id=event["id"], error=str(error))
        raise _not_an_event() from error
    async with held.database.write() as session:
        await webhooks.note_handled(session, event["id"], outcome)
    return ReceivedOut(outcome=outcome)


def _secrets(settings: Settings) -> list[str]:
    """What Stripe signs with. An empty secret would let anybody sign."""
    both = (settings.stripe_webhook_secret, settings.stripe_connect_webhook_secret)
    return [secret.get_secret_value() for secret in both if secret.get_secret_value()]


def _verify(payload: bytes, signature: str, secrets: Sequence[str]) -> None:
    # The SDK takes the first moment, and has no words for a signature that is not ASCII.
    signed_at = re.search(r"(?a)(?:^|,)t=(\d{1,12})(?:,|$)", signature)
    if signed_at is None or not signature.isascii():
        raise _bad("bad_signature", "this is not a signature of Stripe's")
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        raise _not_an_event() from error
    refusals = [_refusal(text, signature, secret) for secret in secrets]
    if all(refusals):
        raise _bad("bad_signature", refusals[0])
    # It refuses what was signed too long ago, but not what claims to come from the future.
    if int(signed_at[1]) > time.time() + TOLERANCE_SECONDS:
        raise _bad("bad_signature", "Timestamp outside the tolerance zone: in the future")


def _refusal(payload: str, signature: str, secret: str) -> str:
    """Why a signature is not one with this secret; nothing if it is."""
    try:
        stripe.WebhookSignature.verify_header(payload, signature, secret, TOLERANCE_SECONDS)
    except stripe.SignatureVerificationError as error:
        return str(error)
    return ""


def _read(payload: bytes) -> dict[str, Any]:
    try:
        event: dict[str, Any] = from_json(payload, allow_inf_nan=False)
        _Envelope.model_validate(event)
    except ValueError as error:
        raise _not_an_event() from error
    return event


def _not_an_event() -> Problem:
    return _bad("bad_event", "this is not an event of Stripe's")


def _bad(code: str, detail: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, code, detail)
