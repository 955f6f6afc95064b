"""One-time links and codes: what they are for, and how they come about.

None is kept anywhere. Each is derived from a secret and the id of the row that says what it is for,
so that whoever sends it can make it when it is sent, and it is in no table and no history.
"""

import hashlib
import hmac
from enum import StrEnum
from uuid import UUID

# Of six digits, a thief of the phone number guesses one in 200,000 times with these.
MOST_GUESSES = 5

_CODES = 1_000_000


class Purpose(StrEnum):
    """What a letter is about; the last three are only told."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose
    CHANGE_EMAIL = "change_email"
    VERIFY_PHONE = "verify_phone"
    ALREADY_REGISTERED = "already_registered"
    EMAIL_CHANGING = "email_changing"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a purpose


def link_token(secret: str, challenge_id: UUID, purpose: Purpose) -> str:
    """What a link holds: the row, and what only we can have made of it."""
    return f"{challenge_id.hex}.{_mac(secret, challenge_id, purpose).hex()}"


def read_link_token(secret: str, token: str, purpose: Purpose) -> UUID | None:
    """The row that a token is about, if it was made here and for this."""
    number, _, _ = token.partition(".")
    try:
        challenge_id = UUID(hex=number)
    except ValueError:
        return None
    made = link_token(secret, challenge_id, purpose)
    return challenge_id if hmac.compare_digest(made.encode(), token.encode()) else None


def code(secret: str, challenge_id: UUID, purpose: Purpose) -> str:
    """Six digits."""
    return f"{int.from_bytes(_mac(secret, challenge_id, purpose)) % _CODES:06d}"


def _mac(secret: str, challenge_id: UUID, purpose: Purpose) -> bytes:
    said = f"challenge:{purpose}:{challenge_id}"
    return hmac.digest(secret.encode(), said.encode(), hashlib.sha256)
