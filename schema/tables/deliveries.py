"""The table of what became of each message, on each way that it went."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import SQLModel

from domain.delivering import DeliveryStatus, Way
from schema.tables.columns import created, key, moment, one_of, reference


class NotificationDelivery(SQLModel, table=True):
    """A message on its way, once for each way and device.

    It is due at `due_at` and of no use after `good_until`. At `handed_over_at` the workflow has it
    that sends it, from `started_at` on it has been tried, so many times (`attempts`). `provider_id`
    is what whoever passes it on calls it; `error` is what was in the way last. An admin who has it
    sent again begins a new `round`. What operators are told together hangs on the message of the
    first of them.
    """

    __tablename__ = "notification_deliveries"
    __table_args__ = (
        UniqueConstraint(
            "notification_id",
            "channel",
            "device_id",
            name="one_delivery_per_way",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint(
            "channel = 'push' OR device_id IS NULL", name="notification_deliveries_device_of_push"
        ),
        Index(
            "idx_notification_deliveries_waiting",
            "good_until",
            "id",
            postgresql_where=text("handed_over_at IS NULL"),
        ),
        Index("idx_notification_deliveries_created", "created_at"),
        Index("idx_notification_deliveries_device", "device_id"),
    )

    id: UUID = key()
    notification_id: UUID = reference("notifications.id")
    channel: Way = one_of(Way, "notification_deliveries_channel")
    device_id: UUID | None = reference("devices.id", default=None, ondelete="CASCADE")
    status: DeliveryStatus = one_of(
        DeliveryStatus, "notification_deliveries_status", default=DeliveryStatus.PENDING
    )
    due_at: datetime = moment()
    good_until: datetime = moment()
    round: int = 0
    handed_over_at: datetime | None = moment(default=None)
    started_at: datetime | None = moment(default=None)
    attempts: int = 0
    sent_at: datetime | None = moment(default=None)
    provider_id: str | None = None
    error: str | None = None
    created_at: datetime = created()
