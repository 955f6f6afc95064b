"""When a chef's kitchen is open, by its own clock."""

from datetime import datetime

from domain import hours
from schema.tables import Chef
from settings import Settings


def zone(settings: Settings, chef: Chef) -> str:
    """The name of the time zone of a kitchen's hours: its own, or its market's."""
    return chef.timezone or settings.markets[chef.market].timezone


def is_open(settings: Settings, chef: Chef, at: datetime) -> bool:
    """Whether a kitchen's hours say that it is open at a moment."""
    return hours.is_open(chef.operating_hours, at, zone(settings, chef), chef.hours_exceptions)


def opens_at(settings: Settings, chef: Chef, at: datetime) -> datetime | None:
    """The first moment from `at` on at which a kitchen is open, if that is soon."""
    return hours.next_opening(chef.operating_hours, at, zone(settings, chef), chef.hours_exceptions)
