"""Where partners want to be told of what happens, and what they were told. (What Stripe tells us is
`StripeEvent`.)
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from domain.webhooks import DeliveryStatus, OffBecause
from schema.tables.columns import created, document, key, moment, one_of, reference, texts


class WebhookEndpoint(SQLModel, table=True):
    """Where a partner is told: of a kitchen's own orders, or (`chef_id` null) of all.

    Its secrets are derived (`domain.webhooks.secret`): here is only the number of the newest, and
    of the oldest that signs, too, for a while. `failing_since` is the first failure after which
    nothing has succeeded.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (Index("idx_webhook_endpoints_chef", "chef_id", "id"),)

    id: UUID = key()
    chef_id: UUID | None = reference("chefs.id", default=None)
    url: str
    event_types: list[str] = texts()
    description: str = ""
    signing_version: int = 1
    oldest_signing_version: int = 1
    rotated_at: datetime | None = moment(default=None)
    enabled: bool = True
    disabled_at: datetime | None = moment(default=None)
    disabled_because: OffBecause | None = one_of(
        OffBecause, "webhook_endpoints_disabled_because", default=None
    )
    failing_since: datetime | None = moment(default=None)
    created_by: UUID = reference("users.id")
    created_at: datetime = created()


class WebhookDelivery(SQLModel, table=True):
    """A message to an endpoint; its id is the header `webhook-id`, and its `payload` what is sent.

    `business_key` keeps an endpoint from being told the same twice. `round` grows each time that
    somebody has it tried anew; `handed_over` once a workflow has been told of that. `tried_since`
    is when the round's first try was made.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "business_key"),
        Index("idx_webhook_deliveries_endpoint", "endpoint_id", "id"),
        Index("idx_webhook_deliveries_order", "order_id"),
        Index("idx_webhook_deliveries_created_at", "created_at"),
        Index(
            "idx_webhook_deliveries_waiting",
            "id",
            postgresql_where=text("status = 'pending' AND NOT handed_over"),
        ),
        Index(
            "idx_webhook_deliveries_pending",
            "endpoint_id",
            postgresql_where=text("status = 'pending'"),
        ),
    )

    id: UUID = key()
    endpoint_id: UUID = reference("webhook_endpoints.id", ondelete="CASCADE")
    event_type: str
    business_key: str
    order_id: UUID | None = reference("orders.id", default=None)
    payload: dict[str, Any] = document()
    status: DeliveryStatus = one_of(
        DeliveryStatus, "webhook_deliveries_status", default=DeliveryStatus.PENDING
    )
    round: int = 1
    handed_over: bool = False
    attempts: int = 0
    tried_since: datetime | None = moment(default=None)
    last_status: int | None = None
    last_error: str | None = None
    next_attempt_at: datetime | None = moment(default=None)
    created_at: datetime = created()
    delivered_at: datetime | None = moment(default=None)


class WebhookAttempt(SQLModel, table=True):
    """One try of a delivery: what the endpoint answered (its status and the beginning of what it
    said), or why there was no answer.
    """

    __tablename__ = "webhook_attempts"

    delivery_id: UUID = reference("webhook_deliveries.id", primary_key=True, ondelete="CASCADE")
    number: int = Field(primary_key=True)
    status: int | None = None
    error: str | None = None
    answer: str = ""
    milliseconds: int
    attempted_at: datetime = created()
