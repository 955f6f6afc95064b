"""What people want to be told, by which channels, and when not: the defaults are ours."""

from collections.abc import Mapping
from enum import StrEnum


class Event(StrEnum):
    """What there is to hear of."""

    ORDERS = "orders"
    WORK = "work"
    MONEY = "money"
    ACCOUNT = "account"
    PROMOTIONS = "promotions"


class Channel(StrEnum):
    """How somebody can be told."""

    IN_APP = "in_app"
    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"


Choices = Mapping[Event, Mapping[Channel, bool]]

# A text message costs money and a promotion patience: both only to those who ask for them.
_USUAL: Mapping[Event, frozenset[Channel]] = {
    Event.ORDERS: frozenset({Channel.IN_APP, Channel.PUSH}),
    Event.WORK: frozenset({Channel.IN_APP, Channel.PUSH}),
    Event.MONEY: frozenset({Channel.IN_APP, Channel.EMAIL}),
    Event.ACCOUNT: frozenset({Channel.IN_APP, Channel.EMAIL}),
    Event.PROMOTIONS: frozenset({Channel.IN_APP}),
}

DEFAULTS: Choices = {
    event: {channel: channel in usual for channel in Channel} for event, usual in _USUAL.items()
}


def chosen(kept: Mapping[str, Mapping[str, bool]]) -> Choices:
    """Every event and channel: what was chosen, and else the defaults."""
    return {
        event: {
            channel: kept.get(event, {}).get(channel, usual)
            for channel, usual in DEFAULTS[event].items()
        }
        for event in Event
    }


def otherwise(choices: Choices) -> dict[str, dict[str, bool]]:
    """What of some choices is not as the defaults have it: all that has to be kept, so that a
    better default reaches whoever never chose.
    """
    kept = {
        event.value: {
            channel.value: wanted
            for channel, wanted in channels.items()
            if wanted is not DEFAULTS[event][channel]
        }
        for event, channels in choices.items()
    }
    return {event: channels for event, channels in kept.items() if channels}
