"""Whether the platform has let somebody in, and whether it has accepted a document of his."""

from enum import StrEnum


class Verification(StrEnum):
    """Whether the platform has let a chef or driver in."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUSPENDED = "suspended"


class DocumentStatus(StrEnum):
    """What an admin thinks of a document."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


# Who is approved is suspended before he is turned away, so that it is never done by a slip.
_BECOMES = {
    Verification.APPROVED: {Verification.PENDING, Verification.REJECTED, Verification.SUSPENDED},
    Verification.REJECTED: {Verification.PENDING, Verification.SUSPENDED},
    Verification.SUSPENDED: {Verification.APPROVED},
}


def may_become(was: Verification, to: Verification) -> bool:
    """Whether an admin may take somebody from one standing to another; nobody is made pending."""
    return was in _BECOMES.get(to, set())
