"""What people send and get about themselves."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Self
from uuid import UUID
from zoneinfo import available_timezones

import phonenumbers
from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    model_validator,
)

from api import examples_people as examples
from api import pictures
from api.bodies import AddressBody, Body, Line, Town
from api.bodies import Moment as BodyMoment
from api.examples import shown
from api.views import Moment, Page
from domain.geo import Point
from domain.languages import Language, spoken
from domain.permissions import Role
from domain.preferences import Channel, Choices, Event, chosen
from schema.messages.base import Message
from schema.messages.erasure import Ending
from schema.queries.profiles import Profile
from schema.tables import AccountDeletion, Address, Notification, NotificationPreferences


def _as_dialled(written: str) -> str:
    try:
        number = phonenumbers.parse(written)
    except phonenumbers.NumberParseException as error:
        raise ValueError("a phone number begins with + and its country") from error
    if not phonenumbers.is_possible_number(number):
        raise ValueError("no phone has this number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def _on_the_map(name: str) -> str:
    if name not in _timezones():
        raise ValueError("a time zone is named as in America/Chicago")
    return name


# As E.164 has it, however it was written.
Phone = Annotated[Line, StringConstraints(max_length=40), AfterValidator(_as_dialled)]
Locale = Annotated[
    str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$")
]
Clock = Annotated[str, StringConstraints(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Timezone = Annotated[Line, StringConstraints(max_length=64), AfterValidator(_on_the_map)]


class ProfileBody(Body):
    """Who somebody is; what is left out he does not say (any more). The `language` that he is
    written to in, where he does not say it, is that of his locale, and stays as it is without one.
    """

    model_config = shown(
        {
            "firstName": "Casey",
            "lastName": "Morgan",
            "phone": "+15125550123",
            "locale": "en-US",
            "language": "en",
        }
    )

    first_name: Town
    last_name: Town
    phone: Phone | None = None
    locale: Locale | None = None
    language: Language | None = None

    @property
    def spoken(self) -> Language | None:
        """The language that he is to be written to in from now on; None if it stays as it is."""
        return self.language or (spoken(self.locale) if self.locale else None)


class SavedAddressBody(AddressBody):
    """An address and what it is called. Without a position, it is looked up."""

    model_config = shown(examples.ADDRESS_BODY)

    label: Annotated[Line, StringConstraints(max_length=50)]
    is_default: StrictBool = False


class ChannelsBody(Body):
    """By which channels."""

    in_app: StrictBool
    email: StrictBool
    sms: StrictBool
    push: StrictBool


class EventsBody(Body):
    """What to hear of by which channels; what is left out is as usual."""

    orders: ChannelsBody | None = None
    work: ChannelsBody | None = None
    money: ChannelsBody | None = None
    account: ChannelsBody | None = None
    promotions: ChannelsBody | None = None


class QuietHoursBody(Body):
    """From when until when, by the clock of a time zone, nothing is to ring; over midnight where it
    ends before it begins.
    """

    from_: Clock = Field(alias="from")
    until: Clock
    timezone: Timezone


class PreferencesBody(Body):
    """All that somebody wants to hear of, and when not."""

    model_config = shown(examples.PREFERENCES)

    events: EventsBody = EventsBody()
    quiet_hours: QuietHoursBody | None = None

    @property
    def choices(self) -> Choices:
        """What was chosen."""
        said = self.events.model_dump(exclude_none=True)
        return {
            Event(event): {Channel(channel): wanted for channel, wanted in channels.items()}
            for event, channels in said.items()
        }


class EndBody(Body):
    """The password, as a proof that it is he. An account that has none needs a login just now."""

    model_config = shown({"password": "ridendine-demo"})

    password: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None


class DeletionOut(Message):
    """That an account ends: since when it is to, and until when it can be had back."""

    model_config = shown(examples.DELETION)

    requested_at: Moment
    erase_at: Moment


class ProfileOut(Message):
    """The caller. `deletion` is there if his account is to end."""

    model_config = shown(examples.PROFILE)

    id: UUID
    email: str
    role: Role
    is_verified: bool
    first_name: str
    last_name: str
    phone: str | None
    locale: str | None
    language: Language
    avatar_url: str | None
    created_at: Moment
    deletion: DeletionOut | None


class AddressOut(Message):
    """An address that somebody keeps."""

    model_config = shown(examples.ADDRESS)

    id: UUID
    label: str
    line1: str
    line2: str | None
    city: str
    state: str
    postal_code: str
    country: str
    latitude: float
    longitude: float
    is_default: bool
    created_at: Moment


class ChannelsOut(Message):
    """By which channels."""

    in_app: bool
    email: bool
    sms: bool
    push: bool


class EventsOut(Message):
    """What to hear of, by which channels."""

    orders: ChannelsOut
    work: ChannelsOut
    money: ChannelsOut
    account: ChannelsOut
    promotions: ChannelsOut


class QuietHoursOut(Message):
    """From when until when nothing is to ring."""

    model_config = ConfigDict(populate_by_name=True)

    from_: str = Field(alias="from")
    until: str
    timezone: str


class PreferencesOut(Message):
    """All that somebody wants to hear of, the defaults included, and when not. On the `unreachable`
    channels nothing is sent, whatever is chosen: the address or number took nothing any more, until
    it is confirmed again or there is another one.
    """

    model_config = shown(examples.PREFERENCES_KEPT)

    events: EventsOut
    quiet_hours: QuietHoursOut | None
    unreachable: list[Channel]


class NotificationOut(Message):
    """What somebody was told."""

    model_config = shown(examples.NOTIFICATION)

    id: UUID
    type: str
    title: str
    message: str
    is_read: bool
    order_id: UUID | None
    created_at: Moment


class NotificationsOut(Page[NotificationOut]):
    """A page of them, and how many of all are unread."""

    unread_count: int


class ReadAllBody(Body):
    """Up to what was read: up to a notification, or up to a moment; without either, all of it."""

    model_config = shown({"until": "2026-01-31T18:30:00Z"})

    notification_id: UUID | None = None
    until: BodyMoment | None = None

    @model_validator(mode="after")
    def _has_one_end(self) -> Self:
        if self.notification_id is not None and self.until is not None:
            raise ValueError("a notification or a moment, not both")
        return self


class UnreadOut(Message):
    """How much of what the caller was told is unread."""

    model_config = shown({"unreadCount": 0})

    unread_count: int


def profile(seen: Profile) -> ProfileOut:
    """A person, for himself."""
    user, said = seen.user, seen.profile
    return ProfileOut(
        id=user.id,
        email=user.email,
        role=user.role,
        is_verified=user.is_verified,
        first_name=said.first_name,
        last_name=said.last_name,
        phone=said.phone,
        locale=said.locale,
        language=user.language,
        avatar_url=pictures.url(said.avatar_url),
        created_at=user.created_at,
        deletion=None if seen.deletion is None else deletion(seen.deletion),
    )


def deletion(row: AccountDeletion | Ending) -> DeletionOut:
    """The end of an account, for its owner."""
    return DeletionOut(requested_at=row.requested_at, erase_at=row.erase_at)


def address(row: Address) -> AddressOut:
    """An address, for whoever keeps it."""
    return AddressOut(**row.model_dump(include=set(AddressOut.model_fields)))


def address_values(body: SavedAddressBody, point: Point) -> dict[str, Any]:
    """What is kept of an address that was sent, at the place where it is."""
    said = body.model_dump(exclude={"is_default", "latitude", "longitude"})
    return {**said, "latitude": point.latitude, "longitude": point.longitude}


def preferences(
    row: NotificationPreferences | None, unreachable: Sequence[Channel]
) -> PreferencesOut:
    """What somebody wants to hear of; the defaults for whoever never said."""
    choices = chosen(row.choices if row else {})
    quiet = None
    if row and row.quiet_from and row.quiet_until and row.timezone:
        quiet = QuietHoursOut(from_=row.quiet_from, until=row.quiet_until, timezone=row.timezone)
    return PreferencesOut(
        events=EventsOut.model_validate(
            {
                event.value: {channel.value: on for channel, on in channels.items()}
                for event, channels in choices.items()
            }
        ),
        quiet_hours=quiet,
        unreachable=list(unreachable),
    )


def kept_preferences(
    user_id: UUID, body: PreferencesBody, choices: Mapping[str, Mapping[str, bool]], at: datetime
) -> NotificationPreferences:
    """What is written down of what somebody wants to hear of."""
    quiet = body.quiet_hours
    return NotificationPreferences(
        user_id=user_id,
        choices=dict(choices),
        quiet_from=quiet.from_ if quiet else None,
        quiet_until=quiet.until if quiet else None,
        timezone=quiet.timezone if quiet else None,
        updated_at=at,
    )


def notification(row: Notification) -> NotificationOut:
    """What somebody was told, for him."""
    return NotificationOut(
        order_id=row.related_order_id,
        **row.model_dump(include=set(NotificationOut.model_fields)),
    )
