"""Logins that somebody else vouches for: whom we believe, and what we make of it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Provider(StrEnum):
    """Who vouches (seed 004, section 6.1)."""

    GOOGLE = "google"
    FACEBOOK = "facebook"
    APPLE = "apple"


@dataclass(frozen=True)
class Client:
    """What the operator is at a provider: an id with a secret, or (Apple) with a key of a team that
    signs what stands in for it, as PEM.

    `email_is_verified` believes every address that the provider gives, also where it does not say
    that it is verified. `base_url` is where something stands in for the provider.
    """

    client_id: str
    client_secret: str = field(default="", repr=False)
    team_id: str = ""
    key_id: str = ""
    private_key: str = field(default="", repr=False)
    email_is_verified: bool = False
    base_url: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError for one that cannot prove who it is."""
        signs = bool(self.team_id and self.key_id and self.private_key)
        if not self.client_id or signs == bool(self.client_secret):
            raise ValueError("a client has an id, and a secret or a team's key")


class Identity(NamedTuple):
    """Somebody as a provider knows him. Only `subject` stays the same for ever."""

    provider: Provider
    subject: str
    email: str | None
    email_is_verified: bool
    first_name: str
    last_name: str

    @property
    def owns_address(self) -> bool:
        """Whether his address is his, as the provider says.

        Only with such an address an account is made, or the owner of one found: whoever could make
        one with somebody else's address would wait in it for him.
        """
        return self.email is not None and self.email_is_verified


def may_part(ways_in: int, *, has_password: bool) -> bool:
    """Whether somebody with so many logins elsewhere may give one up: not his last way in."""
    return has_password or ways_in > 1
