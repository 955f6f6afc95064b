"""What people send and get about the devices that they are reached on."""

import base64
import binascii
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from api import examples_devices as examples
from api.bodies import Body, Line, WebAddress
from api.examples import shown
from api.views import Moment
from schema.messages.base import Message
from schema.tables import Device, DeviceKind

_AUTH_BYTES = 16
# Chrome and all that come from it, Firefox, Edge, Safari.
_PUSH_SERVICES = (
    "fcm.googleapis.com",
    "push.services.mozilla.com",
    "notify.windows.com",
    "push.apple.com",
)


def _decoded(written: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(written + "=" * (-len(written) % 4))
    except (binascii.Error, ValueError) as error:
        raise ValueError("a key is written in base64url") from error


def _a_point(written: str) -> str:
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), _decoded(written))
    except ValueError as error:
        raise ValueError("p256dh is a public key on the curve P-256") from error
    return written


def _a_secret(written: str) -> str:
    if len(_decoded(written)) != _AUTH_BYTES:
        raise ValueError(f"auth is {_AUTH_BYTES} bytes")
    return written


_Base64Url = Annotated[str, StringConstraints(max_length=200, pattern="^[A-Za-z0-9_-]+={0,2}$")]


class KeysBody(Body):
    """The keys of a subscription, in base64url."""

    p256dh: Annotated[_Base64Url, AfterValidator(_a_point)] = Field(alias="p256dh")
    auth: Annotated[_Base64Url, AfterValidator(_a_secret)]


class SubscriptionBody(Body):
    """A subscription to web push, as a browser gives it (`PushSubscription.toJSON`)."""

    model_config = shown(examples.SUBSCRIPTION)

    endpoint: WebAddress
    expiration_time: float | None = None
    keys: KeysBody


class DeviceBody(Body):
    """A phone by the registration `token` that FCM gave it, or a browser by its `subscription`;
    `label` is what its owner knows it by.
    """

    model_config = shown(examples.DEVICE_BODY)

    token: Annotated[str, StringConstraints(max_length=4096, pattern="^[!-~]+$")] | None = None
    subscription: SubscriptionBody | None = None
    platform: Literal["android", "ios", "web"] | None = None
    label: Annotated[Line, StringConstraints(max_length=100)] | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.token is None) == (self.subscription is None):
            raise ValueError("a device has a token or a subscription")
        return self

    @property
    def kind(self) -> DeviceKind:
        """By whom it is reached."""
        return DeviceKind.FCM if self.subscription is None else DeviceKind.WEB_PUSH

    @property
    def address(self) -> str:
        """What it is reached by."""
        return self.subscription.endpoint if self.subscription else self.token or ""

    @property
    def said(self) -> dict[str, str | None]:
        """What else there is to write down of it."""
        keys = self.subscription.keys if self.subscription else None
        return {
            "p256dh": keys.p256dh.rstrip("=") if keys else None,
            "auth": keys.auth.rstrip("=") if keys else None,
            "platform": self.platform,
            "label": self.label,
        }


class DeviceOut(Message):
    """A device, for its owner. It is not reached any more (`reason`) when FCM or its push service
    has said so; registered again, it is.
    """

    model_config = shown(examples.DEVICE)

    id: UUID
    kind: DeviceKind
    platform: str | None
    label: str | None
    created_at: Moment
    last_seen_at: Moment
    is_reached: bool
    reason: str | None


class VapidKeyOut(Message):
    """The key to subscribe with, as `PushManager.subscribe` takes it (`applicationServerKey`)."""

    model_config = shown({"publicKey": examples.PUBLIC_KEY})

    public_key: str


def device(row: Device) -> DeviceOut:
    """A device, for its owner: not what it is reached by."""
    return DeviceOut(
        is_reached=row.dead_at is None,
        reason=row.dead_reason,
        **row.model_dump(include=set(DeviceOut.model_fields)),
    )


def is_of_a_push_service(endpoint: str) -> bool:
    """Whether an endpoint is at one of the browsers' push services: what is pushed goes to whatever
    address somebody has sent.
    """
    try:
        found = urlsplit(endpoint)
        host = found.hostname or ""
        is_plain = found.scheme == "https" and found.port is None and found.username is None
    except ValueError:
        return False
    return is_plain and any(
        host == service or host.endswith(f".{service}") for service in _PUSH_SERVICES
    )
