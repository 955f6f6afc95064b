"""What partners' webhooks are asked to be, and how they are shown."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StrictBool, model_validator

from api import examples_webhooks as examples
from api.bodies import Body, Line, Moment, WebAddress, Words
from api.examples import shown
from api.views import Moment as At
from domain.webhooks import DeliveryStatus, EventType, OffBecause
from schema.messages.base import Message
from schema.queries.webhook_deliveries import Logged
from schema.tables import WebhookEndpoint

# Beyond them, a moment in UTC may be none that there is.
_FIRST_YEAR, _LAST_YEAR = 2000, 2199

_WHY = "agreed with the partner"


def _each_once(types: list[EventType]) -> list[EventType]:
    return list(dict.fromkeys(types))


EventTypes = Annotated[
    list[EventType],
    Field(min_length=1, max_length=len(EventType)),
    AfterValidator(_each_once),
]


class WebhookBody(Body):
    """Where to tell, and of what: https on port 443 or 8443, on the public internet."""

    model_config = shown(examples.NEW)

    url: WebAddress
    event_types: EventTypes
    description: Line | None = None


class AdminWebhookBody(WebhookBody):
    """The same, of one kitchen's orders (`chefId`) or of all, and why."""

    model_config = shown({**examples.NEW, "reason": _WHY})

    chef_id: UUID | None = None
    reason: Words


class WebhookChangeBody(Body):
    """What is to be otherwise; what is left out stays. Switched off, what waits is not sent any
    more; switched on, what happens from then on is.
    """

    model_config = shown({"eventTypes": ["order.created"], "enabled": True})

    url: WebAddress | None = None
    event_types: EventTypes | None = None
    description: Line | None = None
    enabled: StrictBool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.changes and self.enabled is None:
            raise ValueError("say url, eventTypes, description or enabled")
        return self

    @property
    def changes(self) -> dict[str, Any]:
        """What was said, but for whether it is on."""
        return self.model_dump(include={"url", "event_types", "description"}, exclude_none=True)


class AdminWebhookChangeBody(WebhookChangeBody):
    """The same, and why."""

    model_config = shown({"enabled": False, "reason": _WHY})

    reason: Words


class WebhookReasonBody(Body):
    """Why an operator does it."""

    model_config = shown({"reason": _WHY})

    reason: Words


def _of_our_time(moment: datetime) -> datetime:
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"a moment is between {_FIRST_YEAR} and {_LAST_YEAR}")
    return moment


class ReplayBody(Body):
    """From when on what has not arrived is tried anew, and why."""

    model_config = shown({"since": "2026-01-31T18:00:00Z", "reason": "their till was down"})

    since: Annotated[Moment, AfterValidator(_of_our_time)]
    reason: Words


class WebhookOut(Message):
    """A webhook. `disabledBecause` is `failing` (nothing has arrived for three days), `gone` (it
    has answered 410) or `by_hand`; `failingSince` is since when nothing has arrived.
    """

    model_config = shown(examples.WEBHOOK)

    id: UUID
    chef_id: UUID | None
    url: str
    event_types: list[str]
    description: str
    enabled: bool
    disabled_at: At | None
    disabled_because: OffBecause | None
    failing_since: At | None
    rotated_at: At | None
    created_at: At


class WebhookSecretOut(WebhookOut):
    """A webhook with the secret that its messages are signed with, which is told only here."""

    model_config = shown(examples.WITH_SECRET)

    secret: str


class TryOut(Message):
    """A try: what was answered (its beginning), or why there was no answer."""

    number: int
    status: int | None
    error: str | None
    answer: str
    milliseconds: int
    attempted_at: At


class WebhookDeliveryOut(Message):
    """A message, whose `id` is the header `webhook-id`, and its latest `tries`, the last first."""

    model_config = shown(examples.DELIVERY)

    id: UUID
    webhook_id: UUID
    event_type: str
    order_id: UUID | None
    payload: dict[str, Any]
    status: DeliveryStatus
    attempts: int
    last_status: int | None
    last_error: str | None
    next_attempt_at: At | None
    created_at: At
    delivered_at: At | None
    tries: list[TryOut]


class ReplayedOut(Message):
    """How many messages are tried anew, and whether there are more to ask for."""

    model_config = shown({"replayed": 12, "hasMore": False})

    replayed: int
    has_more: bool


def webhook(row: WebhookEndpoint) -> WebhookOut:
    """An endpoint, for clients."""
    return WebhookOut(**row.model_dump(include=set(WebhookOut.model_fields)))


def with_secret(row: WebhookEndpoint, secret: str) -> WebhookSecretOut:
    """An endpoint and its secret, for whoever has just made it."""
    return WebhookSecretOut(**webhook(row).model_dump(), secret=secret)


def delivery(logged: Logged) -> WebhookDeliveryOut:
    """A message and its tries, for clients."""
    row = logged.delivery
    return WebhookDeliveryOut(
        **row.model_dump(include=set(WebhookDeliveryOut.model_fields)),
        webhook_id=row.endpoint_id,
        tries=[TryOut(**tried.model_dump(exclude={"delivery_id"})) for tried in logged.attempts],
    )
