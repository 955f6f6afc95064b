"""How people can be reached besides in the app, and how not any more."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from domain.preferences import Channel
from schema.tables.columns import created, key, moment, one_of, reference


class DeviceKind(StrEnum):
    """By whom a device is reached."""

    FCM = "fcm"
    WEB_PUSH = "web_push"


class Device(SQLModel, table=True):
    """A phone or browser that somebody gets pushes on.

    `token` is what it is reached by: FCM's registration token, or the endpoint of a web push
    subscription, whose keys are `p256dh` and `auth`. It is one person's, whoever had it last. From
    `dead_at` on it is not reached any more (`dead_reason`), until it registers again.
    """

    __tablename__ = "devices"
    __table_args__ = (
        CheckConstraint(
            "(kind = 'web_push') = (p256dh IS NOT NULL AND auth IS NOT NULL)",
            name="devices_keys_of_web_push",
        ),
        Index("idx_devices_user", "user_id", "created_at"),
    )

    id: UUID = key()
    user_id: UUID = reference("users.id")
    kind: DeviceKind = one_of(DeviceKind, "devices_kind")
    token: str = Field(unique=True)
    p256dh: str | None = None
    auth: str | None = None
    platform: str | None = None
    label: str | None = None
    created_at: datetime = created()
    last_seen_at: datetime = moment()
    dead_at: datetime | None = moment(default=None)
    dead_reason: str | None = None


class DeadChannel(SQLModel, table=True):
    """An address or number of somebody's that takes nothing any more, and why. Another of his is
    not it, and this one is not either once it is confirmed again.
    """

    __tablename__ = "dead_channels"

    user_id: UUID = reference("users.id", primary_key=True)
    channel: Channel = one_of(Channel, "dead_channels_channel", primary_key=True)
    address: str
    reason: str
    at: datetime = moment()
