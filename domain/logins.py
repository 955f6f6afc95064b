"""When somebody has logged in, and whether that proves that it is still he."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

# So long a login stands for a password, where there is none.
FRESH = timedelta(minutes=10)
# A UUIDv7 begins with 48 bits of milliseconds (RFC 9562, section 5.7).
_BITS_AFTER_TIME = 128 - 48


def made_at(family_id: UUID) -> datetime:
    """When somebody logged in whose refresh tokens are of this family: it is a UUIDv7."""
    return datetime.fromtimestamp((family_id.int >> _BITS_AFTER_TIME) / 1000, UTC)


def is_fresh(logged_in_at: datetime | None, at: datetime) -> bool:
    """Whether a login is so young that it stands for a password; one of an unknown time is not."""
    return logged_in_at is not None and at - logged_in_at <= FRESH
